import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromHex } from '../../protocol/bytes.ts'
import { MAX_DATA_KEY_BYTES, MAX_DATA_SIGNATURE_BYTES } from '../accounts/wallet/data-signature.ts'
import type { WalletSignIn } from '../accounts/wallet/wallet-sign-in.ts'
import { originOf, type OriginInit } from './origin.ts'
import { hex } from './schemas.ts'

const keys = { signingKey: hex(32), messagingKeyHash: hex(32) }
/** Wallets write hex in both cases. */
const anyHex = (maxBytes: number) =>
  z
    .string()
    .max(2 * maxBytes)
    .regex(/^([0-9a-fA-F]{2})+$/, 'expected hex')
const bytesOf = (text: string): Uint8Array => fromHex(text.toLowerCase())

/** Sign-in with a Cardano wallet; see docs/http-api.md. Only where the operator offers it. */
export function walletRoutes(app: FastifyInstance, wallet: WalletSignIn, { publicUrl }: OriginInit): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/v1/auth/wallet/challenge',
    {
      schema: {
        summary: 'A text for a Cardano wallet to sign (CIP-30 signData), bound to a device, an address and this node',
        body: z.strictObject({ ...keys, address: anyHex(57) }),
        response: { 200: z.object({ nonce: hex(32), payload: z.string(), expiresAt: z.int() }) }
      }
    },
    async (request, reply) => {
      const { signingKey, messagingKeyHash, address } = request.body
      const device = { signingKey: fromHex(signingKey), messagingKeyHash: fromHex(messagingKeyHash) }
      const where = { origin: originOf(request, publicUrl), client: request.ip }
      return reply.header('cache-control', 'no-store').send(wallet.challenge(device, bytesOf(address), where))
    }
  )
  typed.post(
    '/v1/auth/wallet/finish',
    {
      schema: {
        summary: 'Hand in what the wallet signed; answers with a one-time code for the device',
        body: z.strictObject({
          ...keys,
          nonce: hex(32),
          signature: anyHex(MAX_DATA_SIGNATURE_BYTES),
          key: anyHex(MAX_DATA_KEY_BYTES)
        }),
        response: { 200: z.object({ code: z.string() }) }
      }
    },
    async (request, reply) => {
      const { signingKey, messagingKeyHash, nonce, signature, key } = request.body
      const device = { signingKey: fromHex(signingKey), messagingKeyHash: fromHex(messagingKeyHash) }
      const answer = { nonce, signature: bytesOf(signature), key: bytesOf(key) }
      const code = await wallet.finish(device, answer, request.ip)
      return reply.header('cache-control', 'no-store').send({ code })
    }
  )
}

import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../protocol/limits.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import { NodeError } from '../errors.ts'
import { hex } from './schemas.ts'

const accountParameters = z.object({ accountId: hex(32) })
const tagPrefix = z.string().regex(/^([0-9a-f]{2}){2,32}$/, 'expected 2 to 32 bytes as lower-case hex')
const matchSchema = z.object({ tag: hex(32), accountId: hex(32), state: z.enum(['pending', 'recorded', 'settled']) })

/** Bytes of proofs that may wait for clients to read them: who reads slowly must not fill the memory. */
const MAX_PROOF_BYTES_UNDER_WAY = 8 * MAX_ACCOUNT_PROOF_BYTES

const asAccountId = (text: string): AccountId => fromHex(text) as AccountId

/** What anybody may ask about accounts and names. */
export function directoryRoutes(app: FastifyInstance, directory: DirectoryPort): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  let underWay = 0
  typed.get(
    '/v1/accounts/:accountId/proof',
    {
      schema: {
        summary: "An account's records with the transactions that hold them",
        description: 'An encoded AccountProof, as application/cbor.',
        params: accountParameters
      }
    },
    async (request, reply) => {
      const proof = await directory.accountProof(asAccountId(request.params.accountId), MAX_ACCOUNT_PROOF_BYTES)
      if (proof === undefined) throw new NodeError('not-found', 'This node knows of no such account.')
      if (underWay + proof.length > MAX_PROOF_BYTES_UNDER_WAY) {
        throw new NodeError('busy', 'Too many large answers are on their way; try again soon.')
      }
      underWay += proof.length
      reply.raw.once('close', () => (underWay -= proof.length))
      return reply.type('application/cbor').header('cache-control', 'no-cache').send(Buffer.from(proof))
    }
  )
  typed.get(
    '/v1/accounts/:accountId/bundles',
    {
      schema: {
        summary: "The current messaging keys of an account's devices",
        params: accountParameters,
        response: { 200: z.object({ bundles: z.array(z.string()) }) }
      }
    },
    async (request, reply) => {
      const bundles = await directory.bundles(asAccountId(request.params.accountId))
      return reply.header('cache-control', 'no-cache').send({ bundles: bundles.map(toHex) })
    }
  )
  typed.get(
    '/v1/releases',
    {
      schema: {
        summary: 'The releases of the web app with the transactions that hold them',
        description: 'An encoded ReleaseProof, as application/cbor.'
      }
    },
    async (_request, reply) =>
      reply
        .type('application/cbor')
        .header('cache-control', 'no-cache')
        .send(Buffer.from(await directory.releaseProof()))
  )
  typed.get(
    '/v1/names/:tagPrefix',
    {
      schema: {
        summary: 'Who holds the names whose tag begins so',
        params: z.object({ tagPrefix }),
        response: { 200: z.object({ matches: z.array(matchSchema), complete: z.boolean() }) }
      }
    },
    async (request, reply) => {
      const { matches, complete } = await directory.names(fromHex(request.params.tagPrefix))
      const shown = matches.map(match => ({ ...match, tag: toHex(match.tag), accountId: toHex(match.accountId) }))
      return reply.header('cache-control', 'no-cache').send({ matches: shown, complete })
    }
  )
}

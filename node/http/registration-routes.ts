import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_REGISTRATION_BYTES } from '../../protocol/identity/registration.ts'
import type { RegistrationService } from '../accounts/registration-service.ts'
import { hex } from './schemas.ts'

const answerSchema = z.object({
  accountId: hex(32),
  deviceId: hex(16),
  attestation: z.string(),
  attestationSalt: hex(32),
  records: z.literal('pending')
})

/** Nonces, and the registration of new accounts. */
export function registrationRoutes(app: FastifyInstance, registration: RegistrationService): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/v1/device-challenge',
    {
      schema: {
        summary: 'A nonce for one registration, good for a minute',
        response: { 200: z.object({ nonce: hex(32), expiresAt: z.int() }) }
      }
    },
    async (request, reply) => reply.header('cache-control', 'no-store').send(registration.challenge(request.ip))
  )
  void app.register(async binary => {
    binary.removeAllContentTypeParsers()
    const options = { parseAs: 'buffer' as const, bodyLimit: MAX_REGISTRATION_BYTES }
    binary.addContentTypeParser('application/cbor', options, async (_request: unknown, body: string | Buffer) => body)
    binary.withTypeProvider<ZodTypeProvider>().post(
      '/v1/registrations',
      {
        schema: {
          summary: 'Register an account; the body is a CBOR registration request',
          consumes: ['application/cbor'],
          response: { 201: answerSchema }
        }
      },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? Uint8Array.from(request.body) : new Uint8Array()
        const answer = await registration.register(body, request.ip)
        return reply.status(201).header('cache-control', 'no-store').send(answer)
      }
    )
  })
}

import { base64urlnopad } from '@scure/base'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { LINK_BOX_BYTES, MAX_SEALED_LINK_BYTES } from '../../protocol/linking/link-channel.ts'
import { MAX_DEVICE_REGISTRATION_BYTES } from '../../protocol/linking/device-registration.ts'
import type { DeviceRegistrationService } from '../linking/device-registration-service.ts'
import { MAX_BOX_MESSAGES, MAX_WAIT_MS, type Rendezvous } from '../linking/rendezvous.ts'
import { allowAnyOrigin } from './cors.ts'
import { hex } from './schemas.ts'

/** Base64 takes four characters for three bytes. */
const MAX_SEALED_CHARACTERS = Math.ceil((MAX_SEALED_LINK_BYTES * 4) / 3)

const place = z.object({
  box: hex(LINK_BOX_BYTES),
  index: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_BOX_MESSAGES - 1)
})

/**
 * The boxes of a linking. A page of any origin of the network may use them, and messages are text, so that a browser asks
 * for no permission first.
 */
export function linkingRoutes(app: FastifyInstance, rendezvous: Rendezvous): void {
  allowAnyOrigin(app)
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'string' as const, bodyLimit: MAX_SEALED_CHARACTERS + 4 }
  app.addContentTypeParser('text/plain', options, async (_request: unknown, body: string | Buffer) => body)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/v1/linking/:box/:index',
    {
      schema: {
        summary: 'Leave a message for the other device of a linking',
        description:
          'The body is the sealed message in base64url, without padding. The first message of a place stays.',
        consumes: ['text/plain'],
        params: place,
        response: { 200: z.object({ kept: z.boolean() }) }
      }
    },
    async (request, reply) => {
      const { box, index } = request.params
      const kept = rendezvous.put(box, index, base64Of(request.body), request.ip)
      return reply.header('cache-control', 'no-store').send({ kept })
    }
  )
  typed.get(
    '/v1/linking/:box/:index',
    {
      schema: {
        summary: 'Read a message of the other device of a linking',
        description: 'Waits for it up to the given milliseconds; without one the answer says null.',
        params: place,
        querystring: z.object({ wait: z.coerce.number().int().min(0).max(MAX_WAIT_MS).default(0) }),
        response: { 200: z.object({ message: z.string().nullable() }) }
      }
    },
    async (request, reply) => {
      const { box, index } = request.params
      const message = await rendezvous.get(box, index, request.query.wait, request.ip)
      return reply
        .header('cache-control', 'no-store')
        .send({ message: message ? base64urlnopad.encode(message) : null })
    }
  )
}

/** What is not base64 comes out empty, which is refused. */
function base64Of(body: unknown): Uint8Array {
  try {
    return base64urlnopad.decode(String(body))
  } catch {
    return new Uint8Array()
  }
}

/** The last step of a linking. */
export function deviceRoutes(app: FastifyInstance, devices: DeviceRegistrationService): void {
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer' as const, bodyLimit: MAX_DEVICE_REGISTRATION_BYTES }
  app.addContentTypeParser('application/cbor', options, async (_request: unknown, body: string | Buffer) => body)
  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/devices',
    {
      schema: {
        summary: 'Add a device to an account; the body is a CBOR device registration',
        consumes: ['application/cbor'],
        response: { 201: z.object({ accountId: hex(32), deviceId: hex(16), records: z.literal('pending') }) }
      }
    },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? Uint8Array.from(request.body) : new Uint8Array()
      return reply
        .status(201)
        .header('cache-control', 'no-store')
        .send(await devices.register(body))
    }
  )
}

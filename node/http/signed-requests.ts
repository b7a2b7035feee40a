import type { FastifyInstance, FastifyRequest } from 'fastify'
import { allowAnyOrigin } from './cors.ts'

/** Lets pages of any origin make signed requests: an app that was opened from another node goes on through this one. */
export function allowSignedRequests(app: FastifyInstance, path: string): void {
  allowAnyOrigin(app)
  app.addHook('onRequest', async (_request, reply) => {
    void reply.header('access-control-expose-headers', 'content-range, content-length')
  })
  app.options(path, { schema: { hide: true } }, async (_request, reply) =>
    reply
      .status(204)
      .header('access-control-allow-methods', 'GET, POST, PUT, DELETE')
      .header('access-control-allow-headers', 'authorization, content-type, range, x-volo-iagon-key')
      .header('access-control-max-age', '7200')
      .send()
  )
}

/** The bytes of a body; none for a request without one. */
export function bodyOf({ body }: FastifyRequest): Uint8Array {
  return Buffer.isBuffer(body) ? body : new Uint8Array()
}

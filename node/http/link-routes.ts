import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_LINKED_ACCOUNT_BYTES } from '../../protocol/identity/linked-account.ts'
import { MAX_SIGN_IN_CODE_LENGTH } from '../../protocol/identity/registration.ts'
import { NodeError } from '../errors.ts'
import type { AccountLinks } from '../social/account-links.ts'
import type { DeviceAuthorization } from './device-authorization.ts'
import { allowSignedRequests, bodyOf } from './signed-requests.ts'

const SECRET_BYTES = 32
const MAX_BODY_BYTES = SECRET_BYTES + MAX_SIGN_IN_CODE_LENGTH

/** Links to accounts elsewhere; see docs/http-api.md. */
export function linkRoutes(app: FastifyInstance, links: AccountLinks, authorization: DeviceAuthorization): void {
  allowSignedRequests(app, '/v1/links')
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer' as const, bodyLimit: MAX_BODY_BYTES }
  app.addContentTypeParser('application/octet-stream', options, async (_request: unknown, body: unknown) => body)
  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/links',
    {
      schema: {
        summary:
          'Link an account elsewhere: hands in the secret that the sign-in began with (32 bytes), then its one-time code',
        description: 'The node says that the person signed in there, and keeps nothing of it.',
        consumes: ['application/octet-stream'],
        response: { 200: z.object({ statement: z.string().max(2 * MAX_LINKED_ACCOUNT_BYTES) }) }
      }
    },
    async (request, reply) => {
      const body = bodyOf(request)
      const signed = { method: request.method, target: request.url, body }
      const device = await authorization.deviceOf(request.headers.authorization, signed)
      const code = Buffer.from(body.subarray(SECRET_BYTES)).toString('latin1')
      if (!/^[\w-]+$/.test(code)) throw new NodeError('malformed', 'The code has another form.')
      const statement = await links.attest(device, code, body.subarray(0, SECRET_BYTES))
      return reply.header('cache-control', 'no-store').send({ statement })
    }
  )
}

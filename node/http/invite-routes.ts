import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromHex } from '../../protocol/bytes.ts'
import { INVITE_TOKEN_BYTES, type InviteToken } from '../../protocol/invite/invite-link.ts'
import { MAX_INVITE_MAIL_BYTES } from '../../protocol/invite/invite-statement.ts'
import type { InviteService } from '../invites/invite-service.ts'
import { hex } from './schemas.ts'

const inviteParams = z.object({ hash: hex(32) })

/** Invitations. What makes or ends one is signed inside its body; who has the token may use it. */
export function inviteRoutes(app: FastifyInstance, invites: InviteService): void {
  void app.register(async binary => signedRoutes(binary, invites))
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
    '/v1/invites/mail',
    {
      schema: {
        summary: 'Whether this node sends invitations by e-mail',
        response: { 200: z.object({ offered: z.boolean() }) }
      }
    },
    async (_request, reply) => unstored(reply).send({ offered: invites.canMail })
  )
  typed.get(
    '/v1/invites/:hash',
    {
      schema: {
        summary: 'How long an invitation is good, and how often; looking at it does not use it',
        params: inviteParams,
        response: { 200: z.object({ expiresAt: z.int(), usesLeft: z.int() }) }
      }
    },
    async (request, reply) => unstored(reply).send(await invites.look(request.params.hash))
  )
  typed.post(
    '/v1/invites/:hash/accept',
    {
      schema: {
        summary: 'Use an invitation once; the same attempt again counts once',
        params: inviteParams,
        body: z.strictObject({ token: hex(INVITE_TOKEN_BYTES), attempt: hex(16) }),
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      const { token, attempt } = request.body
      await invites.accept(request.params.hash, fromHex(token) as InviteToken, attempt, request.ip)
      return unstored(reply).status(204).send(null)
    }
  )
}

function signedRoutes(app: FastifyInstance, invites: InviteService): void {
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer' as const, bodyLimit: MAX_INVITE_MAIL_BYTES }
  app.addContentTypeParser('application/cbor', options, async (_request: unknown, body: string | Buffer) => body)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const schema = { consumes: ['application/cbor'], response: { 204: z.null() } }
  typed.post(
    '/v1/invites',
    { schema: { ...schema, summary: 'Keep an invitation, or end one; the body is a CBOR invite statement' } },
    async (request, reply) => {
      await invites.publish(bodyOf(request))
      return unstored(reply).status(204).send(null)
    }
  )
  typed.post(
    '/v1/invites/mail',
    { schema: { ...schema, summary: 'Mail an invitation; the body is a CBOR invite mail' } },
    async (request, reply) => {
      await invites.mail(bodyOf(request))
      return unstored(reply).status(204).send(null)
    }
  )
}

const bodyOf = ({ body }: FastifyRequest): Uint8Array =>
  Buffer.isBuffer(body) ? Uint8Array.from(body) : new Uint8Array()

const unstored = <R extends FastifyReply>(reply: R): R => reply.header('cache-control', 'no-store') as R

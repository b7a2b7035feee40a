import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromHex } from '../../protocol/bytes.ts'
import { MAX_SIGN_IN_CODE_LENGTH } from '../../protocol/identity/registration.ts'
import type { SignInService } from '../accounts/sign-in/sign-in-service.ts'
import { NodeError } from '../errors.ts'
import { originOf, type OriginInit } from './origin.ts'
import { hex } from './schemas.ts'

/** Longest address that a sign-in may return to. */
const MAX_RETURN_LENGTH = 512

const providerParameters = z.object({ provider: z.string().max(32) })
const providerList = z.array(
  z.object({ id: z.string(), name: z.string(), kind: z.enum(['oidc', 'oauth2', 'wallet']), demo: z.boolean() })
)

/** Sign-in with a provider: list, start, callback. */
export function signInRoutes(app: FastifyInstance, signIn: SignInService, { publicUrl }: OriginInit): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/v1/auth/:provider/start',
    {
      schema: {
        summary: 'Begin a sign-in for a device; answers where to send the browser',
        params: providerParameters,
        body: z.strictObject({
          signingKey: hex(32),
          messagingKeyHash: hex(32),
          returnTo: z.string().min(1).max(MAX_RETURN_LENGTH),
          binding: hex(32).optional()
        }),
        response: { 200: z.object({ url: z.string() }) }
      }
    },
    async request => {
      const { params, body, ip } = request
      const origin = originOf(request, publicUrl)
      const url = await signIn.start({
        provider: params.provider,
        keys: { signingKey: fromHex(body.signingKey), messagingKeyHash: fromHex(body.messagingKeyHash) },
        returnTo: parseReturnTo(body.returnTo),
        binding: body.binding ?? null,
        origin,
        address: ip
      })
      return { url }
    }
  )
  typed.get(
    '/v1/auth/:provider/callback',
    { schema: { summary: "A provider's answer; sends the browser back to the app", params: providerParameters } },
    async (request, reply) => {
      const answer = new URLSearchParams(request.url.split('?')[1] ?? '')
      const target = await signIn.finish(request.params.provider, answer)
      return reply.header('cache-control', 'no-store').redirect(target, 303)
    }
  )
}

/** What a device that came back asks: whether its code is good here, before it believes that a sign-in succeeded. */
export function signInCodeRoutes(app: FastifyInstance, signIn: SignInService): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/auth/codes',
    {
      schema: {
        summary: 'Whether a one-time code is good for a device; it stays good',
        body: z.strictObject({
          signingKey: hex(32),
          messagingKeyHash: hex(32),
          code: z.string().min(1).max(MAX_SIGN_IN_CODE_LENGTH)
        }),
        response: { 200: z.object({ suggestedName: z.string().nullable() }) }
      }
    },
    async (request, reply) => {
      const { code, signingKey, messagingKeyHash } = request.body
      const keys = { signingKey: fromHex(signingKey), messagingKeyHash: fromHex(messagingKeyHash) }
      return reply.header('cache-control', 'no-store').send({ suggestedName: signIn.suggestedName(code, keys) })
    }
  )
}

/** The list of providers, which apps served by other nodes may read. */
export function providerRoutes(app: FastifyInstance, signIn: SignInService): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/auth/providers',
    {
      schema: { summary: 'What people can sign in with', response: { 200: z.object({ providers: providerList }) } }
    },
    () => ({ providers: signIn.providers() })
  )
}

/**
 * The one page of this node's app, or a program on the person's own machine. Anything else would hand the one-time code to
 * the author of the link.
 * @throws NodeError `bad-return`.
 */
export function parseReturnTo(returnTo: string): string {
  if (returnTo === '/') return returnTo
  const isLoopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}(\/[\w\-./~%]*)?$/.test(returnTo)
  if (isLoopback && URL.canParse(returnTo) && new URL(returnTo).username === '') return returnTo
  throw new NodeError('bad-return', 'A sign-in returns to "/" or to a loopback address such as http://127.0.0.1:5000/.')
}

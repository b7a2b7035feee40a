import type { FastifyInstance } from 'fastify'
import { originOf, type OriginInit } from './origin.ts'
import { DEMO_PAGE_POLICY } from './security-headers.ts'
import { DEMO_PATH, type DemoProvider } from '../accounts/demo-sign-in/demo-provider.ts'
import { loginPage, parseLogin, problemPage, STYLE } from '../accounts/demo-sign-in/pages.ts'

const MAX_FORM_BYTES = 4 * 1024
const GONE = 'It has ended or is too old. Please go back to Volo and start again.'

interface Uid {
  Params: { uid: string }
}

/** The demo provider's pages, and the protocol endpoints that it answers itself. */
export function demoRoutes(app: FastifyInstance, demo: DemoProvider, { publicUrl }: OriginInit): void {
  const options = { helmet: DEMO_PAGE_POLICY, schema: { hide: true } }
  const html = 'text/html; charset=utf-8'

  app.get(`${DEMO_PATH}/style.css`, options, (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(STYLE)
  )

  app.get<Uid>(`${DEMO_PATH}/interaction/:uid`, options, async (request, reply) => {
    void reply.type(html).header('cache-control', 'no-store')
    const { uid } = request.params
    if (!(await demo.isUnderWay(request.raw, reply.raw, uid))) return reply.status(400).send(problemPage(GONE))
    return reply.send(loginPage(`${DEMO_PATH}/interaction/${uid}`))
  })

  void app.register(async forms => {
    forms.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
      async (_request: unknown, body: string | Buffer) => new URLSearchParams(String(body))
    )
    forms.post<Uid>(`${DEMO_PATH}/interaction/:uid`, options, async (request, reply) => {
      void reply.type(html).header('cache-control', 'no-store')
      const { uid } = request.params
      if (!(await demo.isUnderWay(request.raw, reply.raw, uid))) return reply.status(400).send(problemPage(GONE))
      const login = request.body instanceof URLSearchParams ? parseLogin(request.body.get('login')) : undefined
      if (login === undefined) {
        const problem = 'Please type a name of up to 64 letters, digits and . _ @ + -'
        return reply.status(400).send(loginPage(`${DEMO_PATH}/interaction/${uid}`, problem))
      }
      return reply.redirect(await demo.finish(request.raw, reply.raw, login), 303)
    })
  })

  void app.register(async protocol => {
    // oidc-provider reads bodies itself, within its own bounds.
    protocol.removeAllContentTypeParsers()
    protocol.addContentTypeParser('*', (_request, _payload, done) => done(null))
    protocol.all(`${DEMO_PATH}/*`, options, async (request, reply) => {
      // May refuse, which nobody could answer any more once the reply is taken over.
      const origin = originOf(request, publicUrl)
      reply.hijack()
      await demo.handle(request.raw, reply.raw, origin)
    })
  })
}

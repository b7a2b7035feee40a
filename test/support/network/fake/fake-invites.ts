import type { FastifyInstance } from 'fastify'
import type { Crypto } from '../../../../protocol/crypto/crypto.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import type { InviteServiceComponents } from '../../../../node/invites/invite-service.ts'
import { MemoryStore } from '../../chain/simulated-chain.ts'
import { silentLogger } from '../../silent-logger.ts'

export interface FakeInvitesInit {
  crypto: Crypto
  network: NetworkId
  publicUrl: string
  directory: InviteServiceComponents['directory']
}

/** The invitations of the nodes: the real routes and the real service, over a store in memory. Loaded when it is first asked. */
export class FakeInvites {
  readonly #init: FakeInvitesInit
  /** Sends the mails; undefined where none is configured. Set before the first question. */
  mailer: InviteServiceComponents['mailer']
  /** Added to the nodes' clock, milliseconds. */
  clockOffset = 0
  /** What happens to the next answer. */
  fateOfAnswer: 'arrives' | 'lost' = 'arrives'
  readonly store = new MemoryStore()
  #app: Promise<FastifyInstance> | undefined

  constructor(init: FakeInvitesInit) {
    this.#init = init
  }

  async answer(path: string, init: RequestInit = {}): Promise<Response> {
    const app = await (this.#app ??= this.#load())
    const { statusCode, body } = await app.inject({
      method: (init.method ?? 'GET') as 'GET' | 'POST',
      url: path,
      headers: init.headers as Record<string, string>,
      ...(init.body != null && { payload: typeof init.body === 'string' ? init.body : Buffer.from(init.body as never) })
    })
    if (this.fateOfAnswer === 'lost') {
      this.fateOfAnswer = 'arrives'
      throw new TypeError('fetch failed')
    }
    return new Response(statusCode === 204 ? null : body, { status: statusCode })
  }

  async #load(): Promise<FastifyInstance> {
    const [{ fastify }, { serializerCompiler, validatorCompiler }, { answerErrors }, routes, records, service] =
      await Promise.all([
        import('fastify'),
        import('fastify-type-provider-zod'),
        import('../../../../node/http/error-answers.ts'),
        import('../../../../node/http/invite-routes.ts'),
        import('../../../../node/invites/invite-records.ts'),
        import('../../../../node/invites/invite-service.ts')
      ])
    const { crypto, network, publicUrl, directory } = this.#init
    const invites = new service.InviteService(
      {
        crypto,
        clock: () => Date.now() + this.clockOffset,
        logger: silentLogger,
        records: new records.InviteRecords(this.store),
        directory,
        mailer: this.mailer
      },
      { network, publicUrl }
    )
    const app = fastify()
    app.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler)
    answerErrors(app, silentLogger)
    routes.inviteRoutes(app, invites)
    await app.ready()
    return app
  }
}

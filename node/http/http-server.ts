import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { answerClientError, answerErrors } from './error-answers.ts'
import { surviveAcceptErrors } from '../limits/accept-errors.ts'
import { PERMISSIONS_POLICY, securityHeaders } from './security-headers.ts'
import { refuseForeignNames } from './foreign-names.ts'
import { limitConnections } from './connection-limit.ts'
import type { Logger } from '../ports.ts'
import { addressKey } from '../limits/address-key.ts'

/** Largest request body, unless a route says otherwise. */
const MAX_BODY_BYTES = 16 * 1024
/** A client must have sent its headers, and its whole request, within these: slow senders hold nothing for long. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const TIMEOUT_CHECK_MS = 5_000
const KEEP_ALIVE_MS = 20_000
/** Requests in hand have this long to end once the server stops. */
const DRAIN_MS = 3_000

/** What {@link HttpServer} is told. */
export interface HttpServerInit {
  version: string
  /** Take client addresses and the protocol from `X-Forwarded-…`. */
  trustProxy: boolean
  /** API requests of one address in a minute. */
  requestsPerMinute: number
  /** People reach this node by https. */
  overTls: boolean
  /** Origins that the app may connect to. */
  epoch: () => Epoch
  /** Only this machine reaches this node, by names of its own; see {@link refuseForeignNames}. Default false. */
  loopbackOnly?: boolean
}

/** Adds routes to a part of the API. */
export type Routes = (app: FastifyInstance) => void | Promise<void>

/**
 * The public port: the app, the HTTP API, and the connections that turn into WebSockets, which belong to the network half
 * (it listens for `upgrade` on {@link server}).
 */
export class HttpServer {
  readonly #app: FastifyInstance
  readonly #init: HttpServerInit

  constructor(components: { logger: Logger }, init: HttpServerInit) {
    this.#init = init
    this.#app = fastify({
      // One hop: only what the nearest proxy saw is believed, not what a client wrote into the header before it.
      trustProxy: init.trustProxy && ((_address: string, hop: number) => hop < 1),
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
      forceCloseConnections: 'idle',
      return503OnClosing: false,
      clientErrorHandler: answerClientError,
      frameworkErrors: (_error, _request, reply) => {
        reply.raw.writeHead(400, { 'content-type': 'application/json' })
        reply.raw.end(JSON.stringify({ error: 'malformed', message: 'The address is malformed.' }))
      }
    })
    this.#app.setValidatorCompiler(validatorCompiler)
    this.#app.setSerializerCompiler(serializerCompiler)
    const log = components.logger.forComponent('volo:http-server')
    answerErrors(this.#app, log)
    surviveAcceptErrors(this.#app.server, log)
    if (!init.trustProxy) limitConnections(this.#app.server)
  }

  /** The underlying server, for WebSocket upgrades. */
  get server(): Server {
    return this.#app.server
  }

  /** Adds what holds for all routes. Call this, then the routes, before {@link listen}. */
  async prepare(): Promise<void> {
    if (this.#init.loopbackOnly) refuseForeignNames(this.#app)
    await this.#app.register(helmet, securityHeaders(this.#init.epoch, this.#init.overTls))
    this.#app.addHook('onRequest', async (_request, reply) => {
      void reply.header(PERMISSIONS_POLICY.name, PERMISSIONS_POLICY.value)
    })
    await this.#app.register(swagger, {
      openapi: {
        info: {
          title: 'Volo node',
          description: 'Sign-in, registration and directory reads. Messages travel over libp2p, not here.',
          version: this.#init.version
        }
      },
      transform: jsonSchemaTransform
    })
  }

  /** Routes outside the rate limit: health checks and the app's own files. */
  async addOpen(routes: Routes): Promise<void> {
    await this.#app.register(async app => routes(app))
  }

  /** Routes of the API: one address has a bounded share. */
  async addLimited(routes: Routes): Promise<void> {
    await this.#app.register(async app => {
      const keyGenerator = ({ ip }: FastifyRequest): string => addressKey(ip)
      await app.register(rateLimit, {
        max: this.#init.requestsPerMinute,
        timeWindow: 60_000,
        cache: 20_000,
        keyGenerator
      })
      await routes(app)
    })
  }

  /** The OpenAPI document of all routes. */
  openApi(): unknown {
    return this.#app.swagger()
  }

  /**
   * Starts to answer.
   * @returns the port.
   * @throws the system's error, such as `EADDRINUSE`.
   */
  async listen(host: string, port: number): Promise<number> {
    await this.#app.listen({ host, port, listenTextResolver: () => '' })
    return (this.#app.server.address() as AddressInfo).port
  }

  /** Takes nothing new, lets requests in hand end, and closes. Safe to call twice. */
  async stop(): Promise<void> {
    const cut = setTimeout(() => this.#app.server.closeAllConnections(), DRAIN_MS)
    try {
      await this.#app.close()
    } finally {
      clearTimeout(cut)
    }
  }
}

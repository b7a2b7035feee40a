import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { timingSafeEqual } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConfigError } from '../config/config-error.ts'
import type { NodeConfig } from '../config/config.ts'
import { peerErrorOf } from '../errors.ts'
import { surviveAcceptErrors } from '../limits/accept-errors.ts'
import { encodeParts, type BackupPart } from './backup/backup-parts.ts'
import type { Metrics } from './metrics.ts'
import type { OperatorDesk } from './operator-desk.ts'
import type { Logger } from '../ports.ts'

const HOST = '127.0.0.1'
const REQUEST_TIMEOUT_MS = 10_000
const MAX_BODY_BYTES = 64 * 1024
/** A backup whose reader takes nothing for so long is given up: its moment costs disk space. */
const BACKUP_STALL_MS = 60_000

/** What the server talks to. */
export interface AdminServerComponents {
  logger: Logger
  metrics: Metrics
  /** What `GET /status` shows. */
  status(): unknown
  /** What `GET /peers` and `GET /shards` show. */
  peers(): Promise<unknown>
  shards(): Promise<unknown>
  /** What people reported: only for the owner of the data folder. */
  reports(): Promise<unknown>
  /** Answers the operator's own commands. */
  desk: Pick<OperatorDesk, 'nodes' | 'account' | 'publish'>
  /** What a request must carry that copies secrets or ends the node; in `listening.json`, which only its owner reads. */
  secret: string
  /** All stores of one moment. */
  backup(): AsyncIterable<BackupPart>
  /** Begins to drain and end; the answer has been sent by then. */
  drain(): void
}

/** The administration port: on this machine only, and never on the public port. */
export class AdminServer {
  readonly #components: AdminServerComponents
  readonly #log: Logger
  readonly #server: Server
  #isBackingUp = false

  constructor(components: AdminServerComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:admin-server')
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#log.error('an administration request failed', { error })
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
    })
    surviveAcceptErrors(this.#server, this.#log)
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS
    this.#server.headersTimeout = REQUEST_TIMEOUT_MS
  }

  /**
   * Listens on the configured port; if that is the default one and taken, on a free one.
   * @returns the port.
   * @throws ConfigError if a port that the operator chose cannot be bound.
   */
  async listen({ adminPort, sources }: Pick<NodeConfig, 'adminPort' | 'sources'>): Promise<number> {
    try {
      return await this.#bind(adminPort)
    } catch (cause) {
      if (sources.adminPort === 'default') return this.#bind(0)
      const { code } = cause as NodeJS.ErrnoException
      throw new ConfigError(
        `The administration port ${adminPort} is not available (${code}): choose another with --admin-port.`,
        { cause }
      )
    }
  }

  #bind(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, HOST, () => resolve((this.#server.address() as AddressInfo).port))
    })
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page in a browser must not read this by a name of its own that resolves to this machine.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) {
      return send(response, 403, 'text/plain', 'only by a loopback name\n')
    }
    if (request.method === 'POST' && request.url === '/records') return this.#takeRecords(request, response)
    if (OWNER_PATHS.has(request.url ?? '')) return this.#answerOwner(request, response)
    if (request.method !== 'GET') return send(response, 405, 'text/plain', 'only GET\n')
    const account = /^\/accounts\/([0-9a-f]{32,64})$/.exec(request.url ?? '')?.[1]
    if (account) return sendJson(response, 200, this.#components.desk.account(account) ?? null)
    switch (request.url) {
      case '/metrics':
        return send(response, 200, this.#components.metrics.contentType, await this.#components.metrics.text())
      case '/status':
        return sendJson(response, 200, await this.#components.status())
      case '/peers':
        return sendJson(response, 200, await this.#components.peers())
      case '/shards':
        return sendJson(response, 200, await this.#components.shards())
      case '/nodes':
        return sendJson(response, 200, this.#components.desk.nodes())
      default:
        return send(response, 404, 'text/plain', '/metrics, /status, /peers, /shards or /nodes\n')
    }
  }

  /** What only the owner of the data folder may ask. */
  async #answerOwner(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { secret, drain } = this.#components
    const given = Buffer.from(request.headers.authorization ?? '')
    const wanted = Buffer.from(`Bearer ${secret}`)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      return send(response, 401, 'text/plain', 'the secret in listening.json is needed\n')
    }
    if (request.url === '/own') return send(response, 200, 'text/plain', 'yes\n')
    if (request.url === '/reports') return sendJson(response, 200, await this.#components.reports())
    if (request.method !== 'POST') return send(response, 405, 'text/plain', 'only POST\n')
    if (request.url === '/backup') return this.#sendBackup(response)
    response.once('finish', drain)
    sendJson(response, 200, {})
  }

  async #sendBackup(response: ServerResponse): Promise<void> {
    if (this.#isBackingUp) return send(response, 409, 'text/plain', 'another backup is being made\n')
    this.#isBackingUp = true
    try {
      response.setTimeout(BACKUP_STALL_MS, () => response.destroy())
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
      await pipeline(Readable.from(encodeParts(this.#components.backup()), { objectMode: false }), response)
    } catch (error) {
      // The reader sees a stream without its last part.
      this.#log.warn('a backup was cut short', { reason: String(error) })
    } finally {
      this.#isBackingUp = false
    }
  }

  /** Records of the operator; anybody's are checked alike, but this node pays for them, so no web page may hand in any. */
  async #takeRecords(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Browsers send this type to a foreign origin only after asking, and are refused above.
    if (request.headers['content-type'] !== 'application/json' || request.headers.origin !== undefined) {
      return send(response, 415, 'text/plain', 'only application/json, from no web page\n')
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) return send(response, 413, 'text/plain', `at most ${MAX_BODY_BYTES} bytes\n`)
      chunks.push(chunk)
    }
    try {
      await this.#components.desk.publish(Buffer.concat(chunks).toString('utf8'))
      sendJson(response, 200, {})
    } catch (error) {
      const { code, message } = peerErrorOf(error)
      if (code === 'internal') throw error
      sendJson(response, 400, { error: code, message })
    }
  }
}

/** Paths that need the secret. */
const OWNER_PATHS = new Set(['/own', '/reports', '/backup', '/drain'])

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', `${JSON.stringify(body, replacer, 2)}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  response.end(body)
}

/** Bytes as hex, amounts as text. */
function replacer(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return typeof value === 'bigint' ? String(value) : value
}

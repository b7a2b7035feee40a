/**
 * The devnet behind the Blockfrost API (https://docs.blockfrost.io), as far as Volo uses it, and its own switches under
 * `/devnet`. Listens on loopback only. Answers carry a header that names the chain for what it is.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProtocolError } from '../../protocol/errors.ts'
import { ChainError } from '../errors.ts'
import { SILENT_LOGGER, type Logger } from '../logger.ts'
import { errorAnswer, NOT_FOUND, type Answer } from './answer.ts'
import { DEVNET_LABEL, type Devnet } from './devnet.ts'
import { parseControl, spoilList, type HttpFault } from './controls.ts'
import { findRoute } from './routes.ts'

/** Longest request body: four times the longest transaction. */
export const MAX_BODY_BYTES = 64 * 1024
const REQUEST_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 256

const STATUS_TEXT: Record<number, string> = {
  402: 'Project Over Limit',
  403: 'Forbidden',
  418: 'Requested Banned',
  425: 'Mempool Full',
  429: 'Project Over Limit',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout'
}

export class DevnetHttpApi {
  readonly #devnet: Devnet
  readonly #logger: Logger
  readonly #server: Server
  #fault: HttpFault | undefined

  constructor(devnet: Devnet, logger: Logger = SILENT_LOGGER) {
    this.#devnet = devnet
    this.#logger = logger
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.#logger.error({ error }, 'a request to the devnet failed')
        response.destroy()
      })
    })
    // The system may fail to give a connection (EMFILE); an error without a listener would end the process.
    this.#server.on('error', error => this.#logger.warn({ error }, 'a connection to the devnet could not be accepted'))
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /** @param port - 0 for any free one. @returns the base URL. @throws when the port is taken. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer
    try {
      const url = urlOf(request)
      if (url === undefined) return send(response, errorAnswer(400, 'Bad Request', 'the address is malformed'))
      const body = await readBody(request)
      answer = body ? await this.#answer(request, url, body) : errorAnswer(413, 'Payload Too Large', 'body too long')
    } catch (error) {
      answer = this.#errorOf(error)
    }
    send(response, answer)
  }

  async #answer(request: IncomingMessage, url: URL, body: Uint8Array): Promise<Answer> {
    // A page in a browser must reach none of this, not even by a name that resolves to this machine.
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) {
      return errorAnswer(403, 'Forbidden', 'the devnet answers on loopback only')
    }
    const path = url.pathname.replace(/^\/api\/v0(?=\/|$)/, '').replace(/(.)\/$/, '$1') || '/'
    if (path === '/devnet' || path.startsWith('/devnet/')) return this.#control(request, path, body)
    const fault = this.#nextFault(path)
    if (fault?.latencyMs) await sleep(fault.latencyMs)
    if (fault?.status) return errorAnswer(fault.status, STATUS_TEXT[fault.status] ?? 'Error', 'fault made on purpose')
    const route = findRoute(request.method ?? 'GET', path)
    if (!route) return errorAnswer(400, 'Bad Request', 'Invalid path.')
    const answer = await route(this.#devnet, url.searchParams, body)
    const rows: unknown = answer.body
    return fault?.list && Array.isArray(rows) ? { ...answer, body: spoilList(rows as unknown[], fault.list) } : answer
  }

  async #control(request: IncomingMessage, path: string, body: Uint8Array): Promise<Answer> {
    if (request.method === 'GET' && path === '/devnet') return { status: 200, body: this.#describe() }
    const isJson = request.headers['content-type']?.startsWith('application/json') === true
    if (request.method !== 'POST' || !isJson) {
      return errorAnswer(400, 'Bad Request', 'controls are POSTed as application/json')
    }
    const control = parseControl(path, body)
    if (!control) return NOT_FOUND
    switch (control.kind) {
      case 'fund':
        return { status: 200, body: { tx_hash: await this.#devnet.fund(control.address, control.lovelace) } }
      case 'forge':
        return { status: 200, body: { hash: await this.#devnet.forge(control.blocks) } }
      case 'rollback':
        await this.#devnet.rollback(control.depth, { drop: control.drop })
        return { status: 200, body: this.#describe() }
      case 'faults':
        this.#fault = control.http
        Object.assign(this.#devnet.faults, control.chain)
        return { status: 200, body: this.#describe() }
    }
  }

  #describe(): object {
    const { tip, mempool, faults } = this.#devnet
    return {
      label: DEVNET_LABEL,
      height: tip.height,
      slot: tip.slot,
      hash: this.#devnet.chain.hashOf(tip),
      mempool: mempool.length,
      faults: { ...faults, ...this.#fault }
    }
  }

  /** The HTTP fault for a path, counted down. */
  #nextFault(path: string): HttpFault | undefined {
    const fault = this.#fault
    if (!fault || !path.startsWith(fault.path)) return undefined
    if (fault.count !== undefined && --fault.count <= 0) this.#fault = undefined
    return fault
  }

  #errorOf(error: unknown): Answer {
    if (error instanceof ChainError) {
      if (error.code === 'BUSY') return errorAnswer(425, 'Mempool Full', error.message)
      return errorAnswer(400, 'Bad Request', error.message)
    }
    if (error instanceof ProtocolError) return errorAnswer(400, 'Bad Request', error.message)
    this.#logger.error({ error }, 'the devnet failed to answer')
    return errorAnswer(500, 'Internal Server Error', 'the devnet failed to answer')
  }
}

/** The address that a request asks for; undefined for a target that is no URL, such as `//`. */
function urlOf({ url }: IncomingMessage): URL | undefined {
  const target = url ?? '/'
  return URL.canParse(target, 'http://devnet') ? new URL(target, 'http://devnet') : undefined
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json', 'x-volo-chain': DEVNET_LABEL })
  response.end(JSON.stringify(body))
}

/** @returns `undefined` for a body past {@link MAX_BODY_BYTES}; the rest of it is not read. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

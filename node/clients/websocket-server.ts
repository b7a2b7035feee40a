/**
 * The public port's WebSockets: upgrade requests of the shared HTTP server become libp2p connections. `ws` speaks the
 * WebSocket protocol; @libp2p/websockets would listen on a port of its own, and cannot make a sender wait.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  transportSymbol,
  TypedEventEmitter,
  type ComponentLogger,
  type Connection,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type Transport,
  type Upgrader
} from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { WebSocketServer as UpgradeServer, type WebSocket } from 'ws'
import type { Admission, ConnectionManager } from './connection-manager.ts'
import { NodeError } from '../errors.ts'
import type { Logger } from '../ports.ts'

/** One WebSocket message at most; libp2p's own are below 66 KiB. */
const MAX_MESSAGE_BYTES = 512 * 1024
/** Bytes in a socket's buffer from which writers wait. */
const HIGH_WATER_BYTES = 512 * 1024
/** A connection without an authenticated device is closed after this time, whatever it is busy with. */
const UNPROVEN_TIMEOUT_MS = 10_000
/** Where clients' connections come from is not kept: all have one address. */
const CLIENT_ADDRESS = multiaddr('/ip4/0.0.0.0/tcp/0/ws')

type WriteList = Parameters<AbstractMultiaddrConnection['sendData']>[0]

/** A WebSocket as libp2p sees it. */
class WebSocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: WebSocket

  constructor(socket: WebSocket, raw: Duplex, logger: ComponentLogger) {
    super({ remoteAddr: CLIENT_ADDRESS, direction: 'inbound', log: logger.forComponent('volo:websocket') })
    this.#socket = socket
    socket.on('message', data => this.onData(data))
    // The peer causes these errors; the close that follows ends the connection.
    socket.on('error', () => undefined)
    socket.on('close', code => (code === 1006 ? this.onRemoteReset() : this.onTransportClosed()))
    raw.on('drain', () => {
      if (this.writableNeedsDrain) this.safeDispatchEvent('drain')
    })
  }

  override sendData(data: WriteList): SendResult {
    const bytes = data.subarray()
    this.#socket.send(bytes, { binary: true }, error => {
      if (error) this.abort(error)
    })
    return { sentBytes: bytes.length, canSendMore: this.#socket.bufferedAmount < HIGH_WATER_BYTES }
  }

  override sendReset(): void {
    this.#socket.terminate()
  }

  override async sendClose(): Promise<void> {
    this.#socket.close(1000)
  }

  override sendPause(): void {
    this.#socket.pause()
  }

  override sendResume(): void {
    this.#socket.resume()
  }
}

/** libp2p's listener. It listens to the HTTP server, which the node itself opens and closes. */
class UpgradeListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  #address: Multiaddr | undefined

  async listen(address: Multiaddr): Promise<void> {
    this.#address = address
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    return this.#address === undefined ? [] : [this.#address]
  }

  async close(): Promise<void> {
    this.#address = undefined
    this.safeDispatchEvent('close')
  }

  updateAnnounceAddrs(): void {}
}

export interface WebSocketServerComponents {
  httpServer: Server
  connectionManager: ConnectionManager
  logger: Logger
}

export interface WebSocketServerInit {
  /** Take the client's address from `X-Forwarded-For`. */
  trustForwardedFor: boolean
}

/** Address that the client host "listens" on, for libp2p's configuration only. */
export const CLIENT_LISTEN_ADDRESS = CLIENT_ADDRESS.toString()

export class WebSocketServer {
  readonly #components: WebSocketServerComponents
  readonly #log: Logger
  readonly #trustForwardedFor: boolean
  readonly #upgrades = new UpgradeServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    skipUTF8Validation: true
  })
  /** Every socket of an upgrade request, accepted or refused: the HTTP server no longer counts or closes these. */
  readonly #sockets = new Set<Duplex>()
  /** By the one object that a socket's connection and libp2p's connection on top of it share. */
  readonly #admissions = new WeakMap<object, Admission>()
  readonly #open = new Set<WebSocketConnection>()
  #upgrader: Upgrader | undefined
  #libp2pLogger: ComponentLogger | undefined
  #stopping = new AbortController()
  #isRefusing = false

  constructor(components: WebSocketServerComponents, init: WebSocketServerInit) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:websocket-server')
    this.#trustForwardedFor = init.trustForwardedFor
  }

  /** The transport for the client host's configuration. */
  transport(): (components: { logger: ComponentLogger }) => Transport {
    return ({ logger }) => {
      this.#libp2pLogger = logger
      return {
        [Symbol.toStringTag]: 'volo-websocket-server',
        [transportSymbol]: true,
        dial: () => Promise.reject(new Error('clients are never dialled')),
        createListener: ({ upgrader }: CreateListenerOptions) => {
          this.#upgrader = upgrader
          return new UpgradeListener()
        },
        listenFilter: addresses => addresses,
        dialFilter: () => []
      }
    }
  }

  /** Begins to take upgrade requests. */
  start(): void {
    this.#stopping = new AbortController()
    this.#isRefusing = false
    this.#components.httpServer.on('upgrade', this.#onUpgrade)
  }

  /** Sends new clients away while those that are here are served to the end. */
  refuseNew(): void {
    this.#isRefusing = true
  }

  /** Takes no more requests and cuts all sockets that are still open, so that the HTTP server can close at once. */
  stop(): void {
    this.#components.httpServer.off('upgrade', this.#onUpgrade)
    this.#stopping.abort()
    for (const connection of this.#open) connection.abort(new NodeError('busy', 'the node is stopping'))
    this.#open.clear()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** The admission of a libp2p connection, for the session on it. */
  admissionOf(connection: Connection): Admission | undefined {
    return this.#admissions.get(connection.timeline)
  }

  /** Takes any request that asks for an upgrade, from anybody: whatever it holds, only its own socket pays for it. */
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    try {
      this.#upgrade(request, socket, head)
    } catch (error) {
      this.#log.error('an upgrade request could not be handled', { reason: String(error) })
      socket.destroy()
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { connectionManager } = this.#components
    if (this.#isRefusing) return refuse(socket, '503 Service Unavailable')
    const address = this.#addressOf(request)
    if (pathOf(request) !== '/') {
      // A refused request counts as one connection, so that an address cannot ask without end.
      return refuse(socket, connectionManager.refuse(address) ? '404 Not Found' : '429 Too Many Requests')
    }
    const admission = connectionManager.admit(address)
    if (admission === undefined) return refuse(socket, '429 Too Many Requests')
    socket.once('close', () => admission.release())
    this.#upgrades.handleUpgrade(request, socket, head, webSocket => {
      this.#accept(webSocket, socket, admission).catch((error: Error) => {
        this.#log.debug('a client connection was not upgraded', { reason: error.message })
        webSocket.terminate()
      })
    })
  }

  async #accept(webSocket: WebSocket, socket: Duplex, admission: Admission): Promise<void> {
    const connection = new WebSocketConnection(webSocket, socket, this.#libp2pLogger!)
    this.#open.add(connection)
    const unproven = setTimeout(
      () => connection.abort(new NodeError('busy', 'no device was proven')),
      UNPROVEN_TIMEOUT_MS
    )
    connection.addEventListener('close', () => {
      clearTimeout(unproven)
      this.#open.delete(connection)
    })
    const proven = (): void => {
      clearTimeout(unproven)
      admission.proven()
    }
    this.#admissions.set(connection.timeline, { ...admission, proven })
    await this.#upgrader!.upgradeInbound(connection, { signal: this.#stopping.signal })
  }

  #addressOf(request: IncomingMessage): string {
    const forwarded = this.#trustForwardedFor ? request.headers['x-forwarded-for'] : undefined
    // The last entry is the one that our own proxy added; those before it are the client's claims.
    const address = String(forwarded ?? '')
      .split(',')
      .at(-1)!
      .trim()
    return address || (request.socket.remoteAddress ?? 'unknown')
  }
}

/** Path of a request, as it was sent: a target that is no URL must not throw. */
function pathOf({ url }: IncomingMessage): string {
  return (url ?? '').split('?', 1)[0]!
}

/** Answers and closes the socket, whether or not the client closes its side. */
function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

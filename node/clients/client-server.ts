import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { PEER_PROTOCOL } from '../../protocol/wire/peer-frames.ts'
import { nodeKeyOf } from '../network/libp2p-host.ts'
import { PeerSession, type PeerSessionComponents } from './peer-session.ts'
import type { WebSocketServer } from './websocket-server.ts'

/** How often sessions are looked through for silent clients and removed devices. */
const SWEEP_INTERVAL_MS = 15_000
/** Requests in hand have this long when the node stops: the whole stop must end within ten seconds. */
const DRAIN_MS = 4_000

/** The clients' side of the node: a session for every stream, and their end. */
export class ClientServer {
  readonly #host: Libp2p
  readonly #webSockets: WebSocketServer
  readonly #components: PeerSessionComponents
  readonly #sessions = new Set<PeerSession>()
  #timer: NodeJS.Timeout | undefined

  constructor(host: Libp2p, webSockets: WebSocketServer, components: PeerSessionComponents) {
    this.#host = host
    this.#webSockets = webSockets
    this.#components = components
  }

  async start(): Promise<void> {
    await this.#host.start()
    await this.#host.handle(PEER_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: 1,
      maxOutboundStreams: 0
    })
    this.#components.view.onChange(() => this.#announceEpoch())
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_INTERVAL_MS)
    this.#webSockets.start()
  }

  /** Takes no new clients, finishes what those there asked for, and sends them to other nodes. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#webSockets.refuseNew()
    await Promise.all([...this.#sessions].map(session => session.drain(DRAIN_MS)))
    this.#webSockets.stop()
    await this.#host.stop()
  }

  async #onStream(stream: Stream, connection: Connection): Promise<void> {
    const admission = this.#webSockets.admissionOf(connection)
    const session = new PeerSession(this.#components, stream, nodeKeyOf(connection.remotePeer), admission)
    this.#sessions.add(session)
    await session.run()
    this.#sessions.delete(session)
    // The stream was all the connection was for.
    await connection.close({ signal: AbortSignal.timeout(1_000) }).catch((error: Error) => connection.abort(error))
  }

  #announceEpoch(): void {
    const { view } = this.#components
    for (const session of this.#sessions) {
      session.announceEpoch()
      const mailbox = session.device?.deviceId
      if (mailbox && this.#components.delivery.isAttached(mailbox) && !view.keeps(view.shardOf(mailbox))) {
        session.end('not-a-replica', `other nodes keep this mailbox in epoch ${view.current.number}`)
      }
    }
  }

  async #sweep(): Promise<void> {
    for (const session of [...this.#sessions]) {
      if (session.isSilent) session.end('refused', 'nothing was heard for too long')
      const { device } = session
      if (device === undefined) continue
      const known = await this.#components.directory.device(device.deviceId).catch(() => undefined)
      if (known?.state === 'revoked') session.end('device-revoked', 'this device was removed from its account')
    }
  }
}

import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { equalBytes } from '../../protocol/bytes.ts'
import type { Random } from '../../protocol/crypto/crypto.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { NODE_PROTOCOL } from '../../protocol/wire/node-frames.ts'
import type { ListedNode, NodeKey } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import { NodeError } from '../errors.ts'
import { nodeKeyOf, peerIdOf, type NodeHost } from './libp2p-host.ts'
import { LinkContests } from './link-contests.ts'
import type { NetworkView } from './network-view.ts'
import { NodeLink, type LinkAnswer, type LinkHandlers, type LinkNotice, type LinkRequest } from './node-link.ts'
import type { Logger } from '../ports.ts'

/** One dial, with its handshakes and the first frames both ways. */
const DIAL_TIMEOUT_MS = 5_000
/** First and longest wait before a listed node is dialled again; a restarted node should be back within a second. */
const REDIAL_FIRST_MS = 100
const REDIAL_MAX_MS = 1_000
/** From this many failures in a row on, a node counts as away and is dialled less often. */
const REDIAL_PATIENCE = 60
const REDIAL_AWAY_MS = 5_000

export interface NodeLinksComponents {
  host: NodeHost
  view: NetworkView
  network: NetworkId
  logger: Logger
  random: Random
}

interface Redial {
  attempts: number
  timer: NodeJS.Timeout | undefined
}

/**
 * The streams to all other listed nodes. The node with the lower key dials and opens the one stream of a pair; both ask
 * and answer on it. libp2p's own reconnecting is not used: it gives up.
 */
export class NodeLinks {
  readonly #components: NodeLinksComponents
  readonly #log: Logger
  readonly #links = new Map<string, NodeLink>()
  readonly #redials = new Map<string, Redial>()
  readonly #contests = new LinkContests(() => performance.now())
  readonly #onUp = new Set<(node: ListedNode) => void>()
  #handlers: LinkHandlers | undefined
  #running = false

  constructor(components: NodeLinksComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:node-links')
  }

  /** Sets who answers other nodes; before {@link start}. */
  serve(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  /** Calls back whenever a link to a node is usable. */
  onUp(listener: (node: ListedNode) => void): void {
    this.#onUp.add(listener)
  }

  async start(): Promise<void> {
    this.#running = true
    const { host, view } = this.#components
    await host.handle(NODE_PROTOCOL, (stream, connection) => this.#onStream(stream, connection.remotePeer), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2
    })
    view.onChange(() => this.#follow())
    this.#follow()
  }

  async stop(): Promise<void> {
    this.#running = false
    for (const redial of this.#redials.values()) clearTimeout(redial.timer)
    this.#redials.clear()
    for (const link of this.#links.values()) link.end(new NodeError('unreachable', 'this node is stopping'))
    await this.#components.host.unhandle(NODE_PROTOCOL)
  }

  isUp(node: Uint8Array): boolean {
    return this.#links.get(byteKey(node))?.isUp ?? false
  }

  /** Listed nodes whose key two processes seem to use at once, see {@link LinkContests}. */
  contested(): ListedNode[] {
    return this.#components.view.others.filter(node => this.#contests.isContested(byteKey(node.key)))
  }

  get upCount(): number {
    return [...this.#links.values()].filter(link => link.isUp).length
  }

  /**
   * Asks a node.
   * @throws NodeError `unreachable` without a link or an answer in time; what the node said if it refused.
   */
  async request<R extends LinkRequest['kind']>(
    node: Uint8Array,
    frame: Extract<LinkRequest, { kind: R }>,
    timeoutMs?: number
  ): Promise<LinkAnswer<R>> {
    const link = this.#links.get(byteKey(node))
    if (!link?.isUp) throw new NodeError('unreachable', 'no link to that node')
    return link.request(frame, timeoutMs)
  }

  /** Tells a node something without waiting for an answer. @returns false without a link. */
  notify(node: Uint8Array, frame: LinkNotice): boolean {
    return this.#links.get(byteKey(node))?.notify(frame) ?? false
  }

  /** Closes a node's connections and dials it again, because it is connected but hears nothing. */
  async reset(node: ListedNode): Promise<void> {
    this.#log.warn('a connected node is silent: dialling it again', { node: node.url })
    this.#links.get(byteKey(node.key))?.end(new NodeError('unreachable', 'the node is silent'))
    await this.#components.host.hangUp(peerIdOf(node.key)).catch(() => undefined)
  }

  /** Dials what is newly listed and drops what no longer is. */
  #follow(): void {
    if (!this.#running) return
    const { view } = this.#components
    const listed = new Set(view.others.map(node => byteKey(node.key)))
    for (const [key, link] of this.#links) {
      if (!listed.has(key)) link.end(new NodeError('not-listed', 'the node is no longer listed'))
    }
    for (const node of view.others) {
      if (view.isDialer(node.key) && !this.#redials.has(byteKey(node.key))) this.#dialSoon(node, 0)
    }
  }

  #dialSoon(node: ListedNode, attempts: number): void {
    const key = byteKey(node.key)
    clearTimeout(this.#redials.get(key)?.timer)
    const { view, random } = this.#components
    if (!this.#running || view.listed(node.key) === undefined || !view.isDialer(node.key)) {
      this.#redials.delete(key)
      return
    }
    const longest = attempts > REDIAL_PATIENCE ? REDIAL_AWAY_MS : REDIAL_MAX_MS
    const wait = attempts === 0 ? 0 : Math.min(longest, REDIAL_FIRST_MS * 2 ** Math.min(attempts, 10))
    const jitter = 0.5 + random(1)[0]! / 512
    const timer = setTimeout(() => {
      const listed = view.listed(node.key)
      // It may have left the list meanwhile; back on it, it is dialled again.
      if (listed) void this.#dial(listed, attempts)
      else this.#redials.delete(key)
    }, wait * jitter)
    this.#redials.set(key, { attempts, timer })
  }

  async #dial(node: ListedNode, attempts: number): Promise<void> {
    const { host } = this.#components
    if (this.isUp(node.key)) return
    const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS)
    try {
      const connection = await this.#connect(node, signal)
      const stream = await connection.newStream(NODE_PROTOCOL, { signal, maxOutboundStreams: 2 })
      const link = this.#adopt(node, stream)
      await link.whenUp(signal)
    } catch (error) {
      if (attempts === 3) this.#log.warn('a listed node does not answer', { node: node.url, reason: reasonOf(error) })
      // The other side may have opened a link meanwhile.
      if (this.isUp(node.key)) return
      // A connection without a working stream would be found again by the next dial.
      await host.hangUp(peerIdOf(node.key)).catch(() => undefined)
      this.#dialSoon(node, attempts + 1)
    }
  }

  #connect(node: ListedNode, signal: AbortSignal): Promise<Connection> {
    const address = multiaddr(node.link).encapsulate(`/p2p/${peerIdOf(node.key).toString()}`)
    return this.#components.host.dial(address, { signal })
  }

  async #onStream(stream: Stream, peer: PeerId): Promise<void> {
    const key = nodeKeyOf(peer)
    const node = key && this.#components.view.listed(key)
    if (!this.#running || node === undefined) {
      stream.abort(new NodeError('not-listed', 'only listed nodes are answered'))
      return
    }
    this.#adopt(node, stream)
  }

  /** Makes a stream the node's link; an older one ends. */
  #adopt(node: ListedNode, stream: Stream): NodeLink {
    const key = byteKey(node.key)
    const { network, view } = this.#components
    const older = this.#links.get(key)
    const link = new NodeLink(
      stream,
      this.#handlers!,
      { key: node.key, network, epoch: view.current.number },
      { onUp: () => this.#up(node), onEnd: error => this.#ended(node, link, error) }
    )
    if (older?.isUp) this.#contests.note(key)
    // The newer link is set first: the end of the older one must not be taken for the loss of the link.
    this.#links.set(key, link)
    older?.end(new NodeError('unreachable', 'there is a newer link'))
    link.open()
    return link
  }

  #up(node: ListedNode): void {
    this.#log.info('linked', { node: node.url })
    const redial = this.#redials.get(byteKey(node.key))
    if (redial) redial.attempts = 0
    for (const listener of this.#onUp) listener(node)
  }

  #ended(node: ListedNode, link: NodeLink, error: Error): void {
    const key = byteKey(node.key)
    const current = this.#links.get(key) === link
    if (current) this.#links.delete(key)
    if (!current || !link.wasUp) return
    this.#log.warn('link lost', { node: node.url, reason: error.message })
    if (this.#running && this.#components.view.isDialer(node.key)) this.#dialSoon(node, 1)
  }
}

/** The key of the node behind a peer, if it is listed. */
export function listedKeyOf(view: NetworkView, peer: PeerId): NodeKey | undefined {
  const key = nodeKeyOf(peer)
  return key !== undefined && view.listed(key) !== undefined && !equalBytes(key, view.nodeKey) ? key : undefined
}

const reasonOf = (error: unknown): string => (error as { message?: string }).message ?? String(error)

/** A node's key in the wrong hands: speaks libp2p and gossipsub, and says what it likes. */
import type { PeerId, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { lpStream } from '@libp2p/utils'
import {
  NODE_PROTOCOL,
  encodeNodeLinkFrame,
  decodeNodeLinkFrame,
  type NodeLinkFrame
} from '../../../../protocol/wire/node-frames.ts'
import { gossipOptions } from '../../../../node/network/gossip.ts'
import { createNodeHost, libp2pKeyOf, peerIdOf, type NodeHost } from '../../../../node/network/libp2p-host.ts'
import { crypto, genesis, network } from './fixtures.ts'
import type { TestNode } from './test-network.ts'
import { eventually } from '../../wait-for.ts'

interface Link {
  /** Peer id of the node at the other end. */
  peer: string
  frames: ReturnType<typeof lpStream>
}

const LINK_ATTEMPTS = 5

/** What nodes ask each other. */
const REQUESTS: ReadonlySet<NodeLinkFrame['kind']> = new Set([
  'hello',
  'batch',
  'have',
  'acknowledge',
  'evict',
  'news',
  'fetch',
  'digests',
  'states',
  'why',
  'putBundle',
  'getBundles',
  'putToken',
  'getToken'
])

export class AdversaryNode {
  readonly host: NodeHost
  readonly frames: NodeLinkFrame[] = []
  /** Answers what an honest node asks, on the stream on which it was asked. */
  onFrame: (frame: NodeLinkFrame, answer: (said: NodeLinkFrame) => Promise<void>) => Promise<void> = async () =>
    undefined
  /** Streams that are not known to have ended; the newest last. */
  #links: Link[] = []
  #isStopped = false

  private constructor(host: NodeHost) {
    this.host = host
  }

  /** @param seed - of a listed node's key, or of a key on no list. */
  static async start(seed: Uint8Array): Promise<AdversaryNode> {
    const { publicKey } = await crypto.signingKeyFromSeed(seed)
    const host = await createNodeHost({
      privateKey: libp2pKeyOf(seed, publicKey),
      listen: '/ip4/127.0.0.1/tcp/0',
      isListed: () => true,
      gossip: gossipOptions(genesis.shardCount)
    })
    const adversary = new AdversaryNode(host)
    await host.start()
    // An honest node of the lower key dials and opens the stream itself.
    await host.handle(NODE_PROTOCOL, (stream, connection) => adversary.#adopt(stream, connection.remotePeer, {}))
    return adversary
  }

  async dial(node: TestNode): Promise<void> {
    const address = `${node.listed.link}/p2p/${peerIdOf(node.listed.key).toString()}`
    await this.host.dial(multiaddr(address), { signal: AbortSignal.timeout(3_000) })
  }

  isConnectedTo(node: TestNode): boolean {
    return this.host.getConnections(peerIdOf(node.listed.key)).some(connection => connection.status === 'open')
  }

  hears(node: TestNode, topic: string): boolean {
    const peer = peerIdOf(node.listed.key)
    return this.host.services.gossip.getSubscribers(topic).some(subscriber => subscriber.equals(peer))
  }

  /** Resolves once it hears the topics of a node, which may close one of two connections that were made at once. */
  async meet(node: TestNode, topics: string[]): Promise<void> {
    await eventually(async () => {
      if (!this.isConnectedTo(node)) await this.dial(node).catch(() => undefined)
      return topics.every(topic => this.hears(node, topic))
    })
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    await this.host.services.gossip.publish(topic, data)
  }

  /** Opens the link's stream and says hello; again if the other side closed the stream in favour of one of its own. */
  async link(node: TestNode, change: { network?: Uint8Array; version?: number } = {}): Promise<Stream> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#open(node, change)
      } catch (error) {
        if (Object.keys(change).length > 0 || attempt === LINK_ATTEMPTS) throw error
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }

  async #open(node: TestNode, change: { network?: Uint8Array; version?: number }): Promise<Stream> {
    await this.dial(node)
    const [connection] = this.host.getConnections(peerIdOf(node.listed.key))
    if (!connection) throw new Error('the connection was closed')
    const stream = await connection.newStream(NODE_PROTOCOL)
    await this.#adopt(stream, connection.remotePeer, change)
    return stream
  }

  /**
   * Asks a node until it answers. An honest node closes a stream in favour of a newer one, and a connection when a dial of
   * its own failed: what was asked there is asked again.
   */
  async ask(node: TestNode, frame: NodeLinkFrame): Promise<NodeLinkFrame> {
    while (this.answerTo(frame.request) === undefined) {
      const link =
        this.#linkTo(node) ??
        (await this.link(node).then(
          () => this.#linkTo(node),
          () => undefined
        ))
      if (!link) continue
      await this.#write(link, encodeNodeLinkFrame(frame)).catch(() => undefined)
      await eventually(() => this.answerTo(frame.request) !== undefined || !this.#links.includes(link))
    }
    return this.answerTo(frame.request)!
  }

  /** Opens a stream to a node, and again whenever the last one ends. */
  stayLinked(node: TestNode): void {
    const stay = async () => {
      while (!this.#isStopped) {
        if (!this.#linkTo(node)) await this.link(node).catch(() => undefined)
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
    void stay()
  }

  /** Sends on the newest stream. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    const link = this.#links.at(-1)
    if (!link) throw new Error('the adversary has no stream')
    await this.#write(link, bytes)
  }

  async #adopt(stream: Stream, peer: PeerId, change: { network?: Uint8Array; version?: number }): Promise<void> {
    const link = { peer: peer.toString(), frames: lpStream(stream, { maxDataLength: 4 * 1024 * 1024 }) }
    this.#links.push(link)
    void this.#read(link)
    const hello = { version: change.version ?? 1, network: change.network ?? network, epoch: 0 }
    await this.#write(link, encodeNodeLinkFrame({ kind: 'hello', request: 0, ...hello }))
  }

  async #write(link: Link, bytes: Uint8Array): Promise<void> {
    try {
      await link.frames.write(bytes)
    } catch (error) {
      this.#forget(link)
      throw error
    }
  }

  #linkTo(node: TestNode): Link | undefined {
    const peer = peerIdOf(node.listed.key).toString()
    return this.#links.findLast(link => link.peer === peer)
  }

  #forget(link: Link): void {
    this.#links = this.#links.filter(other => other !== link)
  }

  /** What a node answered to a request; nodes number requests of their own as well, which are not answers. */
  answerTo(request: number): NodeLinkFrame | undefined {
    return this.frames.find(frame => frame.request === request && !REQUESTS.has(frame.kind))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.host.stop()
  }

  async #read(link: Link): Promise<void> {
    try {
      for (;;) {
        const frame = decodeNodeLinkFrame((await link.frames.read()).subarray())
        this.frames.push(frame)
        await this.onFrame(frame, said => this.#write(link, encodeNodeLinkFrame(said)))
      }
    } catch {
      this.#forget(link)
    }
  }
}

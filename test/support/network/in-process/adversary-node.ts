/** A node's key in the wrong hands: speaks libp2p and gossipsub, and says what it likes. */
import type { Stream } from '@libp2p/interface'
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
  /** Answers what an honest node asks. */
  onFrame: (frame: NodeLinkFrame) => Promise<void> = async () => undefined
  #link: ReturnType<typeof lpStream> | undefined
  /** The stream before {@link #link}. */
  #other: ReturnType<typeof lpStream> | undefined

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
    await host.handle(NODE_PROTOCOL, stream => adversary.#adopt(stream, {}))
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

  /** Opens the link's stream and says hello. */
  async link(node: TestNode, change: { network?: Uint8Array; version?: number } = {}): Promise<Stream> {
    await this.dial(node)
    const [connection] = this.host.getConnections(peerIdOf(node.listed.key))
    const stream = await connection!.newStream(NODE_PROTOCOL)
    await this.#adopt(stream, change)
    return stream
  }

  async #adopt(stream: Stream, change: { network?: Uint8Array; version?: number }): Promise<void> {
    const before = (this.#other = this.#link)
    this.#link = lpStream(stream, { maxDataLength: 4 * 1024 * 1024 })
    void this.#read(this.#link)
    const { version = 1 } = change
    try {
      await this.send({ kind: 'hello', request: 0, version, network: change.network ?? network, epoch: 0 })
    } catch (error) {
      // The other side has closed this stream in favour of its own.
      this.#link = before
      throw error
    }
  }

  async send(frame: NodeLinkFrame): Promise<void> {
    await this.sendBytes(encodeNodeLinkFrame(frame))
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    try {
      await this.#link!.write(bytes)
    } catch (error) {
      // Of two streams that were opened at once, the other side keeps one.
      if (!this.#other) throw error
      this.#link = this.#other
      this.#other = undefined
      await this.#link.write(bytes)
    }
  }

  /** What a node answered to a request; nodes number requests of their own as well, which are not answers. */
  answerTo(request: number): NodeLinkFrame | undefined {
    return this.frames.find(frame => frame.request === request && !REQUESTS.has(frame.kind))
  }

  async stop(): Promise<void> {
    await this.host.stop()
  }

  async #read(link: ReturnType<typeof lpStream>): Promise<void> {
    try {
      for (;;) {
        const frame = decodeNodeLinkFrame((await link.read()).subarray())
        this.frames.push(frame)
        await this.onFrame(frame)
      }
    } catch {
      return
    }
  }
}

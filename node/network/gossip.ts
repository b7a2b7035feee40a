import { createHash } from 'node:crypto'
import { TopicValidatorResult, type GossipSub, type GossipsubOpts, type Message } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import {
  MAX_GOSSIPED_RECORDS,
  MAX_BATCH_MESSAGE_BYTES,
  NODES_TOPIC,
  RECORDS_TOPIC,
  shardTopic
} from '../../protocol/wire/node-frames.ts'
import { MAX_RECORD_BYTES } from '../../protocol/limits.ts'
import type { ListedNode, NodeKey } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import type { BanList } from './ban-list.ts'
import { nodeKeyOf, peerIdOf, type NodeHost } from './libp2p-host.ts'
import type { NetworkView } from './network-view.ts'
import type { Logger } from '../ports.ts'

/** Below it a peer is hung up on and kept out for a while, see {@link BanList}. */
const GRAYLIST_SCORE = -80
/** Each provably bad message costs its square times this. */
const INVALID_MESSAGE_WEIGHT = -20
/** How often scores are looked at. */
const SCORE_CHECK_MS = 250
/** gossipsub buffers without bound otherwise; a peer that is so far behind is cut off and repaired later. */
const MAX_OUTBOUND_BYTES = 16 * 1024 * 1024
/** Longest message per topic, checked before anything is decoded. */
const MAX_HEARTBEAT_BYTES = 256
const MAX_RECORDS_BYTES = MAX_GOSSIPED_RECORDS * (MAX_RECORD_BYTES + 4) + 16

/** What a handler makes of a message: `reject` is a provable fault of the sender, `ignore` is no fault. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** Takes what comes on the topics. Each is called before the message counts as good. */
export interface GossipHandlers {
  onBatch(data: Uint8Array, shard: number, from: NodeKey): Promise<Verdict>
  onHeartbeat(data: Uint8Array, from: NodeKey): Promise<Verdict>
  onRecords(data: Uint8Array, from: NodeKey): Promise<Verdict>
}

export interface GossipComponents {
  view: NetworkView
  logger: Logger
  /** Milliseconds of a clock that never goes back. */
  now: () => number
}

/** Options of gossipsub for this network; every one that is not a default says why. */
export function gossipOptions(shardCount: number): Partial<GossipsubOpts> {
  const topics = topicsOf(shardCount)
  return {
    // Messages carry their own signatures; gossipsub's would cost more than twice the time (measured).
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: message => createHash('sha256').update(message.data).digest().subarray(0, 20),
    allowedTopics: topics,
    fallbackToFloodsub: false,
    emitSelf: false,
    doPX: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    batchPublish: true,
    // The topic of a replica set has these nodes as only subscribers, and the origin reaches each directly: one copy each, no mesh.
    floodPublish: true,
    D: 0,
    Dlo: 0,
    Dhi: 0,
    Dout: 0,
    Dscore: 0,
    // Never below 4 MiB: one larger frame makes a receiver deaf to its sender for good, without an error (measured).
    maxInboundDataLength: 4 * 1024 * 1024,
    maxOutboundBufferSize: MAX_OUTBOUND_BYTES,
    decodeRpcLimits: {
      maxSubscriptions: topics.length + 8,
      maxMessages: 256,
      maxIhaveMessageIDs: 5000,
      maxIwantMessageIDs: 5000,
      maxControlMessages: 2 * topics.length,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 0
    },
    scoreThresholds: {
      gossipThreshold: GRAYLIST_SCORE / 4,
      publishThreshold: GRAYLIST_SCORE / 2,
      graylistThreshold: GRAYLIST_SCORE,
      acceptPXThreshold: 1000,
      opportunisticGraftThreshold: 1
    },
    scoreParams: {
      // Nodes of one test, or behind one proxy, share an address; only listed nodes are here anyway.
      IPColocationFactorWeight: 0,
      topics: Object.fromEntries(topics.map(topic => [topic, TOPIC_SCORE]))
    }
  }
}

/** Only provable faults count: shards may be silent for hours, so nothing is expected of anybody. */
const TOPIC_SCORE = {
  topicWeight: 1,
  timeInMeshWeight: 0,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 1,
  firstMessageDeliveriesWeight: 0,
  firstMessageDeliveriesDecay: 0.5,
  firstMessageDeliveriesCap: 1,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 1000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: INVALID_MESSAGE_WEIGHT,
  invalidMessageDeliveriesDecay: 0.9
}

function topicsOf(shardCount: number): string[] {
  return [NODES_TOPIC, RECORDS_TOPIC, ...Array.from({ length: shardCount }, (_, shard) => shardTopic(shard))]
}

/** Fixed topics between listed nodes: batches per replica set, heartbeats, records. What is lost here, streams bring. */
export class Gossip {
  readonly #host: NodeHost
  readonly #components: GossipComponents
  readonly #bans: BanList
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  /** Messages that came, and those among them that were provably bad. */
  received = 0
  rejected = 0

  constructor(host: NodeHost, bans: BanList, components: GossipComponents) {
    this.#host = host
    this.#bans = bans
    this.#components = components
    this.#log = components.logger.forComponent('volo:gossip')
  }

  /** Sets the validators and subscribes to the topics of this node; after the host has started. */
  start(handlers: GossipHandlers): void {
    const { view } = this.#components
    const { topicValidators } = this.#gossip
    const maxBatch = MAX_BATCH_MESSAGE_BYTES
    topicValidators.set(
      NODES_TOPIC,
      this.#validator(MAX_HEARTBEAT_BYTES, (data, from) => handlers.onHeartbeat(data, from))
    )
    topicValidators.set(
      RECORDS_TOPIC,
      this.#validator(MAX_RECORDS_BYTES, (data, from) => handlers.onRecords(data, from))
    )
    for (let shard = 0; shard < view.shardCount; shard++) {
      topicValidators.set(
        shardTopic(shard),
        this.#validator(maxBatch, (data, from) => handlers.onBatch(data, shard, from))
      )
    }
    this.#gossip.subscribe(NODES_TOPIC)
    this.#gossip.subscribe(RECORDS_TOPIC)
    view.onChange(() => this.#followShards())
    this.#followShards()
    this.#timer = setInterval(() => this.#banBelowGraylist(), SCORE_CHECK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Publishes. @returns the nodes it went out to, which says nothing about who got it. */
  async publish(topic: string, data: Uint8Array): Promise<Set<string>> {
    const { recipients } = await this.#gossip.publish(topic, data)
    return new Set(recipients.map(peer => byteKey(nodeKeyOf(peer) ?? new Uint8Array())))
  }

  /** Whether a node is known to listen to a topic. */
  hears(node: ListedNode, topic: string): boolean {
    const peer = peerIdOf(node.key)
    return this.#gossip.getSubscribers(topic).some(subscriber => subscriber.equals(peer))
  }

  get #gossip(): GossipSub {
    return this.#host.services.gossip
  }

  #followShards(): void {
    const { view } = this.#components
    // One shard stands for all of a replica set: thousands of shards are some dozen topics of a node.
    const wanted = new Set(view.keptGroups().map(shardTopic))
    for (const topic of this.#gossip.getTopics()) {
      if (topic !== NODES_TOPIC && topic !== RECORDS_TOPIC && !wanted.has(topic)) this.#gossip.unsubscribe(topic)
    }
    for (const topic of wanted) this.#gossip.subscribe(topic)
  }

  #validator(
    maxBytes: number,
    handle: (data: Uint8Array, from: NodeKey) => Promise<Verdict>
  ): (peer: PeerId, message: Message) => Promise<TopicValidatorResult> {
    return async (peer, { data }) => {
      this.received += 1
      const from = nodeKeyOf(peer)
      let verdict: Verdict = 'reject'
      if (from !== undefined && this.#components.view.listed(from) !== undefined && data.length <= maxBytes) {
        verdict = await handle(data, from).catch((error: Error) => {
          this.#log.warn('a gossip message could not be handled', { reason: error.message })
          return 'ignore'
        })
      }
      if (verdict === 'reject') this.rejected += 1
      return RESULT[verdict]
    }
  }

  /** gossipsub only ignores peers below the graylist; a connection to them still costs, so it is ended. */
  #banBelowGraylist(): void {
    const scored = this.#gossip as GossipSub & { getScore(peer: string): number }
    for (const peer of this.#gossip.getPeers()) {
      const score = scored.getScore(peer.toString())
      if (score > GRAYLIST_SCORE) continue
      this.#log.error('a node sent provably bad messages: shut out for a while', { peer: peer.toString(), score })
      this.#bans.ban(peer)
      this.#host.hangUp(peer).catch(() => undefined)
    }
  }
}

const RESULT: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
}

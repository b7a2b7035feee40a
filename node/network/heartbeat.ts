import type { Clock, Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { CLOCK_TOLERANCE_MS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  decodeHeartbeat,
  encodeHeartbeat,
  NODES_TOPIC,
  signHeartbeat,
  verifyHeartbeat
} from '../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { byteKey } from '../byte-key.ts'
import type { Gossip, Verdict } from './gossip.ts'
import type { NetworkView } from './network-view.ts'
import type { NodeLinks } from './node-links.ts'
import type { Logger } from '../ports.ts'

/** A node says that it lives this often. */
export const HEARTBEAT_INTERVAL_MS = 5_000
/** A linked node that is silent on gossip for so long is closed and dialled again. */
export const SILENCE_LIMIT_MS = 15_000

export interface HeartbeatComponents {
  crypto: Crypto
  network: NetworkId
  key: SigningKey
  view: NetworkView
  gossip: Gossip
  links: NodeLinks
  clock: Clock
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  logger: Logger
}

interface Seen {
  /** By our monotonic clock. */
  at: number
  /** By our wall clock. */
  clock: number
  /** By the node's own clock: a heartbeat must be newer than the last. */
  time: number
}

/** Signs of life on gossip: sends ours, notes those of others, and resets links whose gossip went deaf. */
export class HeartbeatService {
  readonly #components: HeartbeatComponents
  readonly #seen = new Map<string, Seen>()
  /** When the node was linked, or last reset, by our monotonic clock. */
  readonly #since = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(components: HeartbeatComponents) {
    this.#components = components
  }

  start(): void {
    const { links, now } = this.#components
    links.onUp(node => this.#since.set(byteKey(node.key), now()))
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_INTERVAL_MS)
    void this.#beat()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** When a node's last heartbeat came, by the wall clock. */
  lastSeen(node: NodeKey): number | undefined {
    return this.#seen.get(byteKey(node))?.clock
  }

  /** Judges a heartbeat that came by gossip. */
  async onHeartbeat(data: Uint8Array): Promise<Verdict> {
    const { crypto, network, view, clock, now } = this.#components
    let heartbeat
    try {
      heartbeat = decodeHeartbeat(data)
    } catch {
      return 'reject'
    }
    if (view.listed(heartbeat.node) === undefined) return 'ignore'
    if (!(await verifyHeartbeat(crypto, network, heartbeat))) return 'reject'
    const key = byteKey(heartbeat.node)
    const late = Math.abs(heartbeat.time - clock()) > CLOCK_TOLERANCE_MS
    if (late || heartbeat.time <= (this.#seen.get(key)?.time ?? 0)) return 'ignore'
    this.#seen.set(key, { at: now(), clock: clock(), time: heartbeat.time })
    return 'accept'
  }

  async #beat(): Promise<void> {
    const { network, key, view, gossip, clock, logger } = this.#components
    try {
      const fields = { node: view.nodeKey, epoch: view.current.number, time: clock() }
      await gossip.publish(NODES_TOPIC, encodeHeartbeat(await signHeartbeat(network, key, fields)))
      this.#resetSilent()
    } catch (error) {
      logger.forComponent('volo:heartbeat').warn('no heartbeat could be sent', { reason: (error as Error).message })
    }
  }

  #resetSilent(): void {
    const { view, links, now } = this.#components
    for (const node of view.others) {
      const key = byteKey(node.key)
      if (!links.isUp(node.key)) continue
      const last = Math.max(this.#seen.get(key)?.at ?? 0, this.#since.get(key) ?? now())
      if (now() - last < SILENCE_LIMIT_MS) continue
      this.#since.set(key, now())
      void links.reset(node)
    }
  }
}

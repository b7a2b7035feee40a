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

/** What a node's last heartbeats say of the difference between its clock and ours. */
interface Offset {
  /** When it came, by our monotonic clock. */
  at: number
  /** By the node's own clock: one that is passed on again says nothing new. */
  time: number
  /** Milliseconds that its clock is ahead of ours. */
  ahead: number
}

/** An older word on clocks does not count any more. */
const OFFSET_TTL_MS = 6 * HEARTBEAT_INTERVAL_MS

/** Signs of life on gossip: sends ours, notes those of others, and resets links whose gossip went deaf. */
export class HeartbeatService {
  readonly #components: HeartbeatComponents
  readonly #seen = new Map<string, Seen>()
  readonly #offsets = new Map<string, Offset>()
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

  /**
   * Milliseconds that this machine's clock is off, positive if it is ahead: what most of the listed nodes that are heard
   * say, in the middle. Undefined while most agree with it, within {@link CLOCK_TOLERANCE_MS}, or none is heard.
   */
  clockError(): number | undefined {
    const { view, now } = this.#components
    const recent = view.others
      .map(node => this.#offsets.get(byteKey(node.key)))
      .filter(offset => offset !== undefined && now() - offset.at < OFFSET_TTL_MS)
      .map(offset => -offset!.ahead)
      .sort((a, b) => a - b)
    if (recent.length === 0) return undefined
    // Of an even number the one nearer to no error: half of the nodes alone must not call a clock wrong.
    const [low, high] = [recent[Math.floor((recent.length - 1) / 2)]!, recent[Math.floor(recent.length / 2)]!]
    const middle = Math.abs(low) < Math.abs(high) ? low : high
    return Math.abs(middle) > CLOCK_TOLERANCE_MS ? middle : undefined
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
    if (heartbeat.time > (this.#offsets.get(key)?.time ?? 0)) {
      this.#offsets.set(key, { at: now(), time: heartbeat.time, ahead: heartbeat.time - clock() })
    }
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

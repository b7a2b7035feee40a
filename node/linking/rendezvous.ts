/**
 * Where the two devices of a linking leave messages for each other: boxes that only they can name, each with a few sealed
 * messages, for a quarter of an hour, in memory. The node reads nothing, and what it changes does not open.
 */
import { equalBytes } from '../../protocol/bytes.ts'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import { MAX_SEALED_LINK_BYTES } from '../../protocol/linking/link-channel.ts'
import { NodeError } from '../errors.ts'
import { addressKey } from '../limits/address-key.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'

/** A box is gone after this; codes are good for ten minutes. */
export const BOX_TTL_MS = 15 * 60 * 1000
/** A linking has four messages of one side, and an end. */
export const MAX_BOX_MESSAGES = 8
/** Boxes at once: 256 MiB if every one is full. At the bound new ones are refused. */
const MAX_BOXES = 10_000
/** Boxes that one address may open within {@link BOX_TTL_MS}; a linking has two. */
export const MAX_BOXES_PER_ADDRESS = 60
/** Readers that wait at once, in all and of one address; a further one is answered without waiting. */
const MAX_WAITING = 2_000
const MAX_WAITING_PER_ADDRESS = 32
/** Longest wait for a message. */
export const MAX_WAIT_MS = 20_000

interface Box {
  messages: Uint8Array[]
  expiresAt: number
}

export class Rendezvous {
  readonly #clock: Clock
  /** In the order of expiry, as all boxes live equally long. */
  readonly #boxes = new Map<string, Box>()
  /** Readers by the box and index that they wait for. */
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #waitingOf = new Map<string, number>()
  #waitingCount = 0
  readonly #perAddress: RateLimiter

  constructor(components: { clock: Clock }) {
    this.#clock = components.clock
    this.#perAddress = new RateLimiter(components, { limit: MAX_BOXES_PER_ADDRESS, windowMs: BOX_TTL_MS })
  }

  /**
   * Puts a message in its place; the first one to come stays. The same one twice does no harm.
   *
   * @param box - 16 bytes in hex.
   * @returns whether it stays there; false if another is in its place.
   * @throws NodeError `malformed` for a place that is not next or past the bound, `too-large`, `rate-limited`, `busy`.
   */
  put(box: string, index: number, message: Uint8Array, address: string): boolean {
    if (message.length === 0) throw new NodeError('malformed', 'The message is empty.')
    if (message.length > MAX_SEALED_LINK_BYTES) throw new NodeError('too-large', 'The message is too large.')
    const { messages } = this.#boxFor(box, index, address)
    const there = messages[index]
    if (there) return equalBytes(there, message)
    if (index !== messages.length || index >= MAX_BOX_MESSAGES) {
      throw new NodeError('malformed', 'The message is not the next of its box.')
    }
    messages.push(message)
    for (const wake of this.#waiting.get(place(box, index)) ?? []) wake()
    return true
  }

  /** A message, or undefined if none is there within `waitMs`. */
  async get(box: string, index: number, waitMs: number, address: string): Promise<Uint8Array | undefined> {
    this.#forgetExpired()
    const there = this.#boxes.get(box)?.messages[index]
    if (there || waitMs <= 0) return there
    await this.#wait(place(box, index), Math.min(waitMs, MAX_WAIT_MS), addressKey(address))
    return this.#boxes.get(box)?.messages[index]
  }

  /** Answers everybody who waits. Safe to call twice. */
  stop(): void {
    for (const readers of [...this.#waiting.values()]) for (const wake of readers) wake()
  }

  /** Boxes at this moment. */
  get size(): number {
    return this.#boxes.size
  }

  #boxFor(box: string, index: number, address: string): Box {
    this.#forgetExpired()
    const existing = this.#boxes.get(box)
    if (existing) return existing
    if (index !== 0) throw new NodeError('malformed', 'The message is not the next of its box.')
    if (this.#boxes.size >= MAX_BOXES)
      throw new NodeError('busy', 'Too many devices are added right now; try again soon.')
    if (!this.#perAddress.spend(addressKey(address))) {
      throw new NodeError('rate-limited', 'Too many devices were added from this address; try again later.')
    }
    const made = { messages: [], expiresAt: this.#clock() + BOX_TTL_MS }
    this.#boxes.set(box, made)
    return made
  }

  async #wait(at: string, waitMs: number, owner: string): Promise<void> {
    const own = this.#waitingOf.get(owner) ?? 0
    if (this.#waitingCount >= MAX_WAITING || own >= MAX_WAITING_PER_ADDRESS) return
    const woken = Promise.withResolvers<void>()
    const readers = this.#waiting.get(at) ?? new Set()
    this.#waiting.set(at, readers.add(woken.resolve))
    this.#waitingOf.set(owner, own + 1)
    this.#waitingCount++
    const timer = setTimeout(woken.resolve, waitMs)
    await woken.promise
    clearTimeout(timer)
    readers.delete(woken.resolve)
    if (readers.size === 0) this.#waiting.delete(at)
    this.#waitingCount--
    const left = this.#waitingOf.get(owner)! - 1
    if (left > 0) this.#waitingOf.set(owner, left)
    else this.#waitingOf.delete(owner)
  }

  #forgetExpired(): void {
    const now = this.#clock()
    for (const [id, { expiresAt }] of this.#boxes) {
      if (expiresAt > now) return
      this.#boxes.delete(id)
    }
  }
}

const place = (box: string, index: number): string => `${box} ${index}`

import { setTimeout as sleep } from 'node:timers/promises'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { Eviction } from '../../protocol/wire/custody.ts'
import type { Delivery, DeliveryId } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import type { PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { Logger } from '../ports.ts'

/** Deliveries, and bytes of them, that may be on their way without an acknowledgement. */
export const MAX_UNACKNOWLEDGED = 256
const MAX_UNACKNOWLEDGED_BYTES = 1024 * 1024
/** Deliveries whose ids are remembered once they are sent; no fewer than may be unacknowledged. */
const MAX_REMEMBERED = 256
/** A delivery that could not be sent ahead is stored, or refused, by the time that so many others have come. */
const SETTLED_AFTER_ARRIVALS = 64
/** What one frame carries. */
const FRAME_DELIVERIES = 64
const FRAME_BYTES = 160 * 1024
const DELIVERY_OVERHEAD_BYTES = 64
/** After a read that failed, such as one that met damage while the store was busy. */
const RETRY_AFTER_MS = 500

/** Where a session sends; false means that the stream is gone. */
export interface DeliverySink {
  /** Who attached: tells an old stream's end from a new one's. */
  owner: object
  deliver(deliveries: Delivery[]): boolean
  caughtUp(): boolean
  evicted(eviction: Eviction): boolean
}

/**
 * Delivery to one attached device. Waiting and live messages are read from one sequence, the store's order of arrival, by
 * one cursor: nothing can come twice or be left out where one ends and the other begins.
 */
export class DeliverySession {
  readonly #mailbox: DeviceId
  readonly #store: PendingMessageStore
  readonly #sink: DeliverySink
  readonly #log: Logger
  /** The last that were sent, oldest first: some of them before they had their place in the sequence. */
  readonly #sent = new Set<string>()
  /** Deliveries that came while others went first, and are not sent yet: by id, the number of their arrival. */
  readonly #behind = new Map<string, number>()
  #arrivals = 0
  readonly #unacknowledged = new Map<string, number>()
  #unacknowledgedBytes = 0
  #cursor = 0
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined
  /** Something may have come since the store was last read. */
  #dirty = true
  #pulled = false
  #caughtUp = false
  #stopped = false
  readonly #ending = new AbortController()

  constructor(mailbox: DeviceId, store: PendingMessageStore, sink: DeliverySink, logger: Logger) {
    this.#mailbox = mailbox
    this.#store = store
    this.#sink = sink
    this.#log = logger.forComponent('volo:delivery-session')
  }

  isFor(owner: object): boolean {
    return this.#sink.owner === owner
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#ending.abort()
    this.#wakeUp()
    await this.#running
  }

  /** The other replicas have been asked: what they had is in the store. */
  pulled(): void {
    this.#pulled = true
    this.#wakeUp()
  }

  /**
   * A delivery came, and has no place in the sequence yet: that takes a look into the store, and a device that has caught up
   * need not wait for it. It overtakes none that came before it and could not be sent ahead. What comes again after very
   * many others, the device gets again and knows.
   */
  sendAhead(delivery: Delivery): void {
    this.#arrivals++
    for (const [key, arrival] of this.#behind) {
      if (arrival + SETTLED_AFTER_ARRIVALS > this.#arrivals) break
      this.#behind.delete(key)
    }
    if (this.#isWaiting && this.#hasRoom && this.#behind.size === 0) this.#hand([delivery])
    else if (!this.#sent.has(byteKey(delivery.id))) this.#behind.set(byteKey(delivery.id), this.#arrivals)
  }

  /**
   * A delivery is being written, or was. If it is the next one and nothing waits, it goes out without being read again: also
   * while the disk is still at work, since a delivery, unlike a receipt, promises nothing.
   * @returns whether the device has been sent it.
   */
  offer(sequence: number, delivery: Delivery): boolean {
    if (sequence <= this.#cursor) return true
    const isNext = sequence === this.#cursor + 1
    if (!isNext || !this.#isWaiting || !(this.#hasRoom || this.#sent.has(byteKey(delivery.id)))) return false
    this.#send([{ sequence, delivery }])
    return true
  }

  /** A delivery was stored: it can be read. */
  onStored(sequence: number, delivery: Delivery): void {
    if (this.offer(sequence, delivery)) return
    this.#dirty = true
    this.#wakeUp()
  }

  acknowledged(ids: DeliveryId[]): void {
    for (const id of ids) {
      const key = byteKey(id)
      this.#unacknowledgedBytes -= this.#unacknowledged.get(key) ?? 0
      this.#unacknowledged.delete(key)
    }
    this.#wakeUp()
  }

  evicted(eviction: Eviction): void {
    // What will not be acknowledged any more must not keep the window shut.
    this.acknowledged(eviction.ids)
    if (!this.#sink.evicted(eviction)) this.#stopped = true
  }

  async #run(): Promise<void> {
    while (!this.#stopped) await this.#step().catch((error: Error) => this.#pause(error))
  }

  async #step(): Promise<void> {
    if (this.#dirty && this.#hasRoom) return this.#sendPage()
    if (!this.#dirty && this.#pulled && !this.#caughtUp) {
      this.#caughtUp = true
      if (!this.#sink.caughtUp()) this.#stopped = true
      return
    }
    await new Promise<void>(resolve => (this.#wake = resolve))
  }

  async #sendPage(): Promise<void> {
    const count = Math.min(FRAME_DELIVERIES, MAX_UNACKNOWLEDGED - this.#unacknowledged.size)
    this.#dirty = false
    const page = await this.#store.pendingAfter(this.#mailbox, this.#cursor, { count, bytes: FRAME_BYTES })
    if (this.#stopped || page.length === 0) return
    this.#dirty = true
    this.#send(page)
  }

  /** Nothing was sent, or counted as sent, by what failed: it is tried again for as long as the device is attached. */
  async #pause(error: Error): Promise<void> {
    this.#dirty = true
    if (this.#stopped) return
    this.#log.warn('waiting messages could not be sent', { reason: error.message })
    await sleep(RETRY_AFTER_MS, undefined, { signal: this.#ending.signal }).catch(() => undefined)
  }

  #send(page: { sequence: number; delivery: Delivery }[]): void {
    this.#cursor = page.at(-1)!.sequence
    this.#hand(page.map(({ delivery }) => delivery))
  }

  #hand(deliveries: Delivery[]): void {
    for (const { id } of deliveries) this.#behind.delete(byteKey(id))
    const fresh = deliveries.filter(({ id }) => !this.#sent.has(byteKey(id)))
    if (fresh.length === 0) return
    const isOpen = this.#sink.deliver(fresh)
    for (const { id, payload, part } of fresh) {
      const [key, size] = [byteKey(id), payload.length + part.length + DELIVERY_OVERHEAD_BYTES]
      this.#sent.add(key)
      this.#unacknowledged.set(key, size)
      this.#unacknowledgedBytes += size
    }
    for (const oldest of this.#sent) {
      if (this.#sent.size <= MAX_REMEMBERED) break
      this.#sent.delete(oldest)
    }
    if (!isOpen) this.#stopped = true
  }

  /** Everything so far was sent, and what comes next goes out by itself. */
  get #isWaiting(): boolean {
    return this.#caughtUp && this.#wake !== undefined && !this.#dirty && !this.#stopped
  }

  get #hasRoom(): boolean {
    return this.#unacknowledged.size < MAX_UNACKNOWLEDGED && this.#unacknowledgedBytes < MAX_UNACKNOWLEDGED_BYTES
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

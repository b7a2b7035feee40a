/** Deliveries that cannot be read yet, kept on disk within bounds until what they wait for has come. */
import { toHex } from '../../protocol/bytes.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import type { EngineContext } from '../engine-context.ts'
import { parkedEntry, slots, type Parked } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** Deliveries kept; past it the oldest is dropped, its sender asked again later. */
export const MAX_PARKED = 2_000
/** Bytes of their payloads together; past it the oldest is dropped. */
export const MAX_PARKED_BYTES = 32 * 1024 * 1024
/** The share of those that waits for a newer version of this program: any sender can claim to be newer. */
export const MAX_PARKED_NEWER = 256
export const MAX_PARKED_NEWER_BYTES = 4 * 1024 * 1024
/**
 * The directory is asked again for a parked Open after this, then after half of its age: strangers must not make us ask
 * without end.
 */
export const PARKED_RETRY_MS = 3_000

export interface ParkedDeliveriesInit {
  /** Called now and then while anything waits for the directory. */
  onRetry: () => void
  /** A delivery was dropped to keep the bounds. */
  onDropped: () => void
}

export class ParkedDeliveries {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #init: ParkedDeliveriesInit
  readonly #parked = new Map<string, Parked>()
  /** When the directory was last asked in this process, on the monotonic clock. */
  readonly #askedAt = new Map<string, number>()
  #cancelTimer: (() => void) | undefined
  #stopped = true

  constructor(context: EngineContext, states: StateStore, init: ParkedDeliveriesInit) {
    this.#context = context
    this.#states = states
    this.#init = init
  }

  async start(): Promise<void> {
    for (const parked of await this.#states.all('parked', parkedEntry)) this.#hold(parked)
    this.#stopped = false
    this.schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  get size(): number {
    return this.#parked.size
  }

  has({ id }: Pick<Delivery, 'id'>): boolean {
    return this.#parked.has(toHex(id))
  }

  /** Those that wait for one thing, oldest first. */
  waitingFor(what: Parked['waitsFor']): Delivery[] {
    return [...this.#parked.values()].filter(({ waitsFor }) => waitsFor === what).map(({ delivery }) => delivery)
  }

  /** Opens for which it is time to ask the directory again. */
  dueForAsking(): Delivery[] {
    const { timers } = this.#context
    return this.waitingFor('roster').filter(({ id }) => {
      const key = toHex(id)
      // The age outlives a restart, so it is counted by the user's clock.
      const age = timers.now() - this.#parked.get(key)!.since
      const pause = timers.monotonic() - (this.#askedAt.get(key) ?? -Infinity)
      return pause >= Math.max(PARKED_RETRY_MS, age / 2)
    })
  }

  /** The directory is asked on behalf of a delivery. */
  noteAsked({ id }: Delivery): void {
    this.#askedAt.set(toHex(id), this.#context.timers.monotonic())
  }

  /** Keeps a delivery as part of a unit of work. */
  park(unit: UnitOfWork, delivery: Delivery, waitsFor: Parked['waitsFor']): void {
    const key = toHex(delivery.id)
    const known = this.#parked.get(key)
    if (known?.waitsFor === waitsFor) return
    const parked = { delivery, waitsFor, since: known?.since ?? this.#context.timers.now() }
    unit.write(slots.parked(key), parked)
    unit.after(() => {
      this.#hold(parked)
      this.schedule()
    })
    if (!known) this.#makeRoom(unit, parked)
  }

  /** Forgets a delivery, if it was parked. */
  unpark(unit: UnitOfWork, { id }: Pick<Delivery, 'id'>): void {
    const key = toHex(id)
    if (!this.#parked.has(key)) return
    unit.remove(slots.parked(key))
    unit.after(() => this.#release(key))
  }

  /** Forgets when the directory was asked on behalf of a delivery that is not parked. */
  forgetAsked({ id }: Delivery): void {
    if (!this.#parked.has(toHex(id))) this.#askedAt.delete(toHex(id))
  }

  /** Drops what has expired. */
  async dropExpired(): Promise<void> {
    const now = this.#context.timers.now()
    const expired = [...this.#parked.values()].filter(({ delivery }) => delivery.expiry < now)
    if (expired.length === 0) return
    await this.#states.unit(async unit => {
      for (const { delivery } of expired) this.#drop(unit, delivery)
    })
  }

  /** Makes sure that a retry comes. */
  schedule(): void {
    // What waits for a newer version is looked at when one starts.
    const isAwaited = [...this.#parked.values()].some(({ waitsFor }) => waitsFor !== 'version')
    if (this.#stopped || this.#cancelTimer || !isAwaited) return
    this.#cancelTimer = this.#context.timers.after(PARKED_RETRY_MS, () => {
      this.#cancelTimer = undefined
      this.#init.onRetry()
    })
  }

  /** Drops the oldest past the bounds. Messages in them show as a gap and are sent again. */
  #makeRoom(unit: UnitOfWork, { delivery, waitsFor }: Parked): void {
    const isNewer = waitsFor === 'version'
    const most = isNewer ? MAX_PARKED_NEWER : MAX_PARKED
    const mostBytes = isNewer ? MAX_PARKED_NEWER_BYTES : MAX_PARKED_BYTES
    const kept = isNewer ? this.waitingFor('version') : [...this.#parked.values()].map(each => each.delivery)
    let count = kept.length + 1
    let total = kept.reduce((sum, { payload }) => sum + payload.length, delivery.payload.length)
    for (const oldest of kept) {
      if (count <= most && total <= mostBytes) return
      this.#drop(unit, oldest)
      count--
      total -= oldest.payload.length
    }
  }

  #drop(unit: UnitOfWork, delivery: Delivery): void {
    this.#init.onDropped()
    this.unpark(unit, delivery)
  }

  #hold(parked: Parked): void {
    this.#parked.set(toHex(parked.delivery.id), parked)
  }

  #release(key: string): void {
    this.#parked.delete(key)
    this.#askedAt.delete(key)
  }
}

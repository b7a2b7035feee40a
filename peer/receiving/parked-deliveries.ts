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
/** The share that waits for the directory: any stranger can name an account that is not known here. */
export const MAX_PARKED_STRANGE = 512
export const MAX_PARKED_STRANGE_BYTES = 8 * 1024 * 1024
/** Of those, the deliveries that claim to come from one account. */
export const MAX_PARKED_OF_ONE = 64
/**
 * The directory is asked again for a parked Open after this, then after half of its age: strangers must not make us ask
 * without end.
 */
export const PARKED_RETRY_MS = 3_000

/** The longest such pause: a clock that was put forward makes everything old. */
const MAX_PAUSE_MS = 60 * 60_000

/** What a share of the parked deliveries may take; what waits for a session may take all of it. */
const SHARES: Record<Parked['waitsFor'], { most: number; mostBytes: number }> = {
  session: { most: MAX_PARKED, mostBytes: MAX_PARKED_BYTES },
  version: { most: MAX_PARKED_NEWER, mostBytes: MAX_PARKED_NEWER_BYTES },
  roster: { most: MAX_PARKED_STRANGE, mostBytes: MAX_PARKED_STRANGE_BYTES },
  // Nothing is parked for it any more.
  time: { most: 0, mostBytes: 0 }
}

/** What exactly a parked delivery waits for: known in memory only, and learned again after a start. */
export interface ParkedWait {
  /** Accounts or sessions, in hex. */
  keys?: string[]
  /** Accounts that it needs, known ones included, in hex. */
  needs?: string[]
  /** The account that it claims to come from, in hex. */
  claims?: string
}

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
  readonly #waits = new Map<string, ParkedWait>()
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

  /** Those that wait for one account or session, and those of which it is not known what they wait for. */
  waitingOn(what: Parked['waitsFor'], key: string): Delivery[] {
    return [...this.#parked]
      .filter(([id, { waitsFor }]) => waitsFor === what && (this.#waits.get(id)?.keys?.includes(key) ?? true))
      .map(([, { delivery }]) => delivery)
  }

  /** Whether a delivery that waits needs an account, in hex: it must not be forgotten before its Open is read. */
  needs(account: string): boolean {
    return [...this.#waits.values()].some(({ needs }) => needs?.includes(account))
  }

  /** The accounts or sessions that a delivery waits for; undefined if that is not known in this process. */
  keysOf({ id }: Pick<Delivery, 'id'>): string[] | undefined {
    return this.#waits.get(toHex(id))?.keys
  }

  /** Opens for which it is time to ask the directory again. */
  dueForAsking(): Delivery[] {
    const { timers } = this.#context
    return this.waitingFor('roster').filter(({ id }) => {
      const key = toHex(id)
      // The age outlives a restart, so it is counted by the user's clock.
      const age = timers.now() - this.#parked.get(key)!.since
      const pause = timers.monotonic() - (this.#askedAt.get(key) ?? -Infinity)
      return pause >= Math.min(Math.max(PARKED_RETRY_MS, age / 2), MAX_PAUSE_MS)
    })
  }

  /** The directory is asked on behalf of a delivery. */
  noteAsked({ id }: Delivery): void {
    this.#askedAt.set(toHex(id), this.#context.timers.monotonic())
  }

  /** Keeps a delivery as part of a unit of work. */
  park(unit: UnitOfWork, delivery: Delivery, waitsFor: Parked['waitsFor'], wait: ParkedWait = {}): void {
    const key = toHex(delivery.id)
    this.#waits.set(key, wait)
    const known = this.#parked.get(key)
    if (waitsFor === 'roster') this.#keepFewOfOne(unit, delivery)
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
    const { most, mostBytes } = SHARES[waitsFor]
    const all = [...this.#parked.values()].map(each => each.delivery)
    const dropped = new Set<Delivery>()
    const keepWithin = (kept: Delivery[], mostOf: number, mostBytesOf: number): void => {
      let count = kept.length + 1
      let total = kept.reduce((sum, { payload }) => sum + payload.length, delivery.payload.length)
      for (const oldest of kept) {
        if (count <= mostOf && total <= mostBytesOf) return
        if (!dropped.has(oldest)) this.#drop(unit, oldest)
        dropped.add(oldest)
        count--
        total -= oldest.payload.length
      }
    }
    keepWithin(waitsFor === 'session' ? all : this.waitingFor(waitsFor), most, mostBytes)
    keepWithin(all, MAX_PARKED, MAX_PARKED_BYTES)
  }

  /** Drops the oldest of those that claim to come from the same account as a delivery, past the bound. */
  #keepFewOfOne(unit: UnitOfWork, { id }: Delivery): void {
    const claims = this.#waits.get(toHex(id))?.claims
    if (claims === undefined) return
    const own = toHex(id)
    const others = [...this.#parked].filter(([key]) => key !== own && this.#waits.get(key)?.claims === claims)
    const surplus = Math.max(0, others.length + 1 - MAX_PARKED_OF_ONE)
    for (const [, { delivery }] of others.slice(0, surplus)) this.#drop(unit, delivery)
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
    this.#waits.delete(key)
  }
}

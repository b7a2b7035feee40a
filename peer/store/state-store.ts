import type { EntryName } from './entry-names.ts'
import type { EntryChange, SealedStore } from './sealed-store.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'

/** Where one piece of state lives, and how it is written. */
export interface Slot<T> extends EntryName {
  codec: { encode(value: T): Uint8Array; decode(bytes: Uint8Array): T }
}

export interface UnitOptions {
  durable?: boolean
  tellFirst?: boolean
}

/** States kept decoded in memory; the least recently used go first. */
const MAX_CACHED_STATES = 8_000

const slotKey = ({ space, id = '', order = '' }: EntryName): string => `${space}/${id}/${order}`

/**
 * State that changes in units of work: all changes of a unit are stored in one atomic batch, or none are, and units run
 * one after the other. Values are immutable: a change is a new value.
 */
export class StateStore {
  readonly #store: SealedStore
  readonly #turns = new SerialQueue()
  readonly #cache = new Map<string, unknown>()
  readonly #onFault: (error: unknown) => void
  /** Resolves once a unit that screens have heard of already is written, or was given up. */
  #told: Promise<void> | undefined

  /** @param onFault - gets what a callback of {@link UnitOfWork.after} or {@link UnitOfWork.tell} throws. The unit stays stored. */
  constructor(store: SealedStore, onFault: (error: unknown) => void = () => undefined) {
    this.#store = store
    this.#onFault = onFault
  }

  /**
   * Runs one unit. Its changes are stored when `work` resolves and forgotten when it throws.
   * Nothing slow belongs inside: no network.
   *
   * @param options - `durable: false` where a power cut may undo the unit, because what it says comes again by itself: a
   * delivery is acknowledged after {@link flush} only, an envelope that was kept is handed in again and known. Other ends of
   * the process undo nothing. `tellFirst`: screens hear of it before it is written; also only for what comes again, and then
   * is told again.
   */
  unit<T>(work: (unit: UnitOfWork) => Promise<T>, { durable = true, tellFirst = false }: UnitOptions = {}): Promise<T> {
    return this.#turns.run(async () => {
      const unit = new UnitOfWork(this.#store, this.#cache)
      const result = await work(unit)
      if (tellFirst) {
        this.#told = unit.written
        unit.runTell(this.#onFault)
      }
      await unit.commit(durable)
      if (this.#cache.size > MAX_CACHED_STATES) this.#evict()
      unit.runAfter(this.#onFault)
      unit.runTell(this.#onFault)
      return result
    })
  }

  /** Resolves once every unit so far survives a power cut. */
  flush(): Promise<void> {
    return this.#turns.run(() => this.#store.flush())
  }

  /** Reads outside a unit: the last committed value, with what screens were told of. */
  async read<T>(slot: Slot<T>): Promise<T | undefined> {
    await this.#told
    return readThrough(this.#store, this.#cache, slot)
  }

  /** Committed entries of one `(space, id)` in order. */
  async range<T>(
    space: string,
    id: string | undefined,
    codec: Slot<T>['codec'],
    options: Parameters<SealedStore['range']>[2] = {}
  ): Promise<{ order: string; value: T }[]> {
    await this.#told
    const entries = await this.#store.range(space, id, options)
    return entries.map(({ order, value }) => ({ order, value: codec.decode(value) }))
  }

  /** Every committed value of a space. */
  async all<T>(space: string, codec: Slot<T>['codec']): Promise<T[]> {
    await this.#told
    return (await this.#store.all(space)).map(bytes => codec.decode(bytes))
  }

  /** Resolves once every unit asked for so far has run. */
  idle(): Promise<void> {
    return this.#turns.idle()
  }

  #evict(): void {
    for (const key of this.#cache.keys()) {
      if (this.#cache.size <= MAX_CACHED_STATES / 2) return
      this.#cache.delete(key)
    }
  }
}

/** One unit of work: reads see its own writes. */
export class UnitOfWork {
  readonly #store: SealedStore
  readonly #cache: Map<string, unknown>
  readonly #writes = new Map<string, { slot: Slot<unknown>; value: unknown }>()
  readonly #after: (() => void)[] = []
  readonly #written = Promise.withResolvers<void>()
  readonly #tell: (() => void)[] = []

  constructor(store: SealedStore, cache: Map<string, unknown>) {
    this.#store = store
    this.#cache = cache
  }

  async read<T>(slot: Slot<T>): Promise<T | undefined> {
    const written = this.#writes.get(slotKey(slot))
    if (written) return written.value as T | undefined
    return readThrough(this.#store, this.#cache, slot)
  }

  write<T>(slot: Slot<T>, value: T): void {
    this.#writes.set(slotKey(slot), { slot: slot as Slot<unknown>, value })
  }

  remove<T>(slot: Slot<T>): void {
    this.#writes.set(slotKey(slot), { slot: slot as Slot<unknown>, value: undefined })
  }

  /** Entries of one `(space, id)`, rising by `order`, with this unit's changes. */
  async range<T>(
    space: string,
    id: string | undefined,
    codec: Slot<T>['codec'],
    options: { limit?: number } = {}
  ): Promise<{ order: string; value: T }[]> {
    const found = new Map<string, T>()
    for (const { order, value } of await this.#store.range(space, id)) found.set(order, codec.decode(value))
    for (const { slot, value } of this.#writes.values()) {
      if (slot.space !== space || slot.id !== id) continue
      if (value === undefined) found.delete(slot.order ?? '')
      else found.set(slot.order ?? '', value as T)
    }
    return [...found]
      .map(([order, value]) => ({ order, value }))
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .slice(0, options.limit)
  }

  /** Runs once the changes are stored: wiping of secrets, waking of loops. */
  after(run: () => void): void {
    this.#after.push(run)
  }

  /** Runs after those of {@link after}: news for screens, which must not delay a message on its way to the network. */
  tell(run: () => void): void {
    this.#tell.push(run)
  }

  /** Resolves after {@link commit}, however that ends. */
  get written(): Promise<void> {
    return this.#written.promise
  }

  async commit(durable: boolean): Promise<void> {
    try {
      await this.#commit(durable)
    } finally {
      this.#written.resolve()
    }
  }

  async #commit(durable: boolean): Promise<void> {
    if (this.#writes.size === 0) return
    const changes: EntryChange[] = [...this.#writes.values()].map(({ slot, value }) => {
      const { codec, ...name } = slot
      return { ...name, value: value === undefined ? null : codec.encode(value) }
    })
    await this.#store.batch(changes, { durable })
    writes.set(this.#cache, (writes.get(this.#cache) ?? 0) + 1)
    for (const [key, { value }] of this.#writes) {
      this.#cache.delete(key)
      if (value !== undefined) this.#cache.set(key, value)
    }
  }

  runAfter(onFault: (error: unknown) => void): void {
    runAll(this.#after.splice(0), onFault)
  }

  runTell(onFault: (error: unknown) => void): void {
    runAll(this.#tell.splice(0), onFault)
  }
}
/** Never throws: the changes are stored, and a caller that sees a failure would make them twice. */
function runAll(callbacks: (() => void)[], onFault: (error: unknown) => void): void {
  for (const run of callbacks) {
    try {
      run()
    } catch (error) {
      onFault(error)
    }
  }
}

/** How often a cache's store has been written. */
const writes = new WeakMap<Map<string, unknown>, number>()

async function readThrough<T>(store: SealedStore, cache: Map<string, unknown>, slot: Slot<T>): Promise<T | undefined> {
  const key = slotKey(slot)
  if (cache.has(key)) return cache.get(key) as T
  const written = writes.get(cache)
  const bytes = await store.get(slot)
  // What was written meanwhile is newer than what was read, and must not be covered by it.
  if (writes.get(cache) !== written) return readThrough(store, cache, slot)
  if (!bytes) return undefined
  const value = slot.codec.decode(bytes)
  cache.set(key, value)
  return value
}

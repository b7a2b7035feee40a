import type { DeviceId } from '../../protocol/identity/device.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS, TOMBSTONE_GRACE_MS } from '../../protocol/limits.ts'
import type { Delivery, DeliveryId, EnvelopeClass } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import { AgedTombstones, encodeAging, type AgedName } from './aged-tombstones.ts'
import { MailboxCounters } from './mailbox-counters.ts'
import { LossChanges } from './mailbox-losses.ts'
import {
  agingKey,
  decodeEntry,
  deliveryKey,
  encodeDelivery,
  encodeEntry,
  entryExpiryKey,
  entryKey,
  isDue,
  mailboxKey,
  proofExpiryKey,
  proofKey,
  type Entry,
  type PendingDatabase,
  type Write
} from './pending-records.ts'

export type { PendingDatabase, Write }

/** Names one delivery. */
export interface DeliveryName {
  mailbox: DeviceId
  id: DeliveryId
  /** Where it is known, aged tombstones are looked through, too. */
  expiry?: number
}

/**
 * For so long after an acknowledgement its tombstones are compared with those of other replicas, and proved to them by what
 * the device signed. Then they age: a replica that was away for longer keeps what it has until the device acknowledges it there.
 */
export const PROVEN_MS = 3 * 86_400_000

/** Tombstones of deliveries never seen here that one mailbox may have: a device cannot fill the disk with them. */
export const MAX_UNSEEN_TOMBSTONES = 4096

/** Mailboxes whose counters stay in memory, about 400 bytes each. */
const CACHED_COUNTERS = 50_000

/** Counters by mailbox: those in memory are the truth between two writes. */
export class CountersCache {
  readonly #cached = new Map<string, MailboxCounters>()

  get(key: string): MailboxCounters | undefined {
    const counters = this.#cached.get(key)
    if (counters !== undefined) {
      this.#cached.delete(key)
      this.#cached.set(key, counters)
    }
    return counters
  }

  /** Only between transactions: what is forgotten is read from disk again. */
  trim(): void {
    for (const key of this.#cached.keys()) {
      if (this.#cached.size <= CACHED_COUNTERS) return
      this.#cached.delete(key)
    }
  }

  set(key: string, counters: MailboxCounters): void {
    this.#cached.set(key, counters)
  }

  delete(key: string): void {
    this.#cached.delete(key)
  }
}

const nameKey = (name: DeliveryName): string => byteKey(name.mailbox) + byteKey(name.id)

/**
 * One group of changes: reads what they touch at once, lets each see what those before it did, and becomes one atomic
 * write. Counters are changed in place, which is safe because a failed write ends the store.
 */
export class StoreTransaction {
  readonly #shardOf: (mailbox: DeviceId) => number
  readonly #cache: CountersCache
  readonly #now: number
  readonly #writes: Write[] = []
  readonly #entries = new Map<string, Entry | undefined>()
  readonly #touched = new Map<string, { mailbox: DeviceId; counters: MailboxCounters }>()
  /** What mailboxes lost, and what their devices know of it. */
  readonly losses = new LossChanges()
  readonly #aged = new AgedTombstones()
  /** Deliveries held more than before, of all mailboxes. */
  heldChange = 0

  constructor(shardOf: (mailbox: DeviceId) => number, cache: CountersCache, now: number) {
    this.#shardOf = shardOf
    this.#cache = cache
    this.#now = now
  }

  /** Reads the entries and counters of what will be touched. */
  async load(
    database: PendingDatabase,
    names: DeliveryName[],
    recount: (mailbox: DeviceId) => Promise<MailboxCounters>
  ): Promise<void> {
    const mailboxes = new Map<string, DeviceId>()
    const missing: DeliveryName[] = []
    for (const name of names) {
      const mailbox = byteKey(name.mailbox)
      if (!mailboxes.has(mailbox) && this.#cache.get(mailbox) === undefined) mailboxes.set(mailbox, name.mailbox)
      const key = nameKey(name)
      if (this.#entries.has(key)) continue
      this.#entries.set(key, undefined)
      missing.push(name)
    }
    if (missing.length > 0) {
      const values = await readAll(
        database,
        missing.map(name => entryKey(name.mailbox, name.id))
      )
      missing.forEach((name, index) => this.#entries.set(nameKey(name), decodeEntry(values[index])))
    }
    if (mailboxes.size > 0) await this.#loadCounters(database, [...mailboxes.values()], recount)
    const isUnknown = (name: DeliveryName): boolean =>
      this.entry(name) === undefined && this.counters(name.mailbox).aged > 0
    await this.#aged.load(database, names.filter(hasExpiry).filter(isUnknown))
  }

  /** Whether a delivery, loaded with its expiry, is an aged tombstone. */
  isAged(name: AgedName): boolean {
    return this.#aged.has(name)
  }

  /** Reads what {@link age} adds to. */
  async loadAged(database: PendingDatabase, names: DeliveryName[]): Promise<void> {
    const gone = names.flatMap(({ mailbox, id }) => {
      const entry = this.entry({ mailbox, id })
      return entry?.state === 'acknowledged' ? [{ mailbox, id, expiry: entry.expiry }] : []
    })
    await this.#aged.load(database, gone)
  }

  /** Keeps no more of an acknowledged delivery than that it must not come back. */
  age(name: DeliveryName, proof: Uint8Array): void {
    const entry = this.entry(name)
    if (entry?.state !== 'acknowledged' || isDue(entry, this.#now) || byteKey(entry.proof) !== byteKey(proof)) return
    this.forget(name)
    this.#aged.add({ ...name, expiry: entry.expiry })
    this.#touch(name.mailbox).aged += 1
  }

  /** A day's aged tombstones are over. */
  dropAged(mailbox: DeviceId, day: number, count: number): void {
    const counters = this.#touch(mailbox)
    counters.aged = Math.max(0, counters.aged - count)
    this.#aged.remove(mailbox, day)
  }

  async #loadCounters(
    database: PendingDatabase,
    mailboxes: DeviceId[],
    recount: (mailbox: DeviceId) => Promise<MailboxCounters>
  ): Promise<void> {
    const keys = mailboxes.map(mailbox => mailboxKey(this.#shardOf(mailbox), mailbox))
    const values = await readAll(database, keys)
    for (const [index, mailbox] of mailboxes.entries()) {
      const value = values[index]
      const counters = value === undefined ? this.#newCounters() : MailboxCounters.decode(value)
      const isUsable = counters !== undefined && !counters.isOutdated
      this.#cache.set(byteKey(mailbox), isUsable ? counters : (await recount(mailbox)).succeeding(counters))
    }
  }

  /** A mailbox that comes back after it was forgotten goes on above its old sequences, as long as clocks go on. */
  #newCounters(): MailboxCounters {
    const counters = new MailboxCounters()
    counters.sequence = Math.floor(this.#now / 1000)
    return counters
  }

  /** The loaded counters of a mailbox. */
  counters(mailbox: DeviceId): MailboxCounters {
    return this.#cache.get(byteKey(mailbox))!
  }

  /** What is known of a loaded delivery; undefined if nothing. */
  entry(name: DeliveryName): Entry | undefined {
    return this.#entries.get(nameKey(name))
  }

  /** Whether a delivery's entry was loaded or changed here. */
  isLoaded(name: DeliveryName): boolean {
    return this.#entries.has(nameKey(name))
  }

  /** Entries of a mailbox that were loaded or changed here, by the key of their id. */
  *loadedEntries(mailbox: DeviceId): Iterable<[string, Entry]> {
    const prefix = byteKey(mailbox)
    for (const [key, entry] of this.#entries) {
      if (entry !== undefined && key.startsWith(prefix)) yield [key.slice(prefix.length), entry]
    }
  }

  /**
   * Holds a delivery that is not known.
   * @param envelopeClass - that it counts as.
   * @returns its sequence in the mailbox.
   */
  hold(
    mailbox: DeviceId,
    delivery: Delivery,
    encoded: Uint8Array,
    { origin, envelopeClass }: { origin: number; envelopeClass: EnvelopeClass }
  ): number {
    const counters = this.#touch(mailbox)
    const sequence = ++counters.sequence
    const { id, expiry } = delivery
    counters.addHeld(id, envelopeClass, encoded.length, origin)
    this.heldChange += 1
    this.#setEntry(mailbox, id, {
      state: 'held',
      class: envelopeClass,
      expiry,
      sequence,
      size: encoded.length,
      origin
    })
    this.put(deliveryKey(mailbox, sequence, id), encoded)
    this.put(entryExpiryKey(expiry, mailbox, id), new Uint8Array())
    return sequence
  }

  /** Counts a held delivery in another class. */
  reclassify({ mailbox, id }: DeliveryName, entry: Extract<Entry, { state: 'held' }>, to: EnvelopeClass): void {
    const counters = this.#touch(mailbox)
    counters.removeHeld(id, entry.class, entry.size, entry.origin)
    counters.addHeld(id, to, entry.size, entry.origin)
    this.#setEntry(mailbox, id, { ...entry, class: to })
  }

  /** Restores the entry of a delivery whose bytes are there. */
  adopt(mailbox: DeviceId, delivery: Delivery, sequence: number): void {
    const counters = this.#touch(mailbox)
    const size = encodeDelivery(delivery).length
    counters.sequence = Math.max(counters.sequence, sequence)
    counters.addHeld(delivery.id, delivery.class, size, 0)
    this.heldChange += 1
    const { id, expiry } = delivery
    this.#setEntry(mailbox, id, { state: 'held', class: delivery.class, expiry, sequence, size, origin: 0 })
    this.put(entryExpiryKey(expiry, mailbox, id), new Uint8Array())
  }

  /**
   * Removes a delivery for a signed reason and remembers that it is gone.
   * @returns how long the reason must be kept, or 0 if nothing changed.
   */
  remove(name: DeliveryName, state: 'acknowledged' | 'evicted', proof: Uint8Array): number {
    const { mailbox, id } = name
    const entry = this.entry(name)
    if (entry !== undefined && entry.state !== 'held') return 0
    const counters = this.#touch(mailbox)
    if (entry === undefined && counters.goneUnseen >= MAX_UNSEEN_TOMBSTONES) return 0
    if (entry !== undefined) this.#release(name, entry)
    if (entry !== undefined && state === 'evicted') this.losses.add(mailbox, entry.class)
    const expiry = entry?.expiry ?? this.#now + PENDING_TTL_MS + CLOCK_TOLERANCE_MS
    const until = expiry + TOMBSTONE_GRACE_MS
    counters.addGone(id, entry === undefined)
    this.#setEntry(mailbox, id, { state, expiry, until, proof })
    this.put(entryExpiryKey(until, mailbox, id), new Uint8Array())
    return until
  }

  /** Gives a delivery that was just removed its signed reason. @returns how long the reason must be kept. */
  setProof(name: DeliveryName, proof: Uint8Array): number {
    const entry = this.entry(name)
    if (entry === undefined || entry.state === 'held') return 0
    this.#setEntry(name.mailbox, name.id, { ...entry, proof })
    return entry.until
  }

  /** Lets tombstones of one acknowledgement age. @param takesProof - none of its other deliveries needs the proof for longer. */
  ageLater(mailbox: DeviceId, ids: DeliveryId[], proof: Uint8Array, takesProof: boolean): void {
    this.put(agingKey(this.#now + PROVEN_MS, mailbox, proof), encodeAging(ids, takesProof))
  }

  /** Keeps the signed reason itself. */
  keepProof(hash: Uint8Array, bytes: Uint8Array, until?: number): void {
    this.put(proofKey(hash), bytes)
    if (until !== undefined) this.put(proofExpiryKey(until, hash), new Uint8Array())
  }

  /** Drops all that is known of a delivery whose time has passed: its mailbox loses what the device did not take. */
  expire(name: DeliveryName): void {
    const entry = this.entry(name)
    if (entry?.state === 'held') this.losses.add(name.mailbox, entry.class)
    this.forget(name)
  }

  /** Drops all that is known of a delivery, because its time has passed or its bytes are broken. */
  forget(name: DeliveryName): void {
    const { mailbox, id } = name
    const entry = this.entry(name)
    if (entry === undefined) return
    const counters = this.#touch(mailbox)
    if (entry.state === 'held') {
      this.#release(name, entry)
    } else {
      counters.removeGone(id)
      this.delete(entryExpiryKey(entry.until, mailbox, id))
    }
    this.#entries.set(nameKey(name), undefined)
    this.delete(entryKey(mailbox, id))
  }

  put(key: Buffer, value: Uint8Array): void {
    this.#writes.push({ type: 'put', key, value })
  }

  delete(key: Buffer): void {
    this.#writes.push({ type: 'del', key })
  }

  /** Replaces counters that were counted again. */
  recounted(mailbox: DeviceId, counters: MailboxCounters): void {
    this.#cache.set(byteKey(mailbox), counters)
    this.#touched.delete(byteKey(mailbox))
    this.#touch(mailbox)
  }

  /** All changes, counters last. */
  async finish(database: PendingDatabase): Promise<Write[]> {
    this.#writes.push(...(await this.losses.writes(database, this.#now)), ...this.#aged.writes())
    for (const [key, { mailbox, counters }] of this.#touched) {
      const at = mailboxKey(this.#shardOf(mailbox), mailbox)
      if (counters.isEmpty) {
        this.delete(at)
        this.#cache.delete(key)
      } else {
        this.put(at, counters.encode())
      }
    }
    this.#touched.clear()
    return this.#writes
  }

  #release({ mailbox, id }: DeliveryName, entry: Extract<Entry, { state: 'held' }>): void {
    this.#touch(mailbox).removeHeld(id, entry.class, entry.size, entry.origin)
    this.heldChange -= 1
    this.delete(deliveryKey(mailbox, entry.sequence, id))
    this.delete(entryExpiryKey(entry.expiry, mailbox, id))
  }

  #setEntry(mailbox: DeviceId, id: DeliveryId, entry: Entry): void {
    this.#entries.set(nameKey({ mailbox, id }), entry)
    this.put(entryKey(mailbox, id), encodeEntry(entry))
  }

  #touch(mailbox: DeviceId): MailboxCounters {
    const key = byteKey(mailbox)
    const known = this.#touched.get(key)
    if (known) return known.counters
    const counters = this.#cache.get(key)!
    this.#touched.set(key, { mailbox, counters })
    return counters
  }
}

const hasExpiry = (name: DeliveryName): name is AgedName => name.expiry !== undefined

/** Up to so many values are read at once: another thread takes longer to be asked than they take to be found. */
const FEW_VALUES = 4

async function readAll(database: PendingDatabase, keys: Buffer[]): Promise<(Uint8Array | undefined)[]> {
  return keys.length <= FEW_VALUES ? keys.map(key => database.getSync(key)) : database.getMany(keys)
}

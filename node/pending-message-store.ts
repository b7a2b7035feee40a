/**
 * Messages that wait for their devices, on disk. Everything about one delivery changes in one atomic batch: its bytes,
 * its entry, its expiry and its mailbox's counters. Deliveries are checked against their id whenever they are read.
 *
 * Writes go through {@link GroupCommit}, one after another, so the checks of every write (known? gone? room?) see all
 * writes before it. The file is long because that order is its point.
 */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { Clock, Crypto } from '../protocol/crypto/crypto.ts'
import type { DeviceId } from '../protocol/identity/device.ts'
import { MAX_MAILBOX_BYTES, MAX_MAILBOX_ENVELOPES } from '../protocol/limits.ts'
import type { NetworkId } from '../protocol/network.ts'
import { isDeliveryIntact, type Delivery, type DeliveryId, type EnvelopeClass } from '../protocol/wire/envelope.ts'
import { byteKey } from './byte-key.ts'
import { GroupCommit, type Sized } from './group-commit.ts'
import { MailboxCounters } from './mailbox-counters.ts'
import {
  ALL_MAILBOXES,
  decodeDelivery,
  decodeEntry,
  deliveryKey,
  deliveryRange,
  dueRange,
  encodeDelivery,
  entryKey,
  entryRange,
  idOfEntryKey,
  mailboxKey,
  mailboxRange,
  parseDeliveryKey,
  parseExpiryKey,
  parseMailboxKey,
  PROOF_HASH_BYTES,
  proofKey,
  type Entry
} from './pending-records.ts'
import type { Logger } from './ports.ts'
import { CountersCache, StoreTransaction, type DeliveryName, type PendingDatabase } from './store-transaction.ts'
import { compareVictims, victimId, VictimQueues, type Victim } from './victim-queues.ts'

/** Bounds of one mailbox, per class. */
export interface MailboxLimits {
  envelopes: Record<EnvelopeClass, number>
  bytes: Record<EnvelopeClass, number>
  /** Part of a class that deliveries through one origin may fill: 1 where the network has a single operator. */
  originShare: number
}

/** Strangers and the system's own messages never push out what contacts sent: each class has its own bound. */
export const DEFAULT_MAILBOX_LIMITS: MailboxLimits = {
  envelopes: {
    contact: MAX_MAILBOX_ENVELOPES,
    request: MAX_MAILBOX_ENVELOPES / 10,
    system: MAX_MAILBOX_ENVELOPES / 5
  },
  bytes: { contact: MAX_MAILBOX_BYTES, request: MAX_MAILBOX_BYTES / 10, system: MAX_MAILBOX_BYTES / 5 },
  originShare: 0.5
}
/** Another replica's eviction is followed only in a mailbox that is this full here too. */
const FOLLOW_EVICTION_FROM = 0.9
/** Deliveries that one signed eviction names. */
const EVICTION_IDS = 512
/** Expired entries removed by one step of a sweep. */
export const SWEEP_STEP = 1000
/** File that asks for a repair of the database at the next start. */
const REPAIR_MARK = 'needs-repair'

/** What became of a delivery: `stored` now, `known` before, gone for good, or `full`: refused to keep within limits. */
export type StoreOutcome =
  { state: 'stored'; sequence: number } | { state: 'known' | 'acknowledged' | 'evicted' | 'full' }

export interface StoreItem {
  mailbox: DeviceId
  delivery: Delivery
  /** Tag of the node that took it, see {@link originTag}; 0 when it comes from a replica. */
  origin: number
}

/** A delivery read in order of arrival. */
export interface SequencedDelivery {
  sequence: number
  delivery: Delivery
}

/** What the store tells while it works. */
export interface StoreEvents {
  /** Signs the removal of deliveries that make room. @returns the encoded eviction. */
  signEviction(mailbox: DeviceId, ids: DeliveryId[]): Promise<Uint8Array>
  /** Removed to make room, fsynced. */
  onEvicted(mailbox: DeviceId, eviction: Uint8Array): void
  /** Bytes that are not what was stored: removed here, to be fetched from a replica. */
  onCorrupt(mailbox: DeviceId, ids: DeliveryId[]): void
  /** The store is unusable from now on. */
  onFatal(error: Error): void
}

export interface PendingMessageStoreComponents {
  crypto: Crypto
  network: NetworkId
  clock: Clock
  logger: Logger
  shardOf: (mailbox: DeviceId) => number
  events: StoreEvents
}

export interface PendingMessageStoreInit {
  directory: string
  limits?: MailboxLimits
  /** fsync before anything counts as stored. Off only in tests that prove the difference. */
  syncWrites?: boolean
}

interface Work extends Sized {
  names: DeliveryName[]
  apply(transaction: StoreTransaction): Promise<unknown> | unknown
  /** Told while the disk is still at work. Never throws. */
  onWriting?: () => void
}

/** Tag by which a mailbox counts its origins apart: never 0, which stands for a replica. */
export function originTag(nodeKey: Uint8Array): number {
  return ((nodeKey[0]! << 24) | (nodeKey[1]! << 16) | (nodeKey[2]! << 8) | nodeKey[3]! | 1) >>> 0
}

export class PendingMessageStore {
  readonly #components: PendingMessageStoreComponents
  readonly #log: Logger
  readonly #directory: string
  readonly #limits: MailboxLimits
  readonly #sync: boolean
  readonly #cache = new CountersCache()
  readonly #victims = new VictimQueues()
  readonly #commits: GroupCommit<Work>
  #opened: PendingDatabase | undefined
  #held = 0
  #isClosing = false

  constructor(components: PendingMessageStoreComponents, init: PendingMessageStoreInit) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:pending-message-store')
    this.#directory = init.directory
    this.#limits = init.limits ?? DEFAULT_MAILBOX_LIMITS
    this.#sync = init.syncWrites ?? true
    this.#commits = new GroupCommit(
      works => this.#commit(works),
      error => this.#fatal(error)
    )
  }

  /** Opens the database, repairing it first if its files were found broken. @throws if it is locked or unreadable. */
  async open(): Promise<void> {
    this.#isClosing = false
    await mkdir(this.#directory, { recursive: true })
    const mark = join(this.#directory, REPAIR_MARK)
    const asked = await stat(mark).then(
      () => true,
      () => false
    )
    if (asked) await this.#repairFiles()
    try {
      this.#opened = await this.#openDatabase()
    } catch (error) {
      if (!isCorruption(error)) throw error
      await this.#repairFiles()
      this.#opened = await this.#openDatabase()
    }
    await rm(mark, { force: true })
    for await (const value of this.#database.values(ALL_MAILBOXES)) {
      this.#held += MailboxCounters.decode(value)?.held ?? 0
    }
  }

  async close(): Promise<void> {
    await this.#commits.idle()
    // What still reads finds its iterator closed, which is no fault of the disk.
    this.#isClosing = true
    await this.#opened?.close()
    this.#opened = undefined
  }

  /** Deliveries held, of all mailboxes. */
  get heldCount(): number {
    return this.#held
  }

  get isUsable(): boolean {
    return this.#opened !== undefined && this.#commits.failure === undefined
  }

  /** Groups written and deliveries in them, for metrics. */
  get commits(): { groups: number; items: number } {
    return this.#commits
  }

  /**
   * Stores deliveries; resolves once they are fsynced.
   * @param onWriting - told the outcomes while the disk is still at work; must not throw.
   * @throws NodeError `busy` or `store-failed`.
   */
  store(items: StoreItem[], onWriting?: (outcomes: StoreOutcome[]) => void): Promise<StoreOutcome[]> {
    const outcomes: StoreOutcome[] = []
    const names = items.map(({ mailbox, delivery }) => ({ mailbox, id: delivery.id }))
    const evicted = new Map<string, { mailbox: DeviceId; ids: DeliveryId[] }>()
    return this.#run<{ outcomes: StoreOutcome[]; evictions: [DeviceId, Uint8Array][] }>({
      size: items.length,
      names,
      apply: async transaction => {
        for (const item of items) outcomes.push(await this.#storeOne(transaction, item, evicted))
        const evictions: [DeviceId, Uint8Array][] = []
        for (const { mailbox, ids } of evicted.values()) {
          for (let from = 0; from < ids.length; from += EVICTION_IDS) {
            const some = ids.slice(from, from + EVICTION_IDS)
            evictions.push([mailbox, await this.#recordEviction(transaction, mailbox, some)])
          }
        }
        return { outcomes, evictions }
      },
      ...(onWriting && { onWriting: () => onWriting(outcomes) })
    }).then(({ outcomes, evictions }) => {
      for (const [mailbox, eviction] of evictions) this.#components.events.onEvicted(mailbox, eviction)
      return outcomes
    })
  }

  /**
   * Removes what a device has acknowledged, and remembers it, also what never came here: a late copy must not revive it.
   * @param acknowledgement - the encoded, verified acknowledgement, kept as the reason.
   */
  async acknowledge(mailbox: DeviceId, ids: DeliveryId[], acknowledgement: Uint8Array): Promise<void> {
    await this.#remove(mailbox, ids, 'acknowledged', acknowledgement, () => true)
  }

  /**
   * Follows another replica's eviction for deliveries that are held here, in a mailbox that is nearly full here too: one
   * node alone must not be able to empty mailboxes.
   * @param eviction - the encoded, verified eviction.
   */
  async followEviction(mailbox: DeviceId, ids: DeliveryId[], eviction: Uint8Array): Promise<void> {
    await this.#remove(mailbox, ids, 'evicted', eviction, (entry, counters) => {
      if (entry?.state !== 'held') return false
      const { envelopes, bytes } = this.#limits
      return (
        counters.count(entry.class) >= FOLLOW_EVICTION_FROM * envelopes[entry.class] ||
        counters.bytesOf(entry.class) >= FOLLOW_EVICTION_FROM * bytes[entry.class]
      )
    })
  }

  /** Drops tombstones only, in a test that shows why they exist. */
  async dropTombstones(mailbox: DeviceId, ids: DeliveryId[]): Promise<void> {
    const names = ids.map(id => ({ mailbox, id }))
    await this.#run<void>({
      size: ids.length,
      names,
      apply: transaction => {
        for (const name of names) if (transaction.entry(name)?.state !== 'held') transaction.forget(name)
      }
    })
  }

  /** Drops deliveries whose bytes are broken, so that they are unknown here and come back from a replica. */
  async quarantine(mailbox: DeviceId, ids: DeliveryId[]): Promise<void> {
    const names = ids.map(id => ({ mailbox, id }))
    await this.#run<void>({
      size: ids.length,
      names,
      apply: transaction => {
        for (const name of names) if (transaction.entry(name)?.state === 'held') transaction.forget(name)
      }
    })
    this.#log.error('stored messages were corrupt', { mailbox: toLog(mailbox), count: ids.length })
    this.#components.events.onCorrupt(mailbox, ids)
  }

  /** Lets go of mailboxes' deliveries that other nodes have taken over. */
  async release(mailbox: DeviceId, ids: DeliveryId[]): Promise<void> {
    const names = ids.map(id => ({ mailbox, id }))
    await this.#run<void>({
      size: ids.length,
      names,
      apply: transaction => {
        for (const name of names) transaction.forget(name)
      }
    })
  }

  /**
   * Restores entries of intact deliveries, and drops bytes that no entry points to. For the scrubber.
   * @returns how many entries were restored.
   */
  reconcile(found: { mailbox: DeviceId; sequence: number; delivery: Delivery }[]): Promise<number> {
    return this.#run<number>({
      size: found.length,
      names: found.map(({ mailbox, delivery }) => ({ mailbox, id: delivery.id })),
      apply: transaction => {
        let restored = 0
        for (const { mailbox, sequence, delivery } of found) {
          const entry = transaction.entry({ mailbox, id: delivery.id })
          if (entry === undefined) {
            transaction.adopt(mailbox, delivery, sequence)
            restored += 1
          } else if (entry.state !== 'held' || entry.sequence !== sequence) {
            transaction.delete(deliveryKey(mailbox, sequence, delivery.id))
          }
        }
        return restored
      }
    })
  }

  /** Counts a mailbox again from its entries. */
  async recount(mailbox: DeviceId): Promise<void> {
    await this.#run<void>({
      size: 1,
      names: [{ mailbox, id: new Uint8Array(32) as DeliveryId }],
      apply: async transaction => transaction.recounted(mailbox, await this.#count(mailbox))
    })
  }

  /** What is known of deliveries, in their order. */
  async entries(names: DeliveryName[]): Promise<(Entry | undefined)[]> {
    const values = await this.#read(database => database.getMany(names.map(name => entryKey(name.mailbox, name.id))))
    return values.map(decodeEntry)
  }

  /**
   * Deliveries that arrived after a sequence, in order, without those that have expired. Broken ones are left out and
   * quarantined.
   */
  async pendingAfter(
    mailbox: DeviceId,
    after: number,
    max: { count: number; bytes: number }
  ): Promise<SequencedDelivery[]> {
    const found: SequencedDelivery[] = []
    const broken: DeliveryId[] = []
    const now = this.#components.clock()
    let size = 0
    await this.#read(async database => {
      for await (const [key, value] of database.iterator(deliveryRange(mailbox, after))) {
        size += value.length
        if (found.length > 0 && size > max.bytes) return
        const { sequence, id } = parseDeliveryKey(key)
        const delivery = this.#intact(mailbox, id, value)
        if (delivery === undefined) broken.push(id)
        else if (delivery.expiry >= now) found.push({ sequence, delivery })
        if (found.length >= max.count) return
      }
    })
    if (broken.length > 0) await this.quarantine(mailbox, broken)
    return found
  }

  /**
   * Ids that arrived in mailboxes after a sequence; all of them where the mailbox never had such a sequence. Mailboxes
   * without news are left out. `next` is where to go on.
   */
  async news(
    asked: { mailbox: DeviceId; after: number }[],
    limit: number
  ): Promise<{ mailbox: DeviceId; next: number; ids: DeliveryId[] }[]> {
    // In memory a sequence may run ahead of the disk, never behind: equal means nothing new.
    const changed = asked.filter(({ mailbox, after }) => this.#cache.get(byteKey(mailbox))?.sequence !== after)
    if (changed.length === 0) return []
    // The counters are read before the ids: what they count is then among the ids, or is gone.
    const keys = changed.map(({ mailbox }) => mailboxKey(this.#components.shardOf(mailbox), mailbox))
    const values = await this.#read(database => database.getMany(keys))
    const news: { mailbox: DeviceId; next: number; ids: DeliveryId[] }[] = []
    let left = limit
    for (const [index, { mailbox, after }] of changed.entries()) {
      const counters = values[index] && MailboxCounters.decode(values[index])
      if (counters === undefined || counters.sequence === after || left === 0) continue
      const found = await this.#idsAfter(mailbox, after > counters.sequence ? 0 : after, left)
      left -= found.ids.length
      news.push({ mailbox, next: left === 0 ? found.last : Math.max(found.last, counters.sequence), ids: found.ids })
    }
    return news
  }

  async #idsAfter(mailbox: DeviceId, after: number, limit: number): Promise<{ last: number; ids: DeliveryId[] }> {
    const ids: DeliveryId[] = []
    let last = after
    const keys = await this.#read(database => database.keys({ ...deliveryRange(mailbox, after), limit }).all())
    for (const key of keys) {
      const parsed = parseDeliveryKey(key)
      ids.push(parsed.id)
      last = parsed.sequence
    }
    return { last, ids }
  }

  /** Held and intact ones among some deliveries, within a number of bytes but at least one. Broken ones are quarantined. */
  async fetch(mailbox: DeviceId, ids: DeliveryId[], maxBytes: number): Promise<Delivery[]> {
    const entries = await this.entries(ids.map(id => ({ mailbox, id })))
    const found: Delivery[] = []
    const broken: DeliveryId[] = []
    let size = 0
    for (const [index, entry] of entries.entries()) {
      if (entry?.state !== 'held') continue
      const id = ids[index]!
      if (found.length > 0 && (size += entry.size) > maxBytes) break
      const value = await this.#read(database => database.get(deliveryKey(mailbox, entry.sequence, id)))
      const delivery = value && this.#intact(mailbox, id, value)
      if (delivery === undefined) broken.push(id)
      else found.push(delivery)
    }
    if (broken.length > 0) await this.quarantine(mailbox, broken)
    return found
  }

  /** The signed reasons why deliveries are gone, each once. */
  async proofs(
    mailbox: DeviceId,
    ids: DeliveryId[]
  ): Promise<{ state: 'acknowledged' | 'evicted'; proof: Uint8Array }[]> {
    const entries = await this.entries(ids.map(id => ({ mailbox, id })))
    const hashes = new Map<string, { state: 'acknowledged' | 'evicted'; hash: Uint8Array }>()
    for (const entry of entries) {
      if (entry !== undefined && entry.state !== 'held') {
        hashes.set(byteKey(entry.proof), { state: entry.state, hash: entry.proof })
      }
    }
    const wanted = [...hashes.values()]
    const values = await this.#read(database => database.getMany(wanted.map(({ hash }) => proofKey(hash))))
    return wanted.flatMap(({ state }, index) => {
      const proof = values[index]
      return proof === undefined ? [] : [{ state, proof: Uint8Array.from(proof) }]
    })
  }

  /** Digests of a shard's mailboxes, in order, after one. */
  async digests(
    shard: number,
    after: DeviceId | null,
    limit: number
  ): Promise<{ mailbox: DeviceId; digest: Uint8Array }[]> {
    const page: { mailbox: DeviceId; digest: Uint8Array }[] = []
    await this.#read(async database => {
      for await (const [key, value] of database.iterator({ ...mailboxRange(shard, after), limit })) {
        const { mailbox } = parseMailboxKey(key)
        const counters = MailboxCounters.decode(value)
        page.push({ mailbox, digest: counters?.digest ?? new Uint8Array(16) })
      }
    })
    return page
  }

  /** Every entry of a mailbox that has not expired, in order of ids, after one. @returns also whether there are more. */
  async states(
    mailbox: DeviceId,
    after: DeliveryId | null,
    limit: number
  ): Promise<{ page: [DeliveryId, Entry][]; more: boolean }> {
    const page: [DeliveryId, Entry][] = []
    let read = 0
    await this.#read(async database => {
      for await (const [key, value] of database.iterator({ ...entryRange(mailbox, after), limit })) {
        read += 1
        const entry = decodeEntry(value)
        if (entry !== undefined) page.push([idOfEntryKey(key), entry])
      }
    })
    return { page, more: read === limit }
  }

  /** Counters of a mailbox; undefined if nothing is known of it. */
  async #readCounters(mailbox: DeviceId): Promise<MailboxCounters | undefined> {
    const cached = this.#cache.get(byteKey(mailbox))
    if (cached) return cached
    const key = mailboxKey(this.#components.shardOf(mailbox), mailbox)
    const value = await this.#read(database => database.get(key))
    return value && MailboxCounters.decode(value)
  }

  /** Deliveries held for a mailbox. */
  async heldIn(mailbox: DeviceId): Promise<number> {
    return (await this.#readCounters(mailbox))?.held ?? 0
  }

  /**
   * Removes what is due, a bounded step at a time, each its own write so that others come between.
   * @returns how many keys were due.
   */
  async sweep(): Promise<number> {
    const now = this.#components.clock()
    let total = 0
    for (;;) {
      const due = await this.#read(database => database.keys({ ...dueRange(now), limit: SWEEP_STEP }).all())
      if (due.length > 0) await this.#sweepStep(due, now)
      total += due.length
      if (due.length < SWEEP_STEP) return total
    }
  }

  async #sweepStep(due: Buffer[], now: number): Promise<void> {
    const targets = due.map(parseExpiryKey)
    const names = targets.flatMap(target => (target.kind === 'entry' ? [target] : []))
    await this.#run<void>({
      size: due.length,
      names,
      apply: transaction => {
        for (const [index, target] of targets.entries()) {
          // The key goes in any case: one that points nowhere must not come up again.
          transaction.delete(due[index]!)
          if (target.kind === 'proof') transaction.delete(proofKey(target.hash))
          else if (isDue(transaction.entry(target), now)) transaction.forget(target)
        }
      }
    })
  }

  /** The database itself, for the scrubber's own reading. */
  read<T>(reader: (database: PendingDatabase) => Promise<T>): Promise<T> {
    return this.#read(reader)
  }

  /** Decodes stored bytes if they are the delivery they should be. */
  #intact(mailbox: DeviceId, id: DeliveryId, value: Uint8Array): Delivery | undefined {
    const { crypto, network } = this.#components
    const delivery = decodeDelivery(value)
    if (delivery === undefined || byteKey(delivery.id) !== byteKey(id)) return undefined
    return isDeliveryIntact(crypto, network, mailbox, delivery) ? delivery : undefined
  }

  /** As {@link #intact}, for the scrubber. */
  intact(mailbox: DeviceId, id: DeliveryId, value: Uint8Array): Delivery | undefined {
    return this.#intact(mailbox, id, value)
  }

  async #storeOne(
    transaction: StoreTransaction,
    { mailbox, delivery, origin }: StoreItem,
    evicted: Map<string, { mailbox: DeviceId; ids: DeliveryId[] }>
  ): Promise<StoreOutcome> {
    const known = transaction.entry({ mailbox, id: delivery.id })
    if (known !== undefined) return { state: known.state === 'held' ? 'known' : known.state }
    const encoded = encodeDelivery(delivery)
    const counters = transaction.counters(mailbox)
    const most = this.#limits.envelopes[delivery.class]
    const share = this.#limits.originShare
    if (share < 1 && origin !== 0 && (counters.origins.get(origin) ?? 0) >= most * share) return { state: 'full' }
    while (!this.#hasRoom(counters, delivery.class, encoded.length)) {
      const victim = await this.#oldest(transaction, mailbox, delivery.class)
      const own = { expiry: delivery.expiry, id: byteKey(delivery.id) }
      if (victim === undefined || compareVictims(own, victim) < 0) return { state: 'full' }
      const id = victimId(victim)
      // The reason is signed once per group; until then its place is empty.
      transaction.remove({ mailbox, id }, 'evicted', new Uint8Array(PROOF_HASH_BYTES))
      const group = evicted.get(byteKey(mailbox)) ?? { mailbox, ids: [] }
      group.ids.push(id)
      evicted.set(byteKey(mailbox), group)
    }
    const sequence = transaction.hold(mailbox, delivery, encoded, origin)
    this.#victims.held(mailbox, delivery.class, delivery.expiry, delivery.id)
    return { state: 'stored', sequence }
  }

  #hasRoom(counters: MailboxCounters, envelopeClass: EnvelopeClass, size: number): boolean {
    const { envelopes, bytes } = this.#limits
    return (
      counters.count(envelopeClass) < envelopes[envelopeClass] &&
      counters.bytesOf(envelopeClass) + size <= bytes[envelopeClass]
    )
  }

  /** The held delivery of a class that goes first. */
  async #oldest(
    transaction: StoreTransaction,
    mailbox: DeviceId,
    envelopeClass: EnvelopeClass
  ): Promise<Victim | undefined> {
    for (let scans = 0; scans < 2;) {
      let queue = this.#victims.get(mailbox, envelopeClass)
      if (queue === undefined || queue.length === 0) {
        scans += 1
        queue = this.#victims.fill(mailbox, envelopeClass, await this.#heldVictims(transaction, mailbox, envelopeClass))
      }
      while (queue.length > 0) {
        const victim = queue[0]!
        const name = { mailbox, id: victimId(victim) }
        await transaction.load(this.#database, [name], () => this.#count(mailbox))
        if (transaction.entry(name)?.state === 'held') return victim
        queue.shift()
      }
    }
    return undefined
  }

  /** All held deliveries of a class, as they will be after the writes so far. */
  async #heldVictims(
    transaction: StoreTransaction,
    mailbox: DeviceId,
    envelopeClass: EnvelopeClass
  ): Promise<Victim[]> {
    const victims: Victim[] = []
    for await (const [key, value] of this.#database.iterator(entryRange(mailbox, null))) {
      const id = idOfEntryKey(key)
      if (transaction.isLoaded({ mailbox, id })) continue
      const entry = decodeEntry(value)
      if (entry?.state === 'held' && entry.class === envelopeClass)
        victims.push({ expiry: entry.expiry, id: byteKey(id) })
    }
    for (const [id, entry] of transaction.loadedEntries(mailbox)) {
      if (entry.state === 'held' && entry.class === envelopeClass) victims.push({ expiry: entry.expiry, id })
    }
    return victims
  }

  async #recordEviction(transaction: StoreTransaction, mailbox: DeviceId, ids: DeliveryId[]): Promise<Uint8Array> {
    const eviction = await this.#components.events.signEviction(mailbox, ids)
    const hash = this.#proofHash(eviction)
    let until = 0
    for (const id of ids) until = Math.max(until, transaction.setProof({ mailbox, id }, hash))
    transaction.keepProof(hash, eviction, until)
    return eviction
  }

  async #remove(
    mailbox: DeviceId,
    ids: DeliveryId[],
    state: 'acknowledged' | 'evicted',
    proof: Uint8Array,
    applies: (entry: Entry | undefined, counters: MailboxCounters) => boolean
  ): Promise<void> {
    const names = ids.map(id => ({ mailbox, id }))
    const hash = this.#proofHash(proof)
    await this.#run<void>({
      size: ids.length,
      names,
      apply: transaction => {
        let until = 0
        for (const name of names) {
          const entry = transaction.entry(name)
          if (!applies(entry, transaction.counters(mailbox))) continue
          until = Math.max(until, transaction.remove(name, state, hash))
        }
        if (until > 0) transaction.keepProof(hash, proof, until)
      }
    })
  }

  #proofHash(proof: Uint8Array): Uint8Array {
    return this.#components.crypto.sha256(proof).slice(0, PROOF_HASH_BYTES)
  }

  /** Counts a mailbox from its entries: its record was broken, or is not to be trusted. */
  async #count(mailbox: DeviceId): Promise<MailboxCounters> {
    const counters = new MailboxCounters()
    for await (const [key, value] of this.#database.iterator(entryRange(mailbox, null))) {
      const entry = decodeEntry(value)
      const id = idOfEntryKey(key)
      if (entry?.state === 'held') {
        counters.addHeld(id, entry.class, entry.size, entry.origin)
        counters.sequence = Math.max(counters.sequence, entry.sequence)
      } else if (entry !== undefined) counters.addGone(id, false)
    }
    counters.sequence = Math.max(counters.sequence, Math.floor(this.#components.clock() / 1000))
    return counters
  }

  #run<T>(work: Work): Promise<T> {
    return this.#commits.run<T>(work)
  }

  async #commit(works: Work[]): Promise<unknown[]> {
    const transaction = new StoreTransaction(this.#components.shardOf, this.#cache, this.#components.clock())
    await transaction.load(
      this.#database,
      works.flatMap(work => work.names),
      mailbox => this.#count(mailbox)
    )
    const results: unknown[] = []
    for (const work of works) results.push(await work.apply(transaction))
    const writes = transaction.finish()
    const written = writes.length > 0 ? this.#database.batch(writes, { sync: this.#sync }) : undefined
    for (const { onWriting } of works) onWriting?.()
    await written
    this.#cache.trim()
    this.#held += transaction.heldChange
    return results
  }

  async #read<T>(reader: (database: PendingDatabase) => Promise<T>): Promise<T> {
    try {
      return await reader(this.#database)
    } catch (error) {
      if (this.#opened === undefined || this.#isClosing) throw error
      throw this.#commits.fail(error)
    }
  }

  get #database(): PendingDatabase {
    if (this.#opened === undefined) throw new Error('the pending store is not open')
    return this.#opened
  }

  async #openDatabase(): Promise<PendingDatabase> {
    const database: PendingDatabase = new ClassicLevel(join(this.#directory, 'db'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      // Ciphertext does not get smaller.
      compression: false,
      writeBufferSize: 16 * 1024 * 1024,
      cacheSize: 16 * 1024 * 1024
    })
    try {
      await database.open()
    } catch (error) {
      throw (error as Error).cause ?? error
    }
    return database
  }

  async #repairFiles(): Promise<void> {
    this.#log.error('repairing the files of the pending store')
    await ClassicLevel.repair(join(this.#directory, 'db'))
  }

  #fatal(error: Error): void {
    const cause = error.cause
    this.#log.error('the pending store failed', { cause: String(cause) })
    if (isCorruption(cause)) {
      writeFile(join(this.#directory, REPAIR_MARK), '').catch(() => this.#log.error('no mark for repair could be left'))
    }
    this.#components.events.onFatal(error)
  }
}

function isDue(entry: Entry | undefined, now: number): boolean {
  if (entry === undefined) return false
  return (entry.state === 'held' ? entry.expiry : entry.until) <= now
}

function isCorruption(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: unknown }
  return code === 'LEVEL_CORRUPTION' || (cause !== undefined && isCorruption(cause))
}

const toLog = (mailbox: DeviceId): string => Buffer.from(mailbox).toString('hex')

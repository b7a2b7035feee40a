/** Reading what waits for devices. Deliveries are checked against their id whenever they are read; broken ones never leave. */
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { TOMBSTONE_GRACE_MS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { isDeliveryIntact, type Delivery, type DeliveryId } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import { agedKeyOf, isAged } from './aged-tombstones.ts'
import { MailboxCounters } from './mailbox-counters.ts'
import { decodeLoss, type MailboxLoss } from './mailbox-losses.ts'
import {
  ALL_MAILBOXES,
  decodeDelivery,
  decodeEntry,
  deliveryKey,
  deliveryRange,
  entryKey,
  entryRange,
  lossKey,
  idOfEntryKey,
  mailboxKey,
  mailboxRange,
  mailboxRangeFrom,
  parseDeliveryKey,
  parseMailboxKey,
  PROOF_HASH_BYTES,
  proofKey,
  tokenKey,
  tokenRange,
  tokenRangeFrom,
  type Entry
} from './pending-records.ts'
import { CountersCache, type DeliveryName, type PendingDatabase } from './store-transaction.ts'

/** A delivery read in order of arrival. */
export interface SequencedDelivery {
  sequence: number
  delivery: Delivery
}

/** A mailbox and the digest of what it holds. */
export interface MailboxDigest {
  shard: number
  mailbox: DeviceId
  digest: Uint8Array
}

/** What reading needs to know. */
export interface PendingReaderComponents {
  crypto: Crypto
  network: NetworkId
  clock: Clock
  shardOf: (mailbox: DeviceId) => number
}

/** The reading half of {@link PendingMessageStore}. */
export abstract class PendingMessageReader {
  /** Counters as they will be once what is being written is on disk. */
  protected readonly cache = new CountersCache()
  protected abstract readonly components: PendingReaderComponents
  /** @throws if it is not open. */
  protected abstract readonly database: PendingDatabase

  /** What a failed read is told as, after the store has drawn its conclusion. */
  protected abstract readFailed(error: unknown): unknown
  /** Drops deliveries whose bytes are broken, so that they are unknown here and come back from a replica. */
  abstract quarantine(mailbox: DeviceId, ids: DeliveryId[]): Promise<void>

  /** What is known of deliveries, in their order; of aged tombstones only where the expiry is given. */
  async entries(names: DeliveryName[]): Promise<(Entry | undefined)[]> {
    const values = await this.read(database => database.getMany(names.map(name => entryKey(name.mailbox, name.id))))
    const entries = values.map(decodeEntry)
    const unknown = names.flatMap(({ mailbox, id, expiry }, index) =>
      entries[index] === undefined && expiry !== undefined ? [{ mailbox, id, expiry, index }] : []
    )
    if (unknown.length === 0) return entries
    const records = await this.read(database => database.getMany(unknown.map(agedKeyOf)))
    for (const [place, { id, expiry, index }] of unknown.entries()) {
      if (!isAged(records[place], id)) continue
      const until = expiry + TOMBSTONE_GRACE_MS
      entries[index] = { state: 'acknowledged', expiry, until, proof: new Uint8Array(PROOF_HASH_BYTES) }
    }
    return entries
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
    const now = this.components.clock()
    let size = 0
    await this.read(async database => {
      for await (const [key, value] of database.iterator(deliveryRange(mailbox, after))) {
        size += value.length
        if (found.length > 0 && size > max.bytes) return
        const { sequence, id } = parseDeliveryKey(key)
        const delivery = this.intact(mailbox, id, value)
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
    const changed = asked.filter(({ mailbox, after }) => this.cache.get(byteKey(mailbox))?.sequence !== after)
    if (changed.length === 0) return []
    // The counters are read before the ids: what they count is then among the ids, or is gone.
    const keys = changed.map(({ mailbox }) => mailboxKey(this.components.shardOf(mailbox), mailbox))
    const values = await this.read(database => database.getMany(keys))
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
    const keys = await this.read(database => database.keys({ ...deliveryRange(mailbox, after), limit }).all())
    for (const key of keys) {
      const parsed = parseDeliveryKey(key)
      ids.push(parsed.id)
      last = parsed.sequence
    }
    return { last, ids }
  }

  /** What a mailbox lost since its device last said that it knows; undefined if nothing. */
  async lossOf(mailbox: DeviceId): Promise<MailboxLoss | undefined> {
    return decodeLoss(await this.read(database => database.get(lossKey(mailbox))))
  }

  /** Held and intact ones among some deliveries, within a number of bytes but at least one. Broken ones are quarantined. */
  async fetch(mailbox: DeviceId, ids: DeliveryId[], maxBytes: number): Promise<Delivery[]> {
    const entries = await this.entries(ids.map(id => ({ mailbox, id })))
    const found: Delivery[] = []
    const broken: { id: DeliveryId; sequence: number }[] = []
    let size = 0
    for (const [index, entry] of entries.entries()) {
      if (entry?.state !== 'held') continue
      const id = ids[index]!
      if (found.length > 0 && (size += entry.size) > maxBytes) break
      const value = await this.read(database => database.get(deliveryKey(mailbox, entry.sequence, id)))
      const delivery = value && this.intact(mailbox, id, value)
      if (delivery === undefined) broken.push({ id, sequence: entry.sequence })
      else found.push(delivery)
    }
    if (broken.length > 0) await this.#quarantineHeld(mailbox, broken)
    return found
  }

  /** Between two reads a delivery may have been acknowledged; only what still stands where it stood is broken. */
  async #quarantineHeld(mailbox: DeviceId, broken: { id: DeliveryId; sequence: number }[]): Promise<void> {
    const entries = await this.entries(broken.map(({ id }) => ({ mailbox, id })))
    const held = broken.filter(({ sequence }, index) => {
      const entry = entries[index]
      return entry?.state === 'held' && entry.sequence === sequence
    })
    if (held.length === 0) return
    await this.quarantine(
      mailbox,
      held.map(({ id }) => id)
    )
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
    const values = await this.read(database => database.getMany(wanted.map(({ hash }) => proofKey(hash))))
    return wanted.flatMap(({ state }, index) => {
      const proof = values[index]
      return proof === undefined ? [] : [{ state, proof: Uint8Array.from(proof) }]
    })
  }

  /** The encoded token of a mailbox, undefined if it has none here. */
  async token(mailbox: DeviceId): Promise<Uint8Array | undefined> {
    const key = tokenKey(this.components.shardOf(mailbox), mailbox)
    const value = await this.read(database => database.get(key))
    return value && Uint8Array.from(value)
  }

  /** Mailboxes of a shard whose token is here. */
  async mailboxesWithToken(shard: number): Promise<DeviceId[]> {
    const keys = await this.read(database => database.keys(tokenRange(shard)).all())
    return keys.map(key => parseMailboxKey(key).mailbox)
  }

  /** Digests of the mailboxes of shards, which go up, in order, after a mailbox of the first shard. */
  async digests(shards: number[], after: DeviceId | null, limit: number): Promise<MailboxDigest[]> {
    const page: MailboxDigest[] = []
    await this.read(async database => {
      for (const [index, { first, last }] of runsOf(shards).entries()) {
        if (page.length >= limit) return
        const range = mailboxRange(first, index === 0 ? after : null, last)
        for await (const [key, value] of database.iterator({ ...range, limit: limit - page.length })) {
          page.push({ ...parseMailboxKey(key), digest: digestIn(value) })
        }
      }
    })
    return page
  }

  /** Digests of mailboxes, in their order; undefined where nothing is known of one. */
  async digestsOf(mailboxes: DeviceId[]): Promise<(Uint8Array | undefined)[]> {
    const keys = mailboxes.map(mailbox => mailboxKey(this.components.shardOf(mailbox), mailbox))
    const values = await this.read(database => database.getMany(keys))
    return values.map(value => value && digestIn(value))
  }

  /** Shards of which anything is here, mailboxes or tokens, in order. @param isSkipped - for shards that are not looked for. */
  async shardsHeld(isSkipped: (shard: number) => boolean): Promise<number[]> {
    const found = new Set<number>()
    await this.read(async database => {
      for (const rangeOf of [mailboxRangeFrom, tokenRangeFrom]) {
        for (let shard = 0; ;) {
          while (isSkipped(shard)) shard += 1
          const [key] = await database.keys({ ...rangeOf(shard), limit: 1 }).all()
          if (key === undefined) break
          const next = parseMailboxKey(key).shard
          if (!isSkipped(next)) found.add(next)
          shard = next + 1
        }
      }
    })
    return [...found].sort((a, b) => a - b)
  }

  /** How much each shard holds, for the operator. Shards without mailboxes are left out. */
  async countShards(): Promise<Map<number, { mailboxes: number; pending: number }>> {
    const counts = new Map<number, { mailboxes: number; pending: number }>()
    await this.read(async database => {
      for await (const [key, value] of database.iterator(ALL_MAILBOXES)) {
        const { shard } = parseMailboxKey(key)
        const count = counts.get(shard) ?? { mailboxes: 0, pending: 0 }
        count.mailboxes += 1
        count.pending += MailboxCounters.decode(value)?.held ?? 0
        counts.set(shard, count)
      }
    })
    return counts
  }

  /** Every entry of a mailbox that has not expired, in order of ids, after one. @returns also whether there are more. */
  async states(
    mailbox: DeviceId,
    after: DeliveryId | null,
    limit: number
  ): Promise<{ page: [DeliveryId, Entry][]; more: boolean }> {
    const page: [DeliveryId, Entry][] = []
    let read = 0
    await this.read(async database => {
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
    const cached = this.cache.get(byteKey(mailbox))
    if (cached) return cached
    const key = mailboxKey(this.components.shardOf(mailbox), mailbox)
    const value = await this.read(database => database.get(key))
    return value && MailboxCounters.decode(value)
  }

  /** Deliveries held for a mailbox. */
  async heldIn(mailbox: DeviceId): Promise<number> {
    return (await this.#readCounters(mailbox))?.held ?? 0
  }

  /**
   * Reads the database itself. A failure of the disk makes the store unusable.
   * @throws NodeError `store-failed`.
   */
  async read<T>(reader: (database: PendingDatabase) => Promise<T>): Promise<T> {
    try {
      return await reader(this.database)
    } catch (error) {
      throw this.readFailed(error)
    }
  }

  /** Decodes stored bytes if they are the delivery they should be. */
  intact(mailbox: DeviceId, id: DeliveryId, value: Uint8Array): Delivery | undefined {
    const { crypto, network } = this.components
    const delivery = decodeDelivery(value)
    if (delivery === undefined || byteKey(delivery.id) !== byteKey(id)) return undefined
    return isDeliveryIntact(crypto, network, mailbox, delivery) ? delivery : undefined
  }
}

/** Of counters that are damaged it is one that no other replica has. */
const digestIn = (value: Uint8Array): Uint8Array => MailboxCounters.decode(value)?.digest ?? new Uint8Array(16)

/** Neighbours among numbers that go up, together: one read finds what one run has. */
function runsOf(shards: number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = []
  for (const shard of shards) {
    const run = runs.at(-1)
    if (run?.last === shard - 1) run.last = shard
    else runs.push({ first: shard, last: shard })
  }
  return runs
}

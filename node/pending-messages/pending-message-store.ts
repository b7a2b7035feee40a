/**
 * Messages that wait for their devices, on disk. Everything about one delivery changes in one atomic batch: its bytes,
 * its entry, its expiry and its mailbox's counters.
 *
 * Writes go through {@link GroupCommit}, one after another, so the checks of every write (known? gone? room?) see all
 * writes before it.
 */
import { snapshotOf, type StoreSnapshot } from '../../chain/store/store-dump.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { Delivery, DeliveryId } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import { GroupCommit, type Sized } from './group-commit.ts'
import { MailboxCounters } from './mailbox-counters.ts'
import { countMailbox, DEFAULT_MAILBOX_LIMITS, MailboxRoom } from './mailbox-room.ts'
import { askForRepair, isCorruption, openPendingDatabase } from './pending-database.ts'
import { PendingMessageReader, type PendingReaderComponents } from './pending-message-reader.ts'
import { readAging } from './aged-tombstones.ts'
import { endDue, namesOf, NO_ID } from './due.ts'
import {
  ALL_MAILBOXES,
  deliveryKey,
  dueRange,
  encodeDelivery,
  parseExpiryKey,
  PROOF_HASH_BYTES,
  tokenKey,
  type Entry
} from './pending-records.ts'
import type { Logger, MailboxLimits } from '../ports.ts'
import type { StoreEvents, StoreItem, StoreOutcome } from './store-item.ts'
import { StoreTransaction, type DeliveryName, type PendingDatabase, type Write } from './store-transaction.ts'

/** Deliveries that one signed eviction names. */
const EVICTION_IDS = 512
/** Expired entries removed by one step of a sweep. */
export const SWEEP_STEP = 1000
/** Deliveries that one step touches. */
const SWEEP_NAMES = 2_000

export interface PendingMessageStoreComponents extends PendingReaderComponents {
  logger: Logger
  events: StoreEvents
}

export interface PendingMessageStoreInit {
  directory: string
  limits?: MailboxLimits
}

interface Work extends Sized {
  names: DeliveryName[]
  apply(transaction: StoreTransaction): Promise<unknown> | unknown
  /** Told while the disk is still at work. Never throws. */
  onWriting?: () => void
}

/** Tag by which a mailbox counts its origins apart: never 0, which means none. */
export function originTag(nodeKey: Uint8Array): number {
  return ((nodeKey[0]! << 24) | (nodeKey[1]! << 16) | (nodeKey[2]! << 8) | nodeKey[3]! | 1) >>> 0
}

export class PendingMessageStore extends PendingMessageReader {
  protected override readonly components: PendingMessageStoreComponents
  readonly #log: Logger
  readonly #directory: string
  readonly #room: MailboxRoom
  readonly #commits: GroupCommit<Work>
  #opened: PendingDatabase | undefined
  #held = 0
  #isClosing = false

  constructor(components: PendingMessageStoreComponents, init: PendingMessageStoreInit) {
    super()
    this.components = components
    this.#log = components.logger.forComponent('volo:pending-message-store')
    this.#directory = init.directory
    this.#room = new MailboxRoom(init.limits ?? DEFAULT_MAILBOX_LIMITS, () => this.database, components.clock)
    this.#commits = new GroupCommit(
      works => this.#commit(works),
      error => this.#fatal(error)
    )
  }

  /** Opens the database, see {@link openPendingDatabase}. */
  async open(): Promise<void> {
    this.#isClosing = false
    this.#opened = await openPendingDatabase(this.#directory, this.#log)
    this.#held = 0
    for await (const value of this.database.values(ALL_MAILBOXES)) {
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

  /** All of it at this moment, for a backup: whatever was acknowledged before is in it. */
  snapshot(): Promise<StoreSnapshot> {
    return snapshotOf(this.database)
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
    const names = items.map(({ mailbox, delivery: { id, expiry } }) => ({ mailbox, id, expiry }))
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
      for (const [mailbox, eviction] of evictions) this.components.events.onEvicted(mailbox, eviction)
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
   * @param signer - tag of the node that signed it.
   */
  async followEviction(mailbox: DeviceId, ids: DeliveryId[], eviction: Uint8Array, signer: number): Promise<void> {
    await this.#remove(mailbox, ids, 'evicted', eviction, (entry, counters) => {
      return entry?.state === 'held' && this.#room.isNearlyFull(counters, entry.class, signer)
    })
  }

  override async quarantine(mailbox: DeviceId, ids: DeliveryId[]): Promise<void> {
    const names = ids.map(id => ({ mailbox, id }))
    await this.#run<void>({
      size: ids.length,
      names,
      apply: transaction => {
        for (const name of names) if (transaction.entry(name)?.state === 'held') transaction.forget(name)
      }
    })
    this.#log.error('stored messages were corrupt', { mailbox: toHex(mailbox), count: ids.length })
    this.components.events.onCorrupt(mailbox, ids)
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

  /** Keeps the encoded token of a mailbox, fsynced, or drops it. The caller has checked it. */
  setToken(mailbox: DeviceId, token: Uint8Array | undefined): Promise<void> {
    const key = tokenKey(this.components.shardOf(mailbox), mailbox)
    const apply = (changes: StoreTransaction) => (token ? changes.put(key, token) : changes.delete(key))
    return this.#run<void>({ size: 1, names: [], apply })
  }

  /** A device knows what its mailbox lost up to a time, see {@link MailboxLoss}. */
  clearLoss(mailbox: DeviceId, through: number): Promise<void> {
    const apply = (changes: StoreTransaction) => changes.losses.clear(mailbox, through)
    return this.#run<void>({ size: 1, names: [], apply })
  }

  /** Makes held deliveries whose proof holds count as ones of contacts: they may have come before the token. */
  promote(mailbox: DeviceId, ids: DeliveryId[]): Promise<void> {
    const names = ids.map(id => ({ mailbox, id }))
    const apply = (changes: StoreTransaction) => names.forEach(name => this.#room.promote(changes, name))
    return this.#run<void>({ size: ids.length, names, apply })
  }

  /** Counts a mailbox again from its entries. */
  async recount(mailbox: DeviceId): Promise<void> {
    await this.#run<void>({
      size: 1,
      names: [{ mailbox, id: NO_ID }],
      apply: async transaction => {
        const counted = await this.#count(transaction, mailbox)
        transaction.recounted(mailbox, counted.succeeding(transaction.counters(mailbox)))
      }
    })
  }

  /**
   * Removes what is due, a bounded step at a time, each its own write so that others come between.
   * @returns how many keys were due.
   */
  async sweep(): Promise<number> {
    const now = this.components.clock()
    let total = 0
    for (;;) {
      const due = await this.read(database => database.keys({ ...dueRange(now), limit: SWEEP_STEP }).all())
      if (due.length > 0) await this.#sweepStep(due, now)
      total += due.length
      if (due.length < SWEEP_STEP) return total
    }
  }

  async #sweepStep(due: Buffer[], now: number): Promise<void> {
    const targets = due.map(parseExpiryKey)
    const tombstones = await this.read(database => readAging(database, targets, due))
    const names = namesOf(targets, tombstones)
    if (names.length > SWEEP_NAMES && due.length > 1) {
      // One acknowledgement has up to 256 ids: other writes wait meanwhile.
      const half = due.length >> 1
      await this.#sweepStep(due.slice(0, half), now)
      return this.#sweepStep(due.slice(half), now)
    }
    await this.#run<void>({
      size: due.length,
      names,
      apply: async transaction => {
        await transaction.loadAged(this.database, names)
        for (const [place, target] of targets.entries()) {
          // The key goes in any case: one that points nowhere must not come up again.
          transaction.delete(due[place]!)
          endDue(transaction, target, place, tombstones, now)
        }
      }
    })
  }

  async #storeOne(
    transaction: StoreTransaction,
    { mailbox, delivery, countsAs: envelopeClass = delivery.class, origin, isBrought = false }: StoreItem,
    evicted: Map<string, { mailbox: DeviceId; ids: DeliveryId[] }>
  ): Promise<StoreOutcome> {
    const known = transaction.entry({ mailbox, id: delivery.id })
    if (known !== undefined) return { state: known.state === 'held' ? 'known' : known.state }
    if (transaction.isAged({ mailbox, id: delivery.id, expiry: delivery.expiry })) return { state: 'acknowledged' }
    const encoded = encodeDelivery(delivery)
    const newcomer = { mailbox, delivery, envelopeClass, size: encoded.length, origin, isBrought }
    const hasRoom = await this.#room.makeFor(transaction, newcomer, id => {
      // The reason is signed once per group; until then its place is empty.
      const group = evicted.get(byteKey(mailbox)) ?? { mailbox, ids: [] }
      group.ids.push(id)
      evicted.set(byteKey(mailbox), group)
    })
    if (!hasRoom) return { state: 'full' }
    const sequence = transaction.hold(mailbox, delivery, encoded, { origin, envelopeClass })
    this.#room.noteHeld(mailbox, envelopeClass, delivery)
    return { state: 'stored', sequence }
  }

  async #recordEviction(transaction: StoreTransaction, mailbox: DeviceId, ids: DeliveryId[]): Promise<Uint8Array> {
    const eviction = await this.components.events.signEviction(mailbox, ids)
    const hash = this.#proofHash(eviction)
    const until = Math.max(0, ...ids.map(id => transaction.setProof({ mailbox, id }, hash)))
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
        const aging: DeliveryId[] = []
        for (const name of names) {
          const entry = transaction.entry(name)
          if (!applies(entry, transaction.counters(mailbox))) continue
          const kept = transaction.remove(name, state, hash)
          // What was never seen has no expiry by which it would be found among the aged.
          if (kept > 0 && state === 'acknowledged' && entry !== undefined) aging.push(name.id)
          else until = Math.max(until, kept)
        }
        if (aging.length > 0) transaction.ageLater(mailbox, aging, hash, until === 0)
        if (aging.length > 0 || until > 0) transaction.keepProof(hash, proof, until > 0 ? until : undefined)
      }
    })
  }

  #proofHash(proof: Uint8Array): Uint8Array {
    return this.components.crypto.sha256(proof).slice(0, PROOF_HASH_BYTES)
  }

  #run<T>(work: Work): Promise<T> {
    return this.#commits.run<T>(work)
  }

  async #commit(works: Work[]): Promise<unknown[]> {
    const transaction = new StoreTransaction(this.components.shardOf, this.cache, this.components.clock())
    await transaction.load(
      this.database,
      works.flatMap(work => work.names),
      mailbox => this.#count(transaction, mailbox)
    )
    const results: unknown[] = []
    for (const work of works) results.push(await work.apply(transaction))
    const writes = await transaction.finish(this.database)
    const written = writes.length > 0 ? this.write(writes) : undefined
    for (const { onWriting } of works) onWriting?.()
    await written
    this.cache.trim()
    this.#held += transaction.heldChange
    return results
  }

  #count(transaction: StoreTransaction, mailbox: DeviceId): Promise<MailboxCounters> {
    return countMailbox(this.database, transaction, mailbox, this.components.clock())
  }

  /** Writes a group in one atomic batch. @returns once it is fsynced: only then may anything in it count as stored. */
  protected write(writes: Write[]): Promise<void> {
    return this.database.batch(writes, { sync: true })
  }

  protected override readFailed(error: unknown): unknown {
    return this.#opened === undefined || this.#isClosing ? error : this.#commits.fail(error)
  }

  protected override get database(): PendingDatabase {
    if (this.#opened === undefined) throw new Error('the pending store is not open')
    return this.#opened
  }

  #fatal(error: Error): void {
    const cause = error.cause
    this.#log.error('the pending store failed', { cause: String(cause) })
    if (isCorruption(cause)) askForRepair(this.#directory, this.#log)
    this.components.events.onFatal(error)
  }
}

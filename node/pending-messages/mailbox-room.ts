/** How much may wait for one device, and what goes when there is no room. */
import type { Clock } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { MAX_MAILBOX_BYTES, MAX_MAILBOX_ENVELOPES } from '../../protocol/limits.ts'
import type { Delivery, DeliveryId, EnvelopeClass } from '../../protocol/wire/envelope.ts'
import { bytesOfKey, byteKey } from '../byte-key.ts'
import { MailboxCounters } from './mailbox-counters.ts'
import {
  decodeEntry,
  deliveryRange,
  entryKey,
  entryRange,
  idOfEntryKey,
  parseDeliveryKey,
  PROOF_HASH_BYTES,
  type Entry
} from './pending-records.ts'
import type { DeliveryName, PendingDatabase, StoreTransaction } from './store-transaction.ts'
import { compareVictims, victimId, EvictionQueues, type Victim } from './eviction-queues.ts'
import type { MailboxLimits } from '../ports.ts'

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
/** Bytes that one step of a look through a full mailbox reads. */
const SCAN_BYTES = 1024 * 1024
/** Entries counted at a time. */
const SCAN_ENTRIES = 4096

/** What is to be stored: {@link size} in bytes, as stored. */
export interface Newcomer {
  mailbox: DeviceId
  delivery: Delivery
  /** That it counts as. */
  envelopeClass: EnvelopeClass
  size: number
  /** Tag of the node that it counts against; 0 for none. */
  origin: number
  /** Whether another replica brought it, without the batch that its origin signed. */
  isBrought?: boolean
}

export class MailboxRoom {
  readonly #limits: MailboxLimits
  readonly #database: () => PendingDatabase
  readonly #clock: Clock
  readonly #victims = new EvictionQueues()

  constructor(limits: MailboxLimits, database: () => PendingDatabase, clock: Clock) {
    this.#limits = limits
    this.#database = database
    this.#clock = clock
  }

  /**
   * Makes room for a delivery by removing, without a proof yet, what goes first.
   * @param onRemoved - told each delivery that went; also where there is no room in the end.
   * @returns whether there is room.
   */
  async makeFor(
    transaction: StoreTransaction,
    { mailbox, delivery, envelopeClass, size, origin, isBrought }: Newcomer,
    onRemoved: (id: DeliveryId) => void
  ): Promise<boolean> {
    const counters = transaction.counters(mailbox)
    if (!this.#hasShare(counters, envelopeClass, size, origin)) return false
    // What a replica brings may be made up: it takes free room only, and pushes out nothing that was shown as sent.
    if (isBrought) return this.#hasRoom(counters, envelopeClass, size)
    while (!this.#hasRoom(counters, envelopeClass, size)) {
      const victim = await this.#oldest(transaction, mailbox, envelopeClass)
      const own = { expiry: delivery.expiry, id: byteKey(delivery.id) }
      if (victim === undefined || compareVictims(own, victim) < 0) return false
      const id = victimId(victim)
      transaction.remove({ mailbox, id }, 'evicted', new Uint8Array(PROOF_HASH_BYTES))
      onRemoved(id)
    }
    return true
  }

  /** Makes a delivery that is held count as one of a contact, if there is room among those of contacts. */
  promote(transaction: StoreTransaction, name: DeliveryName): void {
    const entry = transaction.entry(name)
    if (entry?.state !== 'held' || entry.class !== 'request') return
    const { expiry, size, origin } = entry
    const counters = transaction.counters(name.mailbox)
    if (!this.#hasShare(counters, 'contact', size, origin) || !this.#hasRoom(counters, 'contact', size)) return
    transaction.reclassify(name, entry, 'contact')
    this.#victims.held(name.mailbox, 'contact', expiry, name.id)
  }

  /** A delivery was stored: it may have to go one day. */
  noteHeld(mailbox: DeviceId, envelopeClass: EnvelopeClass, { expiry, id }: Delivery): void {
    this.#victims.held(mailbox, envelopeClass, expiry, id)
  }

  /**
   * Whether a mailbox is so full that another replica's eviction is believable. What that replica brought itself does not
   * count: it could fill a mailbox first and then call for it to be emptied.
   * @param signer - tag of the replica.
   */
  isNearlyFull(counters: MailboxCounters, envelopeClass: EnvelopeClass, signer: number): boolean {
    const { envelopes, bytes } = this.#limits
    const count = counters.count(envelopeClass) - counters.countFrom(envelopeClass, signer)
    const size = counters.bytesOf(envelopeClass) - counters.bytesFrom(envelopeClass, signer)
    return (
      count >= FOLLOW_EVICTION_FROM * envelopes[envelopeClass] || size >= FOLLOW_EVICTION_FROM * bytes[envelopeClass]
    )
  }

  /** Whether an origin has not filled its share of a class, by number and by bytes. */
  #hasShare(counters: MailboxCounters, envelopeClass: EnvelopeClass, size: number, origin: number): boolean {
    const { envelopes, bytes, originShare: share } = this.#limits
    if (share >= 1 || origin === 0) return true
    return (
      counters.countFrom(envelopeClass, origin) < share * envelopes[envelopeClass] &&
      counters.bytesFrom(envelopeClass, origin) + size <= share * bytes[envelopeClass]
    )
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
        await transaction.load(this.#database(), [name], () =>
          countMailbox(this.#database(), transaction, mailbox, this.#clock())
        )
        const entry = transaction.entry(name)
        if (entry?.state === 'held' && entry.class === envelopeClass) return victim
        queue.shift()
      }
    }
    return undefined
  }

  /**
   * All held deliveries of a class, as they will be after the writes so far. Others wait meanwhile, so the tombstones, which
   * may be all that a device got within a month, are only passed where they are few.
   */
  async #heldVictims(
    transaction: StoreTransaction,
    mailbox: DeviceId,
    envelopeClass: EnvelopeClass
  ): Promise<Victim[]> {
    const victims: Victim[] = []
    const isFew = transaction.counters(mailbox).gone <= this.#limits.envelopes.contact
    for (const [id, value] of await (isFew ? this.#allEntries(mailbox) : this.#entriesOfBytes(mailbox))) {
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

  /** All entries, of tombstones too. */
  async #allEntries(mailbox: DeviceId): Promise<[DeliveryId, Uint8Array | undefined][]> {
    const found = await this.#database()
      .iterator({ ...entryRange(mailbox, null), highWaterMarkBytes: SCAN_BYTES })
      .all()
    return found.map(([key, value]) => [idOfEntryKey(key), value])
  }

  /** Entries of the deliveries whose bytes are here. Tombstones have none; but the bytes, though bounded, are more to pass. */
  async #entriesOfBytes(mailbox: DeviceId): Promise<[DeliveryId, Uint8Array | undefined][]> {
    const keys = await this.#database()
      .keys({ ...deliveryRange(mailbox, 0), highWaterMarkBytes: SCAN_BYTES })
      .all()
    const ids = keys.map(key => parseDeliveryKey(key).id)
    const values = await this.#database().getMany(ids.map(id => entryKey(mailbox, id)))
    return ids.map((id, index) => [id, values[index]])
  }
}

/**
 * Counts a mailbox from its entries: its record was broken, or is not to be trusted.
 * @returns counters as they will be after the writes so far.
 */
export async function countMailbox(
  database: PendingDatabase,
  transaction: StoreTransaction,
  mailbox: DeviceId,
  now: number
): Promise<MailboxCounters> {
  const counters = new MailboxCounters()
  const count = (id: DeliveryId, entry: Entry | undefined): void => {
    if (entry?.state === 'held') {
      counters.addHeld(id, entry.class, entry.size, entry.origin)
      counters.sequence = Math.max(counters.sequence, entry.sequence)
    } else if (entry !== undefined) counters.addGone(id, false)
  }
  await using iterator = database.iterator({ ...entryRange(mailbox, null), highWaterMarkBytes: SCAN_BYTES })
  for (let page = await iterator.nextv(SCAN_ENTRIES); page.length > 0; page = await iterator.nextv(SCAN_ENTRIES)) {
    for (const [key, value] of page) {
      const id = idOfEntryKey(key)
      if (!transaction.isLoaded({ mailbox, id })) count(id, decodeEntry(value))
    }
  }
  for (const [id, entry] of transaction.loadedEntries(mailbox)) count(bytesOfKey(id) as DeliveryId, entry)
  counters.sequence = Math.max(counters.sequence, Math.floor(now / 1000))
  return counters
}

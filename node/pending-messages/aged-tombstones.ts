/**
 * Tombstones that replicas need no longer prove to each other: eight bytes each, in one record for each mailbox and day on
 * which they end. What is left of them is that a late copy of the delivery does not come back.
 *
 * A record is found by the delivery's expiry, which its id covers. Someone who looks for an id with the same eight bytes as
 * another of the mailbox's finds one in 2^64 tries, and only keeps an own message from arriving.
 */
import { crc32 } from 'node:zlib'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { TOMBSTONE_GRACE_MS } from '../../protocol/limits.ts'
import type { DeliveryId } from '../../protocol/wire/envelope.ts'
import { byteKey } from '../byte-key.ts'
import { agedExpiryKey, agedKey, ID_BYTES, type Expiring, type PendingDatabase, type Write } from './pending-records.ts'

const DAY_MS = 86_400_000
/** Bytes of an id that are kept. */
export const AGED_BYTES = 8
const CRC_BYTES = 4

/** What may be among the aged ones: a delivery and its expiry. */
export interface AgedName {
  mailbox: DeviceId
  id: DeliveryId
  expiry: number
}

/** Days since 1970 at whose end nothing of a delivery is known any more. */
export const agedDay = (expiry: number): number => Math.floor((expiry + TOMBSTONE_GRACE_MS) / DAY_MS)

/** Key of the record that would have a delivery. */
export const agedKeyOf = ({ mailbox, expiry }: AgedName): Buffer => agedKey(mailbox, agedDay(expiry))

const shortId = (id: Uint8Array): string => byteKey(id.subarray(0, AGED_BYTES))

/** Ids of a record, shortened; none if it is not there, or is not what was written: such a delivery may come once more. */
export function agedIds(value: Uint8Array | undefined): Set<string> {
  const ids = new Set<string>()
  const end = (value?.length ?? 0) - CRC_BYTES
  if (value === undefined || end <= 0 || end % AGED_BYTES !== 0) return ids
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return ids
  for (let at = 0; at < end; at += AGED_BYTES) ids.add(shortId(bytes.subarray(at)))
  return ids
}

/** Whether a record has an id. */
export const isAged = (value: Uint8Array | undefined, id: DeliveryId): boolean => agedIds(value).has(shortId(id))

function encodeAged(ids: Set<string>): Buffer {
  const bytes = Buffer.alloc(ids.size * AGED_BYTES + CRC_BYTES)
  let at = 0
  for (const id of ids) at += bytes.write(id, at, 'latin1')
  bytes.writeUInt32BE(crc32(bytes.subarray(0, at)), at)
  return bytes
}

/** The aged tombstones that one group of changes looks at and adds to. */
export class AgedTombstones {
  /** Key of a record → its ids, as they will be. */
  readonly #records = new Map<string, Set<string>>()
  /** Keys of records that change, with the day of each; those in `#new` were not there. */
  readonly #changed = new Map<string, { mailbox: DeviceId; day: number }>()
  readonly #new = new Set<string>()
  readonly #removed: Buffer[] = []

  /** Reads the records that may have deliveries. */
  async load(database: PendingDatabase, names: AgedName[]): Promise<void> {
    const keys = new Map<string, Buffer>()
    for (const name of names) {
      const key = agedKeyOf(name)
      if (!this.#records.has(byteKey(key))) keys.set(byteKey(key), key)
    }
    if (keys.size === 0) return
    const values = await database.getMany([...keys.values()])
    for (const [index, key] of [...keys.keys()].entries()) {
      if (values[index] === undefined) this.#new.add(key)
      this.#records.set(key, agedIds(values[index]))
    }
  }

  /** Whether a delivery is among those that were loaded or added. */
  has(name: AgedName): boolean {
    return this.#records.get(byteKey(agedKeyOf(name)))?.has(shortId(name.id)) ?? false
  }

  /** Adds one whose record was loaded. */
  add(name: AgedName): void {
    const key = byteKey(agedKeyOf(name))
    this.#records.get(key)!.add(shortId(name.id))
    this.#changed.set(key, { mailbox: name.mailbox, day: agedDay(name.expiry) })
  }

  /** A record's day is over. */
  remove(mailbox: DeviceId, day: number): void {
    this.#removed.push(agedKey(mailbox, day))
  }

  writes(): Write[] {
    const writes = this.#removed.map((key): Write => ({ type: 'del', key }))
    for (const [key, { mailbox, day }] of this.#changed) {
      writes.push({ type: 'put', key: agedKey(mailbox, day), value: encodeAged(this.#records.get(key)!) })
      if (!this.#new.has(key)) continue
      const expiryKey = agedExpiryKey((day + 1) * DAY_MS, mailbox, day)
      writes.push({ type: 'put', key: expiryKey, value: new Uint8Array() })
    }
    return writes
  }
}

/** Value of the record that says which acknowledged deliveries age together: a byte whether their proof goes then, and the ids. */
export function encodeAging(ids: DeliveryId[], takesProof: boolean): Buffer {
  return Buffer.concat([Uint8Array.of(takesProof ? 1 : 0), ...ids])
}

/** @returns none for bytes that are not what was written: these tombstones stay as they are until their end. */
export function decodeAging(value: Uint8Array | undefined): { ids: DeliveryId[]; takesProof: boolean } {
  if (value === undefined || (value.length - 1) % ID_BYTES !== 0) return { ids: [], takesProof: true }
  const ids: DeliveryId[] = []
  for (let at = 1; at < value.length; at += ID_BYTES)
    ids.push(Uint8Array.from(value.subarray(at, at + ID_BYTES)) as DeliveryId)
  return { ids, takesProof: value[0] === 1 }
}

/** What a sweep needs to know about aged tombstones, by the place of a key among those that are due. */
export interface DueTombstones {
  /** Those of one acknowledgement that age now. */
  aging: Map<number, ReturnType<typeof decodeAging>>
  /** How many end with their day. */
  aged: Map<number, number>
}

/** Reads it; nothing changes these values any more. @param due - the keys of the targets. */
export async function readAging(database: PendingDatabase, targets: Expiring[], due: Buffer[]): Promise<DueTombstones> {
  const placed = targets.map((target, place) => ({ target, place }))
  const begins = placed.filter(({ target }) => target.kind === 'aging')
  const ends = placed.flatMap(({ target, place }) => (target.kind === 'aged' ? [{ ...target, place }] : []))
  const keys = [...begins.map(({ place }) => due[place]!), ...ends.map(({ mailbox, day }) => agedKey(mailbox, day))]
  const values = keys.length > 0 ? await database.getMany(keys) : []
  return {
    aging: new Map(begins.map(({ place }, index) => [place, decodeAging(values[index])])),
    aged: new Map(ends.map(({ place }, index) => [place, agedIds(values[begins.length + index]).size]))
  }
}

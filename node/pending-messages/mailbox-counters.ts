/**
 * Counters and digest of one mailbox, written in the same batch as what they count.
 *
 * The digest is the XOR of the first half of every held id and the second half of every gone one, so that it is kept up
 * in constant time and replicas can compare mailboxes in 16 bytes. It finds accidents, not malice: an attacker who can choose
 * ids and keep them from one replica can hide a difference. What a device is owed never rests on it (see delivery
 * service: sequences), and a message is *sent* by receipts, not by digests.
 */
import { crc32 } from 'node:zlib'
import { CLASSES } from './pending-records.ts'
import type { DeliveryId, EnvelopeClass } from '../../protocol/wire/envelope.ts'

/** Bytes of a mailbox's digest. */
export const DIGEST_BYTES = 16
/** Origins counted apart in one class of a mailbox; the least of them is forgotten when there are more. */
export const MAX_COUNTED_ORIGINS = 32

const FIXED_BYTES = 6 + 4 + 4 + DIGEST_BYTES + CLASSES.length * 10 + 1
/** A class, an origin, a count and its bytes. Older records lack the bytes, and the oldest the class. */
const ORIGIN_BYTES = 1 + 4 + 4 + 6
/** The number of aged tombstones, which older records lack. */
const AGED_BYTES = 4
const OUTDATED_ORIGIN_BYTES = [1 + 4 + 4, 4 + 4]

/** What one origin brought of one class and is still held. */
interface OriginUse {
  count: number
  bytes: number
}

/** Index of a class, then an origin's tag, as one number of 5 bytes. */
const originKey = (index: number, origin: number): number => index * 2 ** 32 + origin

export class MailboxCounters {
  /** Of the delivery that arrived last; sequences begin at 1. */
  sequence = 0
  /** Entries of deliveries that are gone. */
  gone = 0
  /** Those among them that were never seen here. */
  goneUnseen = 0
  /** Aged tombstones, which the digest does not cover: at least one where it is not known. */
  aged = 0
  readonly digest = new Uint8Array(DIGEST_BYTES)
  readonly counts = [0, 0, 0]
  readonly bytes = [0, 0, 0]
  /** Class and origin, see {@link originKey} → held deliveries that came that way. */
  readonly #origins = new Map<number, OriginUse>()
  /** Whether the origins are not fully known: all else is right, and the next write counts the mailbox again. */
  isOutdated = false

  /** Deliveries held, of all classes. */
  get held(): number {
    return this.counts[0]! + this.counts[1]! + this.counts[2]!
  }

  get isEmpty(): boolean {
    return this.held === 0 && this.gone === 0 && this.aged === 0
  }

  count(envelopeClass: EnvelopeClass): number {
    return this.counts[CLASSES.indexOf(envelopeClass)]!
  }

  bytesOf(envelopeClass: EnvelopeClass): number {
    return this.bytes[CLASSES.indexOf(envelopeClass)]!
  }

  /** Held deliveries of a class that came through one origin. */
  countFrom(envelopeClass: EnvelopeClass, origin: number): number {
    return this.#useOf(envelopeClass, origin)?.count ?? 0
  }

  /** Bytes of them. */
  bytesFrom(envelopeClass: EnvelopeClass, origin: number): number {
    return this.#useOf(envelopeClass, origin)?.bytes ?? 0
  }

  #useOf(envelopeClass: EnvelopeClass, origin: number): OriginUse | undefined {
    return this.#origins.get(originKey(CLASSES.indexOf(envelopeClass), origin))
  }

  addHeld(id: DeliveryId, envelopeClass: EnvelopeClass, size: number, origin: number): void {
    const index = CLASSES.indexOf(envelopeClass)
    this.counts[index]! += 1
    this.bytes[index]! += size
    this.#xor(id, 0)
    if (origin !== 0) this.#countOrigin(index, origin, size)
  }

  removeHeld(id: DeliveryId, envelopeClass: EnvelopeClass, size: number, origin: number): void {
    const index = CLASSES.indexOf(envelopeClass)
    this.counts[index] = Math.max(0, this.counts[index]! - 1)
    this.bytes[index] = Math.max(0, this.bytes[index]! - size)
    this.#xor(id, 0)
    const key = originKey(index, origin)
    const use = this.#origins.get(key)
    if (use === undefined) return
    use.count -= 1
    use.bytes = Math.max(0, use.bytes - size)
    if (use.count <= 0) this.#origins.delete(key)
  }

  addGone(id: DeliveryId, unseen: boolean): void {
    this.gone += 1
    if (unseen) this.goneUnseen += 1
    this.#xor(id, DIGEST_BYTES)
  }

  removeGone(id: DeliveryId): void {
    this.gone = Math.max(0, this.gone - 1)
    this.goneUnseen = Math.min(this.goneUnseen, this.gone)
    this.#xor(id, DIGEST_BYTES)
  }

  #xor(id: DeliveryId, from: number): void {
    for (let i = 0; i < DIGEST_BYTES; i++) this.digest[i]! ^= id[from + i]!
  }

  #countOrigin(index: number, origin: number, size: number): void {
    const key = originKey(index, origin)
    const use = this.#origins.get(key)
    this.#origins.set(key, { count: (use?.count ?? 0) + 1, bytes: (use?.bytes ?? 0) + size })
    if (this.#origins.size <= MAX_COUNTED_ORIGINS) return
    let counted = 0
    let least: [number, number] = [key, Infinity]
    for (const entry of this.#origins) {
      if (entry[0] < originKey(index, 0) || entry[0] >= originKey(index + 1, 0)) continue
      counted += 1
      if (entry[1].count < least[1] && entry[0] !== key) least = [entry[0], entry[1].count]
    }
    if (counted > MAX_COUNTED_ORIGINS) this.#origins.delete(least[0])
  }

  /** Takes over from the counters before what cannot be counted; a sequence must not be given twice. @returns these counters. */
  succeeding(before: MailboxCounters | undefined): this {
    this.sequence = Math.max(this.sequence, before?.sequence ?? 0)
    this.goneUnseen = Math.min(before?.goneUnseen ?? 0, this.gone)
    this.aged = before?.aged ?? 1
    return this
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(FIXED_BYTES + this.#origins.size * ORIGIN_BYTES + AGED_BYTES + 4)
    bytes.writeUIntBE(this.sequence, 0, 6)
    bytes.writeUInt32BE(this.gone, 6)
    bytes.writeUInt32BE(this.goneUnseen, 10)
    bytes.set(this.digest, 14)
    let offset = 14 + DIGEST_BYTES
    for (let i = 0; i < CLASSES.length; i++) {
      offset = bytes.writeUInt32BE(this.counts[i]!, offset)
      offset = bytes.writeUIntBE(this.bytes[i]!, offset, 6)
    }
    offset = bytes.writeUInt8(this.#origins.size, offset)
    for (const [key, { count, bytes: size }] of this.#origins) {
      offset = bytes.writeUIntBE(key, offset, 5)
      offset = bytes.writeUInt32BE(count, offset)
      offset = bytes.writeUIntBE(size, offset, 6)
    }
    offset = bytes.writeUInt32BE(this.aged, offset)
    bytes.writeUInt32BE(crc32(bytes.subarray(0, offset)), offset)
    return bytes
  }

  /** @returns undefined for bytes that are not what was written; the counters can be counted again. */
  static decode(value: Uint8Array): MailboxCounters | undefined {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const end = bytes.length - 4
    if (end < FIXED_BYTES || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined
    const counters = new MailboxCounters()
    counters.sequence = bytes.readUIntBE(0, 6)
    counters.gone = bytes.readUInt32BE(6)
    counters.goneUnseen = bytes.readUInt32BE(10)
    counters.digest.set(bytes.subarray(14, 14 + DIGEST_BYTES))
    let offset = 14 + DIGEST_BYTES
    for (let i = 0; i < CLASSES.length; i++, offset += 10) {
      counters.counts[i] = bytes.readUInt32BE(offset)
      counters.bytes[i] = bytes.readUIntBE(offset + 4, 6)
    }
    const origins = bytes[offset]!
    offset += 1
    counters.isOutdated = origins > 0 && OUTDATED_ORIGIN_BYTES.some(size => end === offset + origins * size)
    if (counters.isOutdated) return counters
    const agedAt = offset + origins * ORIGIN_BYTES
    if (end === agedAt + AGED_BYTES) counters.aged = bytes.readUInt32BE(agedAt)
    else if (end !== agedAt) return undefined
    for (let i = 0; i < origins; i++, offset += ORIGIN_BYTES) {
      const use = { count: bytes.readUInt32BE(offset + 5), bytes: bytes.readUIntBE(offset + 9, 6) }
      counters.#origins.set(bytes.readUIntBE(offset, 5), use)
    }
    return counters
  }
}

/**
 * Counters and digest of one mailbox, written in the same batch as what they count.
 *
 * The digest is the XOR of the first half of every held id and the second half of every gone one, so that it is kept up
 * in constant time and replicas can compare mailboxes in 16 bytes. It finds accidents, not malice: whoever can choose
 * ids and keep them from one replica can hide a difference. What a device is owed never rests on it (see delivery
 * service: sequences), and a message is *sent* by receipts, not by digests.
 */
import { crc32 } from 'node:zlib'
import { CLASSES } from './pending-records.ts'
import type { DeliveryId, EnvelopeClass } from '../protocol/wire/envelope.ts'

/** Bytes of a mailbox's digest. */
export const DIGEST_BYTES = 16
/** Origins counted apart in one mailbox; the least of them is forgotten when there are more. */
export const MAX_COUNTED_ORIGINS = 32

const FIXED_BYTES = 6 + 4 + 4 + DIGEST_BYTES + CLASSES.length * 10 + 1

export class MailboxCounters {
  /** Of the delivery that arrived last; sequences begin at 1. */
  sequence = 0
  /** Entries of deliveries that are gone. */
  gone = 0
  /** Those among them that were never seen here. */
  goneUnseen = 0
  readonly digest = new Uint8Array(DIGEST_BYTES)
  readonly counts = [0, 0, 0]
  readonly bytes = [0, 0, 0]
  /** Origin tag → held deliveries that came through it. */
  readonly origins = new Map<number, number>()

  /** Deliveries held, of all classes. */
  get held(): number {
    return this.counts[0]! + this.counts[1]! + this.counts[2]!
  }

  get isEmpty(): boolean {
    return this.held === 0 && this.gone === 0
  }

  count(envelopeClass: EnvelopeClass): number {
    return this.counts[CLASSES.indexOf(envelopeClass)]!
  }

  bytesOf(envelopeClass: EnvelopeClass): number {
    return this.bytes[CLASSES.indexOf(envelopeClass)]!
  }

  addHeld(id: DeliveryId, envelopeClass: EnvelopeClass, size: number, origin: number): void {
    const index = CLASSES.indexOf(envelopeClass)
    this.counts[index]! += 1
    this.bytes[index]! += size
    this.#xor(id, 0)
    if (origin !== 0) this.#countOrigin(origin)
  }

  removeHeld(id: DeliveryId, envelopeClass: EnvelopeClass, size: number, origin: number): void {
    const index = CLASSES.indexOf(envelopeClass)
    this.counts[index] = Math.max(0, this.counts[index]! - 1)
    this.bytes[index] = Math.max(0, this.bytes[index]! - size)
    this.#xor(id, 0)
    const left = (this.origins.get(origin) ?? 0) - 1
    if (left > 0) this.origins.set(origin, left)
    else this.origins.delete(origin)
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

  #countOrigin(origin: number): void {
    this.origins.set(origin, (this.origins.get(origin) ?? 0) + 1)
    if (this.origins.size <= MAX_COUNTED_ORIGINS) return
    let least: [number, number] = [0, Infinity]
    for (const entry of this.origins) if (entry[1] < least[1] && entry[0] !== origin) least = entry
    this.origins.delete(least[0])
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(FIXED_BYTES + this.origins.size * 8 + 4)
    bytes.writeUIntBE(this.sequence, 0, 6)
    bytes.writeUInt32BE(this.gone, 6)
    bytes.writeUInt32BE(this.goneUnseen, 10)
    bytes.set(this.digest, 14)
    let offset = 14 + DIGEST_BYTES
    for (let i = 0; i < CLASSES.length; i++) {
      offset = bytes.writeUInt32BE(this.counts[i]!, offset)
      offset = bytes.writeUIntBE(this.bytes[i]!, offset, 6)
    }
    offset = bytes.writeUInt8(this.origins.size, offset)
    for (const [origin, count] of this.origins) {
      offset = bytes.writeUInt32BE(origin, offset)
      offset = bytes.writeUInt32BE(count, offset)
    }
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
    if (end !== offset + origins * 8) return undefined
    for (let i = 0; i < origins; i++, offset += 8) {
      counters.origins.set(bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4))
    }
    return counters
  }
}

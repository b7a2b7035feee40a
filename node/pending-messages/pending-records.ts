/**
 * What the pending store writes, byte by byte; see docs/network.md. Keys are a letter and big-endian fields, so that
 * LevelDB's order is ours:
 *
 * - `d` mailbox(16) id(32) → what is known of a delivery: held, or gone and not to come back
 * - `r` mailbox(16) sequence(6) id(32) → the delivery itself, in order of arrival
 * - `e` time(6) kind(1) … → what is to be done at that time: an entry (mailbox, id), a proof (hash), a loss (mailbox) or a
 *   record of aged tombstones (mailbox, day) to be removed, tombstones of one acknowledgement (mailbox, hash → ids) to age
 * - `g` mailbox(16) day(4) → aged tombstones, see aged-tombstones.ts
 * - `q` shard(2) mailbox(16) → counters and digest of a mailbox
 * - `a` hash(16) → a proof of removal: an encoded acknowledgement or eviction
 * - `t` shard(2) mailbox(16) → the encoded, signed delivery token of a mailbox
 * - `l` mailbox(16) → how many messages the mailbox lost, see mailbox-losses.ts
 *
 * Entries and counters end in a CRC-32: LevelDB returns flipped bits as good data. Deliveries need none, their id is
 * their hash.
 */
import { crc32 } from 'node:zlib'
import type { DurableLevel } from '../../chain/store/durable-level.ts'
import { encode } from '../../protocol/codec.ts'
import { decode } from '../../protocol/codec.ts'
import { DEVICE_ID_BYTES, type DeviceId } from '../../protocol/identity/device.ts'
import { MAX_ENVELOPE_PAYLOAD_BYTES, MAX_RECIPIENT_PART_BYTES } from '../../protocol/limits.ts'
import { deliveryCodec, type Delivery, type DeliveryId, type EnvelopeClass } from '../../protocol/wire/envelope.ts'

/** The pending store's database. */
export type PendingDatabase = DurableLevel<Buffer, Uint8Array>
/** One change of a batch. */
export type Write = { type: 'put'; key: Buffer; value: Uint8Array } | { type: 'del'; key: Buffer }

/** Bytes of a delivery's id. */
export const ID_BYTES = 32
const SEQUENCE_BYTES = 6
const TIME_BYTES = 6
const CRC_BYTES = 4
/** Bytes of a proof's key: a truncated SHA-256. */
export const PROOF_HASH_BYTES = 16
const MAX_SHARD = 0xffff
/** Largest sequence, 2^48 - 1. */
export const MAX_SEQUENCE = 2 ** 48 - 1

const LETTER = {
  entry: 0x64,
  delivery: 0x72,
  expiry: 0x65,
  mailbox: 0x71,
  proof: 0x61,
  token: 0x74,
  loss: 0x6c,
  aged: 0x67
} as const
const EXPIRING = { entry: 0, proof: 1, loss: 2, aging: 3, aged: 4 } as const
const DAY_BYTES = 4
/** Classes in the order of their index in counters. */
export const CLASSES: readonly EnvelopeClass[] = ['contact', 'request', 'system']

export const entryKey = (mailbox: DeviceId, id: DeliveryId): Buffer => {
  const key = Buffer.allocUnsafe(1 + DEVICE_ID_BYTES + ID_BYTES)
  key[0] = LETTER.entry
  key.set(mailbox, 1)
  key.set(id, 1 + DEVICE_ID_BYTES)
  return key
}

/** All entries of a mailbox whose id comes after one. */
export function entryRange(mailbox: DeviceId, after: DeliveryId | null): { gt: Buffer; lte: Buffer } {
  const low = after === null ? Buffer.concat([Uint8Array.of(LETTER.entry), mailbox]) : entryKey(mailbox, after)
  return { gt: low, lte: Buffer.concat([Uint8Array.of(LETTER.entry), mailbox, Buffer.alloc(ID_BYTES, 0xff)]) }
}

export const idOfEntryKey = (key: Uint8Array): DeliveryId =>
  Uint8Array.from(key.subarray(1 + DEVICE_ID_BYTES)) as DeliveryId

export const deliveryKey = (mailbox: DeviceId, sequence: number, id: DeliveryId): Buffer => {
  const key = Buffer.allocUnsafe(1 + DEVICE_ID_BYTES + SEQUENCE_BYTES + ID_BYTES)
  key[0] = LETTER.delivery
  key.set(mailbox, 1)
  key.writeUIntBE(sequence, 1 + DEVICE_ID_BYTES, SEQUENCE_BYTES)
  key.set(id, 1 + DEVICE_ID_BYTES + SEQUENCE_BYTES)
  return key
}

/** All deliveries of a mailbox that arrived after a sequence. */
export function deliveryRange(mailbox: DeviceId, after: number): { gt: Buffer; lte: Buffer } {
  const last = Buffer.alloc(ID_BYTES, 0xff) as Uint8Array as DeliveryId
  return { gt: deliveryKey(mailbox, after, last), lte: deliveryKey(mailbox, MAX_SEQUENCE, last) }
}

/** Every delivery of every mailbox, after a key. */
export function allDeliveries(after: Uint8Array | undefined): { gt: Uint8Array; lt: Uint8Array } {
  return { gt: after ?? Uint8Array.of(LETTER.delivery), lt: Uint8Array.of(LETTER.delivery + 1) }
}

/** Every entry of every mailbox, after a key. */
export function allEntries(after: Uint8Array | undefined): { gt: Uint8Array; lt: Uint8Array } {
  return { gt: after ?? Uint8Array.of(LETTER.entry), lt: Uint8Array.of(LETTER.entry + 1) }
}

export function parseEntryKey(key: Uint8Array): { mailbox: DeviceId; id: DeliveryId } {
  return { mailbox: Uint8Array.from(key.subarray(1, 1 + DEVICE_ID_BYTES)) as DeviceId, id: idOfEntryKey(key) }
}

export function parseDeliveryKey(key: Uint8Array): { mailbox: DeviceId; sequence: number; id: DeliveryId } {
  const view = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return {
    mailbox: Uint8Array.from(key.subarray(1, 1 + DEVICE_ID_BYTES)) as DeviceId,
    sequence: view.readUIntBE(1 + DEVICE_ID_BYTES, SEQUENCE_BYTES),
    id: Uint8Array.from(key.subarray(1 + DEVICE_ID_BYTES + SEQUENCE_BYTES)) as DeliveryId
  }
}

const expiryHead = (time: number, kind: number, rest: number): Buffer => {
  const key = Buffer.allocUnsafe(1 + TIME_BYTES + 1 + rest)
  key[0] = LETTER.expiry
  key.writeUIntBE(time, 1, TIME_BYTES)
  key[1 + TIME_BYTES] = kind
  return key
}

export const entryExpiryKey = (time: number, mailbox: DeviceId, id: DeliveryId): Buffer => {
  const key = expiryHead(time, EXPIRING.entry, DEVICE_ID_BYTES + ID_BYTES)
  key.set(mailbox, 2 + TIME_BYTES)
  key.set(id, 2 + TIME_BYTES + DEVICE_ID_BYTES)
  return key
}

export const proofExpiryKey = (time: number, hash: Uint8Array): Buffer => {
  const key = expiryHead(time, EXPIRING.proof, PROOF_HASH_BYTES)
  key.set(hash, 2 + TIME_BYTES)
  return key
}

export const lossExpiryKey = (time: number, mailbox: DeviceId): Buffer => {
  const key = expiryHead(time, EXPIRING.loss, DEVICE_ID_BYTES)
  key.set(mailbox, 2 + TIME_BYTES)
  return key
}

export const agingKey = (time: number, mailbox: DeviceId, hash: Uint8Array): Buffer => {
  const key = expiryHead(time, EXPIRING.aging, DEVICE_ID_BYTES + PROOF_HASH_BYTES)
  key.set(mailbox, 2 + TIME_BYTES)
  key.set(hash.subarray(0, PROOF_HASH_BYTES), 2 + TIME_BYTES + DEVICE_ID_BYTES)
  return key
}

export const agedExpiryKey = (time: number, mailbox: DeviceId, day: number): Buffer => {
  const key = expiryHead(time, EXPIRING.aged, DEVICE_ID_BYTES + DAY_BYTES)
  key.set(mailbox, 2 + TIME_BYTES)
  key.writeUInt32BE(day, 2 + TIME_BYTES + DEVICE_ID_BYTES)
  return key
}

/** @param day - since 1970. */
export const agedKey = (mailbox: DeviceId, day: number): Buffer => {
  const key = Buffer.allocUnsafe(1 + DEVICE_ID_BYTES + DAY_BYTES)
  key[0] = LETTER.aged
  key.set(mailbox, 1)
  key.writeUInt32BE(day, 1 + DEVICE_ID_BYTES)
  return key
}

/** What is due at or before a time. */
export function dueRange(time: number): { gt: Buffer; lt: Buffer } {
  return { gt: Buffer.from([LETTER.expiry]), lt: expiryHead(time + 1, 0, 0) }
}

/** What an expiry key points to. */
export type Expiring =
  | { kind: 'entry'; mailbox: DeviceId; id: DeliveryId }
  | { kind: 'proof'; hash: Uint8Array }
  | { kind: 'loss'; mailbox: DeviceId }
  | { kind: 'aging'; mailbox: DeviceId; hash: Uint8Array }
  | { kind: 'aged'; mailbox: DeviceId; day: number }

export function parseExpiryKey(key: Uint8Array): Expiring {
  const rest = key.subarray(2 + TIME_BYTES)
  if (key[1 + TIME_BYTES] === EXPIRING.proof) return { kind: 'proof', hash: Uint8Array.from(rest) }
  const mailbox = Uint8Array.from(rest.subarray(0, DEVICE_ID_BYTES)) as DeviceId
  if (key[1 + TIME_BYTES] === EXPIRING.loss) return { kind: 'loss', mailbox }
  const behind = Uint8Array.from(rest.subarray(DEVICE_ID_BYTES))
  if (key[1 + TIME_BYTES] === EXPIRING.aging) return { kind: 'aging', mailbox, hash: behind }
  if (key[1 + TIME_BYTES] === EXPIRING.aged) return { kind: 'aged', mailbox, day: Buffer.from(behind).readUInt32BE() }
  return { kind: 'entry', mailbox, id: behind as DeliveryId }
}

export const mailboxKey = (shard: number, mailbox: DeviceId): Buffer => {
  const key = Buffer.allocUnsafe(3 + DEVICE_ID_BYTES)
  key[0] = LETTER.mailbox
  key.writeUInt16BE(shard, 1)
  key.set(mailbox, 3)
  return key
}

/** All mailboxes of a shard, after one, and of the shards behind it up to `last`. */
export function mailboxRange(shard: number, after: DeviceId | null, last = shard): { gt: Buffer; lte: Buffer } {
  const low = after === null ? mailboxKey(shard, new Uint8Array() as DeviceId).subarray(0, 3) : mailboxKey(shard, after)
  return { gt: low, lte: mailboxKey(last, Buffer.alloc(DEVICE_ID_BYTES, 0xff) as Uint8Array as DeviceId) }
}

/** All mailboxes of a shard and of those behind it. */
export const mailboxRangeFrom = (shard: number): { gte: Buffer; lt: Buffer } => ({
  gte: shardHead(LETTER.mailbox, shard),
  lt: Buffer.from([LETTER.mailbox + 1])
})

/** All tokens of a shard and of those behind it. */
export const tokenRangeFrom = (shard: number): { gte: Buffer; lt: Buffer } => ({
  gte: shardHead(LETTER.token, shard),
  lt: Buffer.from([LETTER.token + 1])
})

/** One past the last shard is above all keys of the letter. */
const shardHead = (letter: number, shard: number): Buffer =>
  shard > MAX_SHARD ? Buffer.from([letter + 1]) : Buffer.from([letter, shard >> 8, shard & 0xff])

/** Every mailbox of every shard. */
export const ALL_MAILBOXES = { gt: Buffer.from([LETTER.mailbox]), lt: Buffer.from([LETTER.mailbox + 1]) }

export function parseMailboxKey(key: Uint8Array): { shard: number; mailbox: DeviceId } {
  return { shard: (key[1]! << 8) | key[2]!, mailbox: Uint8Array.from(key.subarray(3)) as DeviceId }
}

/** By shard, so that what a node does not keep any more is found. */
export const tokenKey = (shard: number, mailbox: DeviceId): Buffer => {
  const key = Buffer.allocUnsafe(1 + 2 + DEVICE_ID_BYTES)
  key[0] = LETTER.token
  key.writeUInt16BE(shard, 1)
  key.set(mailbox, 3)
  return key
}

/** All tokens of a shard. */
export function tokenRange(shard: number): { gte: Buffer; lte: Buffer } {
  const [first, last] = [Buffer.alloc(DEVICE_ID_BYTES), Buffer.alloc(DEVICE_ID_BYTES, 0xff)]
  return { gte: tokenKey(shard, first as never), lte: tokenKey(shard, last as never) }
}

export const lossKey = (mailbox: DeviceId): Buffer => Buffer.concat([Uint8Array.of(LETTER.loss), mailbox])

export const proofKey = (hash: Uint8Array): Buffer => {
  const key = Buffer.allocUnsafe(1 + PROOF_HASH_BYTES)
  key[0] = LETTER.proof
  key.set(hash.subarray(0, PROOF_HASH_BYTES), 1)
  return key
}

/** What is known of a delivery. */
export type Entry =
  | {
      state: 'held'
      /** That it counts as: `contact` with a proof that holds only, whatever its sender says. */
      class: EnvelopeClass
      expiry: number
      /** Where its bytes stand in the mailbox. */
      sequence: number
      /** Encoded bytes, for the counters. */
      size: number
      /** Tag of the node that it counts against, see `originTag`; 0 for none. */
      origin: number
    }
  | {
      state: 'acknowledged' | 'evicted'
      /** Of the delivery; the latest it could have been if it was never seen here. */
      expiry: number
      /** Kept until then. */
      until: number
      /** Of its proof. */
      proof: Uint8Array
    }

/** Whether all that is known of a delivery may be dropped at `now`. */
export function isDue(entry: Entry | undefined, now: number): boolean {
  if (entry === undefined) return false
  return (entry.state === 'held' ? entry.expiry : entry.until) <= now
}

const HELD_BYTES = 2 + TIME_BYTES + SEQUENCE_BYTES + 4 + 4
const GONE_BYTES = 1 + 2 * TIME_BYTES + PROOF_HASH_BYTES
const STATE = { held: 1, acknowledged: 2, evicted: 3 } as const

/** Appends the CRC of all before it. */
function sealed(bytes: Buffer, length: number): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, length)), length)
  return bytes
}

function unsealed(bytes: Uint8Array | undefined): Buffer | undefined {
  if (bytes === undefined || bytes.length <= CRC_BYTES) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = buffer.length - CRC_BYTES
  return crc32(buffer.subarray(0, length)) === buffer.readUInt32BE(length) ? buffer.subarray(0, length) : undefined
}

export function encodeEntry(entry: Entry): Buffer {
  if (entry.state === 'held') {
    const bytes = Buffer.allocUnsafe(HELD_BYTES + CRC_BYTES)
    bytes[0] = STATE.held
    bytes[1] = CLASSES.indexOf(entry.class)
    bytes.writeUIntBE(entry.expiry, 2, TIME_BYTES)
    bytes.writeUIntBE(entry.sequence, 2 + TIME_BYTES, SEQUENCE_BYTES)
    bytes.writeUInt32BE(entry.size, 2 + TIME_BYTES + SEQUENCE_BYTES)
    bytes.writeUInt32BE(entry.origin, 6 + TIME_BYTES + SEQUENCE_BYTES)
    return sealed(bytes, HELD_BYTES)
  }
  const bytes = Buffer.allocUnsafe(GONE_BYTES + CRC_BYTES)
  bytes[0] = STATE[entry.state]
  bytes.writeUIntBE(entry.expiry, 1, TIME_BYTES)
  bytes.writeUIntBE(entry.until, 1 + TIME_BYTES, TIME_BYTES)
  bytes.set(entry.proof.subarray(0, PROOF_HASH_BYTES), 1 + 2 * TIME_BYTES)
  return sealed(bytes, GONE_BYTES)
}

/** @returns undefined for nothing, or for bytes that are not what was written. */
export function decodeEntry(value: Uint8Array | undefined): Entry | undefined {
  const bytes = unsealed(value)
  if (bytes === undefined) return undefined
  if (bytes[0] === STATE.held && bytes.length === HELD_BYTES) {
    const envelopeClass = CLASSES[bytes[1]!]
    if (envelopeClass === undefined) return undefined
    return {
      state: 'held',
      class: envelopeClass,
      expiry: bytes.readUIntBE(2, TIME_BYTES),
      sequence: bytes.readUIntBE(2 + TIME_BYTES, SEQUENCE_BYTES),
      size: bytes.readUInt32BE(2 + TIME_BYTES + SEQUENCE_BYTES),
      origin: bytes.readUInt32BE(6 + TIME_BYTES + SEQUENCE_BYTES)
    }
  }
  const state = bytes[0] === STATE.acknowledged ? 'acknowledged' : bytes[0] === STATE.evicted ? 'evicted' : undefined
  if (state === undefined || bytes.length !== GONE_BYTES) return undefined
  return {
    state,
    expiry: bytes.readUIntBE(1, TIME_BYTES),
    until: bytes.readUIntBE(1 + TIME_BYTES, TIME_BYTES),
    proof: Uint8Array.from(bytes.subarray(1 + 2 * TIME_BYTES))
  }
}

const DELIVERY_LIMITS = {
  maxBytes: MAX_ENVELOPE_PAYLOAD_BYTES + MAX_RECIPIENT_PART_BYTES + 160,
  maxDepth: 1,
  maxItems: 8
}

export const encodeDelivery = (delivery: Delivery): Uint8Array => encode(deliveryCodec, delivery)

/** @returns undefined for bytes that are no delivery; whether it is the one that was stored, its id tells. */
export function decodeDelivery(value: Uint8Array): Delivery | undefined {
  try {
    return decode(deliveryCodec, value, DELIVERY_LIMITS)
  } catch {
    return undefined
  }
}

/**
 * The records of a sigchain, as in Cardano metadata: CBOR arrays `[kind, ...fields, ...signatures]` of
 * integers and byte strings of at most 64 bytes.
 *
 * The id of a record is the hash of its content without signatures, so a second valid signature makes no second record.
 */
import type { Cbor } from '../cbor.ts'
import {
  bytes,
  bytesBetween,
  decode,
  encode,
  list,
  oneOf,
  struct,
  uint,
  variant,
  type Codec,
  type TypeOf
} from '../codec.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from '../crypto/crypto.ts'
import { labelled, labelledHash } from '../labels.ts'
import { MAX_RECORD_BYTES } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { accountIdCodec, deviceIdCodec, devicePublicKeysCodec, recordIdCodec, type RecordId } from './device.ts'

const signature = bytes(SIGNATURE_BYTES)
const hash = bytes(32)
const time = uint()
const prev = recordIdCodec
const by = deviceIdCodec

/** Longest byte string that Cardano metadata takes. */
export const MAX_METADATA_BYTES = 64
/** Addresses that a NODE record may carry, each in pieces of at most {@link MAX_METADATA_BYTES}. */
export const MAX_NODE_ADDRESSES = 4

/** A recovery key, or none written as an empty byte string: Cardano metadata has no `null`. */
const recoveryKey: Codec<Uint8Array | null> = {
  toCbor: key => key ?? new Uint8Array(0),
  fromCbor: (value, path) =>
    value instanceof Uint8Array && value.length === 0 ? null : bytes(KEY_BYTES).fromCbor(value, path)
}

/** An address as printable ASCII in pieces, because metadata strings end at 64 bytes. */
const address = list(bytesBetween(1, MAX_METADATA_BYTES), 4, 1)

/**
 * One alternative per record kind. `time` is milliseconds since 1970 by the signer's clock and orders nothing.
 * Signature fields come last, and are left out of the signed content.
 */
export const recordCodec = variant({
  /** First record of an account, signed by its first device. */
  create: [1, struct({ device: devicePublicKeysCodec, recoveryKey, time, deviceSignature: signature })],
  /** A further device: signed by the new key (possession) and by a live device (permission). */
  add: [
    2,
    struct({ prev, device: devicePublicKeysCodec, by, time, newDeviceSignature: signature, deviceSignature: signature })
  ],
  /** Ends a device. `prev` may be any accepted record of the account, so that a thief cannot make it stale. */
  revoke: [
    3,
    struct({
      prev,
      device: deviceIdCodec,
      reason: oneOf('unspecified', 'lost', 'stolen', 'replaced'),
      by,
      time,
      deviceSignature: signature
    })
  ],
  /** Replaces the registered messaging key of device `by`, after suspicion. */
  rotate: [4, struct({ prev, messagingKeyHash: hash, by, time, deviceSignature: signature })],
  /** Reserves a name without telling it: see `nameCommitment`. */
  nameCommit: [5, struct({ prev, commitment: hash, by, time, deviceSignature: signature })],
  /** Opens a commitment, 3 to 112 blocks after it. */
  nameReveal: [6, struct({ prev, nameTag: hash, salt: hash, by, time, deviceSignature: signature })],
  /** Gives a name back. */
  nameRelease: [7, struct({ prev, nameTag: hash, by, time, deviceSignature: signature })],
  /** Revokes every device, adds one and replaces the recovery key; signed by the recovery key. `prev` as in revoke. */
  recover: [
    8,
    struct({
      prev,
      device: devicePublicKeysCodec,
      recoveryKey,
      time,
      newDeviceSignature: signature,
      recoverySignature: signature
    })
  ],
  /** An operator (the account) announces a node: its Ed25519 key, signed by that key too, and its addresses. */
  node: [
    9,
    struct({
      prev,
      nodeKey: bytes(KEY_BYTES),
      addresses: list(address, MAX_NODE_ADDRESSES),
      by,
      time,
      nodeSignature: signature,
      deviceSignature: signature
    })
  ],
  /** An admitted operator (the account) admits another. */
  vouch: [10, struct({ prev, operator: accountIdCodec, by, time, deviceSignature: signature })],
  /** A release of the web app, signed by the release key of the network's genesis; belongs to no account. */
  release: [11, struct({ version: bytesBetween(1, 32), manifestHash: hash, time, releaseSignature: signature })],
  /**
   * Sets the account's recovery key, or takes back one that does not count yet (no key). When it counts: see
   * `planSetRecovery`.
   */
  setRecovery: [12, struct({ prev, recoveryKey, by, time, deviceSignature: signature })]
})

/** Any record of a sigchain. */
export type DirectoryRecord = TypeOf<typeof recordCodec>
/** Names of the kinds, as in {@link recordCodec}. */
export type RecordKind = DirectoryRecord['kind']
/** A record of one kind. */
export type RecordOf<K extends RecordKind> = Extract<DirectoryRecord, { kind: K }>

/** Number of signatures at the end of each kind. */
export const SIGNATURE_COUNT: Record<RecordKind, 1 | 2> = {
  create: 1,
  add: 2,
  revoke: 1,
  rotate: 1,
  nameCommit: 1,
  nameReveal: 1,
  nameRelease: 1,
  recover: 2,
  node: 2,
  vouch: 1,
  release: 1,
  setRecovery: 1
}

/** Canonical bytes of a record, signatures included. */
export function encodeRecord(record: DirectoryRecord): Uint8Array {
  return encode(recordCodec, record)
}

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`, or `UNSUPPORTED_VERSION` for a kind this build does not know. */
export function decodeRecord(bytes: Uint8Array): DirectoryRecord {
  return decode(recordCodec, bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: 4, maxItems: 64 })
}

/** The record as CBOR without its signatures. */
function contentOf(record: DirectoryRecord): Cbor {
  const items = recordCodec.toCbor(record) as Cbor[]
  return items.slice(0, items.length - SIGNATURE_COUNT[record.kind])
}

/** Names a record by its content. */
export function recordIdOf(crypto: Crypto, network: NetworkId, record: DirectoryRecord): RecordId {
  return labelledHash(crypto, 'record', network, contentOf(record)) as RecordId
}

/** The bytes that every signature of a record covers. */
export function recordSigningBytes(network: NetworkId, record: DirectoryRecord): Uint8Array {
  return labelled('record-signature', network, contentOf(record))
}

/**
 * What one device tells another, with its acknowledgements, of the world that its nodes show it: how far it has got with each
 * sender, the last changes of the group, the public records of the members, and the build of the app. Who sees another world
 * notices. Nothing of it is signed: it tells the two devices of the channel something, and proves nothing to others.
 */
import { compareBytes } from '../bytes.ts'
import { bool, bytes, list, nullable, struct, text, uint, type TypeOf } from '../codec.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { accountIdCodec, deviceIdCodec, recordIdCodec } from '../identity/device.ts'
import { labelledHash } from '../labels.ts'
import { MAX_GROUP_HEADS } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import type { GroupHead } from '../roster/roster.ts'

/** Of a hash over messages or records; half of it is enough, because who finds a collision fools only themselves. */
export const SEEN_HASH_BYTES = 16
/** Senders of whom one message tells. */
export const MAX_SEEN_SENDERS = 32
/** Accounts whose records one message lists. */
export const MAX_SEEN_ACCOUNTS = 256
/** Longest version of the app, in UTF-16 code units. */
export const MAX_VERSION_UNITS = 32
/** Records in blocks that are younger than this many may still move: they are not compared. */
export const SETTLED_BLOCKS = 15

const seenHash = bytes(SEEN_HASH_BYTES)

const senderCodec = struct({
  deviceId: deviceIdCodec,
  /** The sequence after the last message that is meant. */
  next: uint(),
  /** First bytes of the hash of message `next - 1`, which covers all before it: see session/message-hash.ts. */
  hash: seenHash
})
/** How far a device has got with the messages of a sender. */
export type SeenSender = TypeOf<typeof senderCodec>

const accountCodec = struct({ accountId: accountIdCodec, head: recordIdCodec })
/** The last record about devices of an account, up to a block. */
export type SeenAccount = TypeOf<typeof accountCodec>

const releaseCodec = struct({
  version: text(MAX_VERSION_UNITS),
  /** SHA-256 of its manifest, as a RELEASE record names it. */
  hash: bytes(32)
})
/** A build of the app. */
export type AppRelease = TypeOf<typeof releaseCodec>

/** The fields of the message `seen`; what has not changed since it was told is left out. */
export const seenCodec = struct({
  senders: list(senderCodec, MAX_SEEN_SENDERS),
  /** The last changes of the group's log. */
  groupHeads: list(bytes<GroupHead>(32), MAX_GROUP_HEADS),
  /** {@link recordsRoot} of the members at a height. */
  records: nullable(struct({ height: uint(), root: seenHash })),
  /** What `records` is the root of; only where two roots differ. */
  accounts: list(accountCodec, MAX_SEEN_ACCOUNTS),
  release: nullable(releaseCodec),
  /** The receiver is asked to tell the same in full. */
  asks: bool
})
export type Seen = TypeOf<typeof seenCodec>

/** Tells nothing. */
export const SEEN_NOTHING: Seen = {
  senders: [],
  groupHeads: [],
  records: null,
  accounts: [],
  release: null,
  asks: false
}

/** A message of a sender and the hash that its next one names. */
export interface MessageHead {
  next: number
  /** 32 bytes. */
  hash: Uint8Array
}

/** As it is told. */
export const seenHashOf = (hash: Uint8Array): Uint8Array => hash.slice(0, SEEN_HASH_BYTES)

/** Covers which record about devices is the last one of each account. @param accounts - in any order. */
export function recordsRoot(crypto: Crypto, network: NetworkId, accounts: readonly SeenAccount[]): Uint8Array {
  const sorted = [...accounts].sort((a, b) => compareBytes(a.accountId, b.accountId))
  return seenHashOf(
    labelledHash(
      crypto,
      'seen-records',
      network,
      sorted.map(({ accountId, head }) => [accountId, head])
    )
  )
}

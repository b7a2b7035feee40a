/**
 * An Open on the wire. The body is shared by all recipients and hides everything but its size; each device's part holds
 * the session secret, its pairing secret and the sender's signature, sealed to one of its keys. See `open.ts` for making one and `accept.ts` for reading one.
 */
import { concatBytes } from '../bytes.ts'
import {
  bytes,
  bytesBetween,
  constant,
  decode,
  embedded,
  encode,
  list,
  nullable,
  struct,
  uint,
  type TypeOf
} from '../codec.ts'
import {
  AEAD_TAG_BYTES,
  KEM_CIPHERTEXT_BYTES,
  KEY_BYTES,
  MESSAGING_KEY_BYTES,
  SIGNATURE_BYTES
} from '../crypto/crypto.ts'
import { accountIdCodec, devicePublicKeysCodec, recordIdCodec } from '../identity/device.ts'
import { MAX_GROUP_HEADS, MAX_RECIPIENT_PART_BYTES, MAX_ROSTER_DEVICES } from '../limits.ts'
import type { GroupHead } from '../roster/roster.ts'
import { sessionContextCodec, SUITE } from './context.ts'

/** Longest encoded body; a direct one has about 2 KiB, one of a group 34 bytes more for each member and a few for each device. */
export const MAX_OPEN_BODY_BYTES = 48 * 1024
const MAX_SEALED_BODY_BYTES = MAX_OPEN_BODY_BYTES - 64

/** Bytes of the tag by which a device finds the key that a part was sealed to. */
export const SEAL_TAG_BYTES = 16

/** The part in clear: the suite, the commitment to the secret, and ciphertext. */
export const openBodyCodec = struct({
  suite: constant(SUITE),
  commitment: bytes(32),
  sealed: bytesBetween(AEAD_TAG_BYTES, MAX_SEALED_BODY_BYTES)
})

export type OpenBody = TypeOf<typeof openBodyCodec>

const contextLimits = { maxBytes: 1024, maxDepth: 1, maxItems: 32 }

/** What the body's ciphertext holds, padded. */
export const openContentCodec = struct({
  context: embedded(sessionContextCodec, contextLimits),
  /** Keys that the id of the sending device is a hash of: its signature is checked before the directory is asked. */
  senderKeys: devicePublicKeysCodec,
  /** X-Wing public key whose id and index the context names. */
  conversationKey: bytes(MESSAGING_KEY_BYTES),
  /** One or two accounts of a direct conversation, sorted, with what their sender knew of them; `null` in a group. */
  members: nullable(list(struct({ accountId: accountIdCodec, head: recordIdCodec }), 2, 1)),
  /** The group that it is for, `null` in a direct conversation; see `GroupReference`. */
  group: nullable(
    struct({
      heads: list(bytes<GroupHead>(32), MAX_GROUP_HEADS, 1),
      records: list(recordIdCodec, MAX_ROSTER_DEVICES, 1)
    })
  ),
  /** For each device in the roster's order, the sender's first sequence number that was for it. */
  joined: list(uint(), MAX_ROSTER_DEVICES, 1)
})

export type OpenContent = TypeOf<typeof openContentCodec>

/** Session secret, pairing secret and signature. */
export const PART_SECRETS_BYTES = 2 * KEY_BYTES + SIGNATURE_BYTES

/** One device's part, about 1.3 KiB. Parts of all kinds of keys look alike, and name neither sender nor key. */
export const openPartCodec = struct({
  tag: bytes(SEAL_TAG_BYTES),
  enc: bytes(KEM_CIPHERTEXT_BYTES),
  sealed: bytes(PART_SECRETS_BYTES + AEAD_TAG_BYTES)
})

export type OpenPart = TypeOf<typeof openPartCodec>

/** What a part holds once it is decrypted. */
export interface PartSecrets {
  /** The session secret, 32 bytes. */
  secret: Uint8Array
  /** What the sender and this device alone share, 32 bytes; see `pairing.ts`. */
  pairingSecret: Uint8Array
  /** By the sending device, over all that the part belongs to: see `partSigningBytes`. */
  signature: Uint8Array
}

/** `secret ‖ pairing secret ‖ signature`, {@link PART_SECRETS_BYTES} bytes. */
export function joinPartSecrets({ secret, pairingSecret, signature }: PartSecrets): Uint8Array {
  return concatBytes(secret, pairingSecret, signature)
}

/** Splits what {@link joinPartSecrets} made. The parts are copies. @param joined - {@link PART_SECRETS_BYTES} bytes. */
export function splitPartSecrets(joined: Uint8Array): PartSecrets {
  return {
    secret: joined.slice(0, KEY_BYTES),
    pairingSecret: joined.slice(KEY_BYTES, 2 * KEY_BYTES),
    signature: joined.slice(2 * KEY_BYTES)
  }
}

export function encodeOpenBody(body: OpenBody): Uint8Array {
  return encode(openBodyCodec, body)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`; another suite is `MALFORMED` too. */
export function decodeOpenBody(input: Uint8Array): OpenBody {
  return decode(openBodyCodec, input, { maxBytes: MAX_OPEN_BODY_BYTES, maxDepth: 1, maxItems: 8 })
}

export function encodeOpenContent(content: OpenContent): Uint8Array {
  return encode(openContentCodec, content)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`. */
export function decodeOpenContent(input: Uint8Array): OpenContent {
  return decode(openContentCodec, input, { maxBytes: MAX_OPEN_BODY_BYTES, maxDepth: 3, maxItems: 4096 })
}

export function encodeOpenPart(part: OpenPart): Uint8Array {
  return encode(openPartCodec, part)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`. */
export function decodeOpenPart(input: Uint8Array): OpenPart {
  return decode(openPartCodec, input, { maxBytes: MAX_RECIPIENT_PART_BYTES, maxDepth: 1, maxItems: 8 })
}

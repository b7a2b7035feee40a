/**
 * An Open on the wire. The body is shared by all recipients and hides everything but its size; each device's part holds
 * the session secret, sealed to one of its keys. See `open.ts` for making one and `accept.ts` for reading one.
 */
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
import { accountIdCodec, recordIdCodec } from '../identity/device.ts'
import { MAX_RECIPIENT_PART_BYTES, MAX_ROSTER_DEVICES } from '../limits.ts'
import { sessionContextCodec, SUITE } from './context.ts'

/** Longest encoded body; a direct one has about 2 KiB, one for 1,024 devices about 10 KiB. */
export const MAX_OPEN_BODY_BYTES = 16 * 1024
const MAX_SEALED_BODY_BYTES = MAX_OPEN_BODY_BYTES - 64

/** Bytes of the tag by which a device finds the key that a part was sealed to. */
export const SEAL_TAG_BYTES = 16

/** What stands in clear: the suite, the commitment to the secret, and ciphertext. */
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
  /** X-Wing public key whose id and index the context names. */
  conversationKey: bytes(MESSAGING_KEY_BYTES),
  /** One or two accounts of a direct conversation, sorted; `null` in a group. */
  members: nullable(list(struct({ accountId: accountIdCodec, head: recordIdCodec }), 2, 1)),
  /** For each device in the roster's order, the sender's first sequence number that was for it. */
  joined: list(uint(), MAX_ROSTER_DEVICES, 1),
  /** By the sending device, over the hash of the context, `members` and `joined`. */
  deviceSignature: bytes(SIGNATURE_BYTES)
})

export type OpenContent = TypeOf<typeof openContentCodec>

/** One device's part. Parts of all kinds of keys look alike, and name neither sender nor key. */
export const openPartCodec = struct({
  tag: bytes(SEAL_TAG_BYTES),
  enc: bytes(KEM_CIPHERTEXT_BYTES),
  sealedSecret: bytes(KEY_BYTES + AEAD_TAG_BYTES)
})

export type OpenPart = TypeOf<typeof openPartCodec>

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
  return decode(openContentCodec, input, { maxBytes: MAX_OPEN_BODY_BYTES, maxDepth: 3, maxItems: 2048 })
}

export function encodeOpenPart(part: OpenPart): Uint8Array {
  return encode(openPartCodec, part)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`. */
export function decodeOpenPart(input: Uint8Array): OpenPart {
  return decode(openPartCodec, input, { maxBytes: MAX_RECIPIENT_PART_BYTES, maxDepth: 1, maxItems: 8 })
}

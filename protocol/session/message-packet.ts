/**
 * One encrypted message of a session, as it travels, and what is inside once it is decrypted.
 */
import { bytes, bytesBetween, decode, encode, nullable, refine, struct, uint, type TypeOf } from '../codec.ts'
import { AEAD_TAG_BYTES, SIGNATURE_BYTES } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { SESSION_MESSAGES_LIMIT } from '../limits.ts'
import { sessionIdCodec } from './context.ts'
import { PADDING_BUCKETS } from './padding.ts'

const OVERHEAD = SIGNATURE_BYTES + AEAD_TAG_BYTES
const LARGEST_BUCKET = PADDING_BUCKETS[PADDING_BUCKETS.length - 1]!

/** Longest ciphertext: the largest bucket, a signature and a tag. */
export const MAX_CIPHERTEXT_BYTES = LARGEST_BUCKET + OVERHEAD
/** Longest encoded message packet. */
export const MAX_MESSAGE_PACKET_BYTES = MAX_CIPHERTEXT_BYTES + 32
/** Longest content: the largest bucket without the frame's own fields and the padding's first byte. */
export const MAX_CONTENT_BYTES = LARGEST_BUCKET - 64

const ciphertext = refine(bytesBetween(0, MAX_CIPHERTEXT_BYTES), (value, path) => {
  if (!PADDING_BUCKETS.some(bucket => value.length === bucket + OVERHEAD)) {
    throw new ProtocolError('MALFORMED', `"${path}" has a length that no padding gives`)
  }
  return value
})

export const messagePacketCodec = struct({
  sessionId: sessionIdCodec,
  /** Place in the session's chain, from 0. */
  counter: uint(SESSION_MESSAGES_LIMIT - 1),
  ciphertext
})

export type MessagePacket = TypeOf<typeof messagePacketCodec>

/**
 * What is padded, signed and encrypted. `sequence` and `predecessor` are `null` together, for messages outside the
 * sequence: acknowledgements, receipts, typing and the like, whose loss is not a gap.
 */
export const messageFrameCodec = struct({
  /** Place among the sender device's messages of this conversation, across sessions, from 0. */
  sequence: nullable(uint()),
  /** `messageHash` of the message one sequence before, 32 bytes. */
  predecessor: nullable(bytes(32)),
  /** An encoded message, see conversation/message.ts. */
  content: bytesBetween(1, MAX_CONTENT_BYTES)
})

export type MessageFrame = TypeOf<typeof messageFrameCodec>

export function encodeMessagePacket(packet: MessagePacket): Uint8Array {
  return encode(messagePacketCodec, packet)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`. */
export function decodeMessagePacket(input: Uint8Array): MessagePacket {
  return decode(messagePacketCodec, input, { maxBytes: MAX_MESSAGE_PACKET_BYTES, maxDepth: 1, maxItems: 4 })
}

export function encodeMessageFrame(frame: MessageFrame): Uint8Array {
  return encode(messageFrameCodec, frame)
}

/** Whether sequence and predecessor are both there or both absent. */
export function isFramePaired({ sequence, predecessor }: MessageFrame): boolean {
  return (sequence === null) === (predecessor === null)
}

/** @throws ProtocolError `MALFORMED`, also if only one of sequence and predecessor is there. */
export function decodeMessageFrame(input: Uint8Array): MessageFrame {
  const frame = decode(messageFrameCodec, input, { maxBytes: LARGEST_BUCKET, maxDepth: 1, maxItems: 4 })
  if (!isFramePaired(frame)) {
    throw new ProtocolError('MALFORMED', 'a sequence number comes with the hash of its predecessor')
  }
  return frame
}

/**
 * One packet of the channel between two devices, as it travels, and what is inside once it is decrypted.
 */
import { bytes, bytesBetween, decode, encode, list, refine, struct, uint, type TypeOf } from '../codec.ts'
import { AEAD_TAG_BYTES } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { isFramePaired, messageFrameCodec } from './message-packet.ts'
import { PADDING_BUCKETS } from './padding.ts'
import { PAIR_TAG_BYTES } from './pairing.ts'

/** Bytes that make the key of a packet its own. */
export const PAIR_SALT_BYTES = 16
/** Frames that one packet carries at most. */
export const MAX_PAIR_FRAMES = 64

const LARGEST_BUCKET = PADDING_BUCKETS[PADDING_BUCKETS.length - 1]!

const ciphertext = refine(bytesBetween(0, LARGEST_BUCKET + AEAD_TAG_BYTES), (value, path) => {
  if (!PADDING_BUCKETS.some(bucket => value.length === bucket + AEAD_TAG_BYTES)) {
    throw new ProtocolError('MALFORMED', `"${path}" has a length that no padding gives`)
  }
  return value
})

/** The fields of a packet: `tag` names pairing and direction, `salt` is random. */
export const pairPacketCodec = struct({ tag: bytes(PAIR_TAG_BYTES), salt: bytes(PAIR_SALT_BYTES), ciphertext })
export type PairPacket = TypeOf<typeof pairPacketCodec>

const pairContentCodec = struct({
  /** Milliseconds, by the sender's clock, and higher than in every packet that it sent on this pairing before. */
  sentAt: uint(),
  /** As in messages of a session: what is sent again keeps its sequence and predecessor. */
  frames: list(messageFrameCodec, MAX_PAIR_FRAMES, 1)
})

/** What one device tells the other. */
export type PairContent = TypeOf<typeof pairContentCodec>

/** @throws ProtocolError `MALFORMED` for no frame or too many. */
export function encodePairContent(content: PairContent): Uint8Array {
  return encode(pairContentCodec, content)
}

/** @throws ProtocolError `MALFORMED`, also if only one of sequence and predecessor is there. */
export function decodePairContent(input: Uint8Array): PairContent {
  const limits = { maxBytes: LARGEST_BUCKET, maxDepth: 3, maxItems: 4 * MAX_PAIR_FRAMES + 8 }
  const content = decode(pairContentCodec, input, limits)
  if (!content.frames.every(isFramePaired)) {
    throw new ProtocolError('MALFORMED', 'a sequence number comes with the hash of its predecessor')
  }
  return content
}

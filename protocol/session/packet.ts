/**
 * The payload of an envelope: an Open, messages, an Open with its first messages so that both arrive together, or a
 * packet from one device to another.
 */
import { bytesBetween, decode, encode, list, struct, variant, type TypeOf } from '../codec.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_ENVELOPE_PAYLOAD_BYTES, MAX_SEALED_GROUP_LOG_BYTES } from '../limits.ts'
import { MAX_MESSAGE_PACKET_BYTES } from './message-packet.ts'
import { MAX_OPEN_BODY_BYTES } from './open-body.ts'
import { pairPacketCodec } from './pair-packet.ts'

/** Messages that one payload carries at most. */
export const MAX_PACKET_MESSAGES = 64

const messages = (min: number) => list(bytesBetween(1, MAX_MESSAGE_PACKET_BYTES), MAX_PACKET_MESSAGES, min)
const openBody = bytesBetween(1, MAX_OPEN_BODY_BYTES)

export const packetCodec = variant({
  /** `openBody` goes with each recipient's sealed part; `messages` are of the session it opens, or of older ones. */
  open: [1, struct({ openBody, messages: messages(0) })],
  messages: [2, struct({ messages: messages(1) })],
  /** For one device only, see `pair-channel.ts`. */
  pair: [3, pairPacketCodec],
  /** An Open with changes of a group's log, see groups/sealed-log.ts. */
  groupOpen: [4, struct({ openBody, messages: messages(0), log: bytesBetween(1, MAX_SEALED_GROUP_LOG_BYTES) })]
})

/** Parts are kept as bytes: each is parsed, and may fail, on its own. */
export type Packet = TypeOf<typeof packetCodec>

/** @throws ProtocolError `TOO_LARGE` past {@link MAX_ENVELOPE_PAYLOAD_BYTES}: then send the messages on their own. */
export function encodePacket(packet: Packet): Uint8Array {
  const encoded = encode(packetCodec, packet)
  if (encoded.length > MAX_ENVELOPE_PAYLOAD_BYTES) {
    throw new ProtocolError(
      'TOO_LARGE',
      `a payload has at most ${MAX_ENVELOPE_PAYLOAD_BYTES} bytes, got ${encoded.length}`
    )
  }
  return encoded
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`, or `UNSUPPORTED_VERSION` for a kind of payload not known here. */
export function decodePacket(input: Uint8Array): Packet {
  return decode(packetCodec, input, {
    maxBytes: MAX_ENVELOPE_PAYLOAD_BYTES,
    maxDepth: 2,
    maxItems: MAX_PACKET_MESSAGES + 5
  })
}

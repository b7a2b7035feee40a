import { MAX_ENVELOPE_PAYLOAD_BYTES } from '../../protocol/limits.ts'
import { MAX_PACKET_MESSAGES } from '../../protocol/session/packet.ts'

/** Bytes of messages in one payload, so that an Open fits beside them. */
const MAX_PAYLOAD_MESSAGES_BYTES = 40 * 1024
/** CBOR around the parts of a payload, at most: five bytes each. */
const PAYLOAD_FRAMING_BYTES = 512

/** An encrypted message, whatever else is known of it. */
interface Packed {
  packet: Uint8Array
}

/** Whether an Open of so many bytes goes into the payload of these messages. */
export function fitsBeside(openBytes: number, items: Packed[]): boolean {
  const bytes = items.reduce((sum, { packet }) => sum + packet.length, openBytes)
  return bytes <= MAX_ENVELOPE_PAYLOAD_BYTES - PAYLOAD_FRAMING_BYTES
}

/** Deals messages out to as few payloads as they fit into, in order. A large one gets a payload of its own. */
export function splitByBytes<T extends Packed>(items: T[]): T[][] {
  const payloads: T[][] = []
  let bytes = Infinity
  for (const item of items) {
    bytes += item.packet.length
    if (bytes > MAX_PAYLOAD_MESSAGES_BYTES || payloads.at(-1)!.length >= MAX_PACKET_MESSAGES) {
      payloads.push([])
      bytes = item.packet.length
    }
    payloads.at(-1)!.push(item)
  }
  return payloads
}

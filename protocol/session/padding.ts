import { ProtocolError } from '../errors.ts'

/**
 * Lengths that a message is padded to, so that its size tells next to nothing. The last leaves room in a 64 KiB
 * payload for tag, signature, framing and the Open of a direct conversation.
 */
export const PADDING_BUCKETS = [256, 1024, 4096, 16_384, 61_440] as const

/** An Open's body is padded to a multiple of this. */
export const BODY_PADDING_BYTES = 1024

const END_OF_CONTENT = 0x80

/** Pads to `length` as ISO/IEC 7816-4 does: 0x80, then zeros. */
function padTo(content: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length)
  padded.set(content)
  padded[content.length] = END_OF_CONTENT
  return padded
}

/**
 * Pads to the smallest bucket that fits.
 * @throws ProtocolError `TOO_LARGE` if even the last is too small.
 */
export function padToBucket(content: Uint8Array): Uint8Array {
  const bucket = PADDING_BUCKETS.find(size => content.length < size)
  if (bucket === undefined) {
    throw new ProtocolError(
      'TOO_LARGE',
      `a message has less than ${PADDING_BUCKETS.at(-1)} bytes, got ${content.length}`
    )
  }
  return padTo(content, bucket)
}

/** Pads to the next multiple of `step`; always adds at least one byte. */
export function padToMultiple(content: Uint8Array, step: number): Uint8Array {
  return padTo(content, Math.ceil((content.length + 1) / step) * step)
}

/**
 * The content without its padding. Only called on what was authenticated, so its timing tells a forger nothing.
 * @throws ProtocolError `MALFORMED` if the end mark is missing.
 */
export function unpad(padded: Uint8Array): Uint8Array {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  if (padded[end] !== END_OF_CONTENT) throw new ProtocolError('MALFORMED', 'padding without an end mark')
  return padded.slice(0, end)
}

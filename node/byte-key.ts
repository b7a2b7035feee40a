/**
 * Bytes as a map key: one character per byte, half as long as hex and made natively. Never shown, sent or stored.
 */
export function byteKey(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length)
}

/** What `toString('latin1')` calls, which takes any bytes: a Buffer made first for each key costs more than the key. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string
}

/** The bytes of a {@link byteKey}. */
export function bytesOfKey(key: string): Uint8Array {
  return Uint8Array.from(Buffer.from(key, 'latin1'))
}

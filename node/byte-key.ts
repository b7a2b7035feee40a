/**
 * Bytes as a map key: one character per byte, half as long as hex and made natively. Never shown, sent or stored.
 */
export function byteKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** The bytes of a {@link byteKey}. */
export function bytesOfKey(key: string): Uint8Array {
  return Uint8Array.from(Buffer.from(key, 'latin1'))
}

import { ProtocolError, type ProtocolErrorCode } from '../errors.ts'
import { KEY_BYTES, MAX_HKDF_BYTES } from './crypto.ts'

/**
 * Refuses an argument that is not a byte string of exactly `length`.
 *
 * @param name - how the message calls it; the bytes themselves are never shown, they may be secret.
 * @param code - `BAD_KEY` for keys, `MALFORMED` for everything else.
 * @throws {@link ProtocolError} with that code.
 */
export function requireBytes(
  name: string,
  bytes: Uint8Array,
  length: number,
  code: ProtocolErrorCode = 'MALFORMED'
): void {
  if (bytes instanceof Uint8Array && bytes.length === length) return
  const got = bytes instanceof Uint8Array ? `${bytes.length}` : typeof bytes
  throw new ProtocolError(code, `"${name}" must be ${length} bytes, got ${got}`)
}

/**
 * Refuses a count that is not an integer in a range.
 * @throws {@link ProtocolError} `INVALID`.
 */
export function requireInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return
  throw new ProtocolError('INVALID', `"${name}" must be an integer from ${min} to ${max}, got ${value}`)
}

/**
 * Refuses what HKDF-Expand with SHA-256 cannot do: a pseudorandom key shorter than a hash, an output past 255 blocks.
 * @throws {@link ProtocolError} `BAD_KEY`, `INVALID`.
 */
export function requireHkdfExpand(pseudoRandomKey: Uint8Array, length: number): void {
  if (pseudoRandomKey.length < KEY_BYTES) throw new ProtocolError('BAD_KEY', `HKDF needs a key of ${KEY_BYTES} bytes`)
  requireInteger('HKDF output length', length, 0, MAX_HKDF_BYTES)
}

/** Most iterations of PBKDF2 accepted, so that a hostile parameter cannot hold the processor for minutes. */
export const MAX_PBKDF2_ITERATIONS = 10_000_000
/** Longest output of PBKDF2 accepted, in bytes. */
export const MAX_PBKDF2_BYTES = 1024

/**
 * Refuses parameters of PBKDF2 out of range.
 * @throws {@link ProtocolError} `INVALID`.
 */
export function requirePbkdf2(iterations: number, length: number): void {
  requireInteger('PBKDF2 iterations', iterations, 1, MAX_PBKDF2_ITERATIONS)
  requireInteger('PBKDF2 output length', length, 1, MAX_PBKDF2_BYTES)
}

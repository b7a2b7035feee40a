/**
 * Argon2id (RFC 9106), for secrets that people type and for names, in WebAssembly: the browser needs `wasm-unsafe-eval`. Node has
 * its own, see `Crypto.argon2id`.
 */
import type { Argon2idParameters } from './crypto.ts'
import { requireInteger } from './parameters.ts'

export type { Argon2idParameters } from './crypto.ts'

/** 1 GiB: parameters may come from a stored header, which must not exhaust the machine. */
export const MAX_ARGON2ID_MEMORY_KIB = 1024 * 1024
/** Most passes accepted. */
export const MAX_ARGON2ID_ITERATIONS = 64
/** Most lanes accepted; they run one after the other here. */
export const MAX_ARGON2ID_PARALLELISM = 16
/** Shortest salt, in bytes (RFC 9106, section 3.1). */
export const MIN_ARGON2ID_SALT_BYTES = 8

/**
 * Argon2id, version 0x13, without secret and associated data.
 *
 * Takes about half a second of one processor for 64 MiB and three passes. Floors are the caller's: only the caller knows
 * what the result protects.
 *
 * @param password - 1 to 1024 bytes.
 * @param salt - at least {@link MIN_ARGON2ID_SALT_BYTES} bytes.
 * @param length - bytes wanted, 4 to 1024.
 * @throws ProtocolError `INVALID` for a parameter out of range.
 */
export async function argon2id(
  password: Uint8Array,
  salt: Uint8Array,
  { memoryKib, iterations, parallelism }: Argon2idParameters,
  length: number
): Promise<Uint8Array> {
  requireArgon2id(password, salt, { memoryKib, iterations, parallelism }, length)
  // Its WebAssembly is large, and most starts of the app need none of it.
  const { argon2id: hashWasmArgon2id } = await import('hash-wasm')
  return hashWasmArgon2id({
    password,
    salt,
    iterations,
    parallelism,
    memorySize: memoryKib,
    hashLength: length,
    outputType: 'binary'
  })
}

/** Checks what {@link argon2id} is given. @throws ProtocolError `INVALID` for a parameter out of range. */
export function requireArgon2id(
  password: Uint8Array,
  salt: Uint8Array,
  { memoryKib, iterations, parallelism }: Argon2idParameters,
  length: number
): void {
  requireInteger('Argon2id parallelism', parallelism, 1, MAX_ARGON2ID_PARALLELISM)
  requireInteger('Argon2id memory', memoryKib, 8 * parallelism, MAX_ARGON2ID_MEMORY_KIB)
  requireInteger('Argon2id iterations', iterations, 1, MAX_ARGON2ID_ITERATIONS)
  requireInteger('Argon2id password length', password.length, 1, 1024)
  requireInteger('Argon2id salt length', salt.length, MIN_ARGON2ID_SALT_BYTES, 1024)
  requireInteger('Argon2id output length', length, 4, 1024)
}

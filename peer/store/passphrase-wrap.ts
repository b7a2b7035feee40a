/** A key wrapped under a passphrase: a thief of the wrapped form has to guess the passphrase, at the cost of {@link PASSPHRASE_COST} a try. */
import { fromHex, toHex, utf8 } from '../../protocol/bytes.ts'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, KEY_BYTES, type Crypto, type Random } from '../../protocol/crypto/crypto.ts'
import { Secret } from '../../protocol/secret.ts'
import { PeerError, storeFailure } from '../errors.ts'

/** Argon2id for passphrases: half a second of one processor, 64 MiB. Also the least that a stored key may name. */
export const PASSPHRASE_COST = { memoryKib: 64 * 1024, iterations: 3, parallelism: 1 }
/** Fewest characters of a passphrase that a person sets in the app. */
export const MIN_PASSPHRASE_LENGTH = 8
/** Most UTF-16 code units: Argon2id is given at most 1,024 bytes. */
export const MAX_PASSPHRASE_LENGTH = 256

const SALT_BYTES = 16

/** Plain data; salt, nonce and wrapped key are lower-case hex. */
export interface WrappedKey {
  memoryKib: number
  iterations: number
  parallelism: number
  salt: string
  nonce: string
  wrapped: string
}

/** The algorithms of a wrapped key. */
export type WrapCrypto = Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen' | 'argon2id'>

/** {@link wrapKey} and {@link unwrapKey}. */
export interface KeyWrapping {
  wrap(key: Secret, passphrase: string): Promise<WrappedKey>
  unwrap(location: string, stored: WrappedKey, passphrase: string): Promise<Secret>
}

export function passphraseWrapping(crypto: WrapCrypto, random: Random): KeyWrapping {
  return {
    wrap: (key, passphrase) => wrapKey(crypto, random, key, passphrase),
    unwrap: (location, stored, passphrase) => unwrapKey(crypto, location, stored, passphrase)
  }
}

/** @throws PeerError `passphrase` if it is too short or too long to be set. */
export function requirePassphrase(passphrase: string): void {
  const length = [...passphrase.normalize('NFKC')].length
  if (length < MIN_PASSPHRASE_LENGTH)
    throw new PeerError('passphrase', { fault: 'short', limit: MIN_PASSPHRASE_LENGTH })
  if (passphrase.length > MAX_PASSPHRASE_LENGTH)
    throw new PeerError('passphrase', { fault: 'long', limit: MAX_PASSPHRASE_LENGTH })
}

/** Reads a wrapped key from a file or a database. @returns undefined if the value has another form. */
export function parseWrappedKey(value: unknown): WrappedKey | undefined {
  const found = (value ?? {}) as Partial<Record<keyof WrappedKey, unknown>>
  const { memoryKib, iterations, parallelism, salt, nonce, wrapped } = found
  const costs = [memoryKib, iterations, parallelism]
  if (!costs.every(cost => Number.isSafeInteger(cost) && (cost as number) >= 0)) return undefined
  if (!isHexOf(salt, SALT_BYTES) || !isSealedKey({ nonce, wrapped })) return undefined
  return { memoryKib, iterations, parallelism, salt, nonce, wrapped } as WrappedKey
}

/** Whether both are lower-case hex, of the lengths that AES-GCM gives a sealed key. */
export function isSealedKey({ nonce, wrapped }: { nonce?: unknown; wrapped?: unknown }): boolean {
  return isHexOf(nonce, AEAD_NONCE_BYTES) && isHexOf(wrapped, KEY_BYTES + AEAD_TAG_BYTES)
}

/** Whether a value is lower-case hex of so many bytes. */
export const isHexOf = (value: unknown, bytes: number): value is string =>
  typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value)

/** @param key - 32 bytes; the caller erases them. */
export async function wrapKey(
  crypto: WrapCrypto,
  random: Random,
  key: Secret,
  passphrase: string
): Promise<WrappedKey> {
  const head = { ...PASSPHRASE_COST, salt: toHex(random(SALT_BYTES)) }
  const nonce = random(AEAD_NONCE_BYTES)
  const wrapping = await wrappingKey(crypto, passphrase, head)
  const wrapped = await crypto.aesGcmSeal(wrapping.expose(), nonce, key.expose(), wrapContext(head))
  wrapping.erase()
  return { ...head, nonce: toHex(nonce), wrapped: toHex(wrapped) }
}

/**
 * @param location - of the wrapped key, for messages.
 * @returns 32 bytes; the caller erases them.
 * @throws PeerError `store`: `key-weak` if the cost is below {@link PASSPHRASE_COST}, else `passphrase-wrong`.
 */
export async function unwrapKey(
  crypto: WrapCrypto,
  location: string,
  stored: WrappedKey,
  passphrase: string
): Promise<Secret> {
  const { memoryKib, iterations } = stored
  if (memoryKib < PASSPHRASE_COST.memoryKib || iterations < PASSPHRASE_COST.iterations)
    throw storeFailure('key-weak', location)
  let wrapping: Secret | undefined
  try {
    wrapping = await wrappingKey(crypto, passphrase, stored)
    const sealed = [fromHex(stored.nonce), fromHex(stored.wrapped)] as const
    return new Secret(await crypto.aesGcmOpen(wrapping.expose(), ...sealed, wrapContext(stored)))
  } catch (error) {
    throw storeFailure('passphrase-wrong', location, error)
  } finally {
    wrapping?.erase()
  }
}

type Head = Omit<WrappedKey, 'nonce' | 'wrapped'>

/** Keyboards compose letters differently: the normal form makes one passphrase of them. */
async function wrappingKey(
  crypto: WrapCrypto,
  passphrase: string,
  { salt, memoryKib, iterations, parallelism }: Head
): Promise<Secret> {
  const cost = { memoryKib, iterations, parallelism }
  return new Secret(await crypto.argon2id(utf8(passphrase.normalize('NFKC')), fromHex(salt), cost, KEY_BYTES))
}

/** The cost is part of the associated data: a key with a lowered cost does not open. */
const wrapContext = ({ memoryKib, iterations, parallelism, salt }: Head): Uint8Array =>
  utf8(`volo/1/store-key ${memoryKib} ${iterations} ${parallelism} ${salt}`)

/**
 * A key wrapped under what a passkey answers (the `prf` extension of WebAuthn): a thief of the wrapped form needs the passkey, and
 * its owner to touch it. The answer is the same each time for one passkey and one salt, and no other site can ask for it.
 */
import { fromHex, toHex, utf8 } from '../../../protocol/bytes.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES, type Crypto, type Random } from '../../../protocol/crypto/crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import { storeFailure } from '../../errors.ts'
import { isHexOf, isSealedKey } from '../passphrase-wrap.ts'

/** Bytes of the question that a lock asks its passkey; made with the lock. */
export const PASSKEY_SALT_BYTES = 32
/** Bytes of a passkey's answer (WebAuthn Level 3, section 10.1.4). */
export const PASSKEY_ANSWER_BYTES = 32
/** Longest id of a passkey in bytes (WebAuthn Level 3, section 4). */
export const MAX_CREDENTIAL_ID_BYTES = 1023

/** Which passkey, and what it is asked: plain data, lower-case hex. Neither is a secret. */
export interface Passkey {
  credentialId: string
  salt: string
}

/** Plain data; all of it is lower-case hex. */
export interface PasskeyWrappedKey extends Passkey {
  nonce: string
  wrapped: string
}

/** What wrapping needs of the seam. */
export type PasskeyCrypto = Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen' | 'hkdfExtract' | 'hkdfExpand'>

/** Reads a passkey's name and question. @returns undefined if the value has another form. */
export function parsePasskey(value: unknown): Passkey | undefined {
  const { credentialId, salt } = (value ?? {}) as Partial<Record<keyof Passkey, unknown>>
  if (typeof credentialId !== 'string' || !isHexOf(salt, PASSKEY_SALT_BYTES)) return undefined
  const length = credentialId.length / 2
  const isId =
    Number.isInteger(length) && length >= 1 && length <= MAX_CREDENTIAL_ID_BYTES && isHexOf(credentialId, length)
  return isId ? { credentialId, salt } : undefined
}

/** Reads a wrapped key from a database. @returns undefined if the value has another form. */
export function parsePasskeyWrappedKey(value: unknown): PasskeyWrappedKey | undefined {
  const passkey = parsePasskey(value)
  const { nonce, wrapped } = (value ?? {}) as PasskeyWrappedKey
  return passkey && isSealedKey({ nonce, wrapped }) ? { ...passkey, nonce, wrapped } : undefined
}

/**
 * @param key - 32 bytes; the caller erases them.
 * @param answer - of this passkey to its salt, {@link PASSKEY_ANSWER_BYTES} bytes; the caller erases them.
 */
export async function wrapUnderPasskey(
  crypto: PasskeyCrypto,
  random: Random,
  key: Secret,
  passkey: Passkey,
  answer: Secret
): Promise<PasskeyWrappedKey> {
  const nonce = random(AEAD_NONCE_BYTES)
  const wrapping = wrappingKey(crypto, passkey, answer)
  const wrapped = await crypto.aesGcmSeal(wrapping.expose(), nonce, key.expose(), wrapContext(passkey))
  wrapping.erase()
  const { credentialId, salt } = passkey
  return { credentialId, salt, nonce: toHex(nonce), wrapped: toHex(wrapped) }
}

/**
 * @param location - of the wrapped key, for messages.
 * @returns 32 bytes; the caller erases them.
 * @throws PeerError `store` `passkey-wrong` for the answer of another passkey, or to another salt.
 */
export async function unwrapUnderPasskey(
  crypto: PasskeyCrypto,
  location: string,
  stored: PasskeyWrappedKey,
  answer: Secret
): Promise<Secret> {
  const wrapping = wrappingKey(crypto, stored, answer)
  const sealed = [fromHex(stored.nonce), fromHex(stored.wrapped)] as const
  try {
    return new Secret(await crypto.aesGcmOpen(wrapping.expose(), ...sealed, wrapContext(stored)))
  } catch (error) {
    throw storeFailure('passkey-wrong', location, error)
  } finally {
    wrapping.erase()
  }
}

/** HKDF-SHA-256 (RFC 5869) of the answer, with the lock's salt and a purpose of its own. */
function wrappingKey(crypto: PasskeyCrypto, { salt }: Passkey, answer: Secret): Secret {
  const extracted = new Secret(crypto.hkdfExtract(fromHex(salt), answer.expose()))
  const key = new Secret(crypto.hkdfExpand(extracted.expose(), utf8('volo/1/passkey-lock'), KEY_BYTES))
  extracted.erase()
  return key
}

/** Passkey and salt are part of the associated data: the slot of another lock does not open. */
const wrapContext = ({ credentialId, salt }: Passkey): Uint8Array =>
  utf8(`volo/1/store-key passkey ${credentialId} ${salt}`)

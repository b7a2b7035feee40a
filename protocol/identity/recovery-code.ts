/**
 * The recovery code: 16 random bytes as people print and type them, `7K3M-…`, and the Ed25519 key that they make.
 *
 * Eight groups of four characters of Crockford's base 32: the 128 bits of the secret, then 32 bits of a checksum, so that a
 * code with a wrong character is told from a code of another account before anybody is asked.
 */
import type { Brand } from '../brand.ts'
import { concatBytes, equalBytes } from '../bytes.ts'
import type { Crypto, Random, SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled, labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'

/** 16 random bytes. They exist on paper only: no device keeps them. */
export type RecoverySecret = Brand<Uint8Array, 'RecoverySecret'>

const SECRET_BYTES = 16
const CHECKSUM_BYTES = 4
/** Without I, L, O and U (https://www.crockford.com/base32.html). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 32
const GROUP_LENGTH = 4
/** A file with a code is read up to this many characters. */
const MAX_TEXT_LENGTH = 16 * 1024

/** Makes a new secret. The caller wipes it. */
export function createRecoverySecret(random: Random): RecoverySecret {
  return random(SECRET_BYTES) as RecoverySecret
}

/** The key that signs a RECOVER of the code's holder: HKDF-SHA-256 of the secret, info `L(recovery-key)`. */
export async function recoveryKeyOf(crypto: Crypto, network: NetworkId, secret: RecoverySecret): Promise<SigningKey> {
  const root = crypto.hkdfExtract(new Uint8Array(0), secret)
  const seed = crypto.hkdfExpand(root, labelled('recovery-key', network), 32)
  try {
    return await crypto.signingKeyFromSeed(seed)
  } finally {
    root.fill(0)
    seed.fill(0)
  }
}

/** The code as it is printed: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`. */
export function formatRecoveryCode(crypto: Crypto, network: NetworkId, secret: RecoverySecret): string {
  const bits = [...concatBytes(secret, checksumOf(crypto, network, secret))]
    .map(byte => byte.toString(2).padStart(8, '0'))
    .join('')
  const characters = Array.from({ length: CODE_LENGTH }, (_, i) => ALPHABET[parseInt(bits.slice(5 * i, 5 * i + 5), 2)]!)
  const groups = Array.from({ length: CODE_LENGTH / GROUP_LENGTH }, (_, i) =>
    characters.slice(GROUP_LENGTH * i, GROUP_LENGTH * (i + 1)).join('')
  )
  return groups.join('-')
}

/**
 * Reads a code as people type it: lower case, other dashes, spaces, O for 0, I and L for 1.
 *
 * @param text - the code alone, or a text with the code on a line of its own, such as a saved file.
 * @throws ProtocolError `MALFORMED` if there is no code in it, `INVALID` if a character of the code is wrong.
 */
export function parseRecoveryCode(crypto: Crypto, network: NetworkId, text: string): RecoverySecret {
  const lines = text.slice(0, MAX_TEXT_LENGTH).split(/\r?\n/).map(charactersOf)
  const code = lines.find(line => line?.length === CODE_LENGTH) ?? charactersOf(text.slice(0, MAX_TEXT_LENGTH))
  if (code?.length !== CODE_LENGTH) {
    throw new ProtocolError('MALFORMED', 'a recovery code has eight groups of four letters and digits')
  }
  const bits = [...code].map(character => ALPHABET.indexOf(character).toString(2).padStart(5, '0')).join('')
  const bytes = Uint8Array.from({ length: SECRET_BYTES + CHECKSUM_BYTES }, (_, i) =>
    parseInt(bits.slice(8 * i, 8 * i + 8), 2)
  )
  const secret = bytes.slice(0, SECRET_BYTES) as RecoverySecret
  if (equalBytes(checksumOf(crypto, network, secret), bytes.subarray(SECRET_BYTES))) return secret
  throw new ProtocolError('INVALID', 'a character of the recovery code is wrong, or it is of another network')
}

/** The characters of a code; undefined if something else is among them. */
function charactersOf(line: string): string | undefined {
  const characters = line
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')
  return [...characters].every(character => ALPHABET.includes(character)) ? characters : undefined
}

function checksumOf(crypto: Crypto, network: NetworkId, secret: RecoverySecret): Uint8Array {
  return labelledHash(crypto, 'recovery-code', network, secret).slice(0, CHECKSUM_BYTES)
}

/**
 * X-Wing, the hybrid of ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem), once over the primitives of any backend:
 * the secret is safe while either half is.
 */
import { concatBytes, utf8, wipe } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { KEM_CIPHERTEXT_BYTES, KEY_BYTES, MESSAGING_KEY_BYTES, type MessagingKey } from './crypto.ts'
import {
  ML_KEM_CIPHERTEXT_BYTES,
  ML_KEM_PUBLIC_KEY_BYTES,
  ML_KEM_SEED_BYTES,
  type Encapsulation,
  type Primitives,
  type X25519Key
} from './primitives.ts'
import { requireBytes } from './parameters.ts'

/** XWingLabel of the draft, section 5.3. */
const X_WING_LABEL = utf8('\\.//^\\')

/**
 * The X-Wing key of a 32-byte seed: SHAKE-256 expands it to the ML-KEM seed (64 bytes) and the X25519 secret (32).
 * @throws ProtocolError `BAD_KEY` for a seed of another length.
 */
export async function xWingKeyFromSeed(primitives: Primitives, seed: Uint8Array): Promise<MessagingKey> {
  requireBytes('messaging key seed', seed, KEY_BYTES, 'BAD_KEY')
  const expanded = primitives.shake256(seed, ML_KEM_SEED_BYTES + KEY_BYTES)
  const mlKem = await primitives.mlKemKeyFromSeed(expanded.slice(0, ML_KEM_SEED_BYTES))
  const x25519 = await primitives.x25519KeyFromSecret(expanded.slice(ML_KEM_SEED_BYTES))
  wipe(expanded)
  return {
    publicKey: concatBytes(mlKem.publicKey, x25519.publicKey),
    async decapsulate(ciphertext) {
      requireBytes('KEM ciphertext', ciphertext, KEM_CIPHERTEXT_BYTES)
      const ephemeral = ciphertext.slice(ML_KEM_CIPHERTEXT_BYTES)
      const mlKemSecret = await mlKem.decapsulate(ciphertext.slice(0, ML_KEM_CIPHERTEXT_BYTES))
      const x25519Secret = await x25519.agree(ephemeral)
      return combine(primitives, mlKemSecret, x25519Secret, ephemeral, x25519.publicKey)
    }
  }
}

/**
 * Encapsulates a fresh secret to an X-Wing public key.
 * @throws ProtocolError `BAD_KEY`, as {@link Crypto.encapsulate}.
 */
export async function xWingEncapsulate(primitives: Primitives, publicKey: Uint8Array): Promise<Encapsulation> {
  requireBytes('messaging key', publicKey, MESSAGING_KEY_BYTES, 'BAD_KEY')
  const mlKem = await primitives.mlKemEncapsulate(publicKey.slice(0, ML_KEM_PUBLIC_KEY_BYTES))
  return finish(primitives, publicKey, mlKem, await primitives.generateX25519Key())
}

/**
 * EncapsulateDerand of the draft, for vectors only.
 * @param randomness - 64 bytes: the ML-KEM message, then the ephemeral X25519 secret.
 * @throws ProtocolError `INVALID` where the backend cannot fix the randomness of ML-KEM.
 */
export async function xWingEncapsulateDerandomised(
  primitives: Primitives,
  publicKey: Uint8Array,
  randomness: Uint8Array
): Promise<Encapsulation> {
  requireBytes('messaging key', publicKey, MESSAGING_KEY_BYTES, 'BAD_KEY')
  requireBytes('randomness', randomness, 2 * KEY_BYTES)
  if (!primitives.mlKemEncapsulateDerandomised) {
    throw new ProtocolError('INVALID', 'this backend draws the randomness of ML-KEM itself')
  }
  const mlKemPart = publicKey.slice(0, ML_KEM_PUBLIC_KEY_BYTES)
  const mlKem = await primitives.mlKemEncapsulateDerandomised(mlKemPart, randomness.slice(0, KEY_BYTES))
  return finish(primitives, publicKey, mlKem, await primitives.x25519KeyFromSecret(randomness.slice(KEY_BYTES)))
}

async function finish(
  primitives: Primitives,
  publicKey: Uint8Array,
  mlKem: Encapsulation,
  ephemeral: X25519Key
): Promise<Encapsulation> {
  const recipient = publicKey.slice(ML_KEM_PUBLIC_KEY_BYTES)
  const x25519Secret = await ephemeral.agree(recipient)
  return {
    ciphertext: concatBytes(mlKem.ciphertext, ephemeral.publicKey),
    sharedSecret: combine(primitives, mlKem.sharedSecret, x25519Secret, ephemeral.publicKey, recipient)
  }
}

/** Combiner of the draft, section 5.3. Wipes both secrets. */
function combine(
  primitives: Primitives,
  mlKemSecret: Uint8Array,
  x25519Secret: Uint8Array,
  x25519Ciphertext: Uint8Array,
  x25519PublicKey: Uint8Array
): Uint8Array {
  const input = concatBytes(mlKemSecret, x25519Secret, x25519Ciphertext, x25519PublicKey, X_WING_LABEL)
  const sharedSecret = primitives.sha3_256(input)
  wipe(input, mlKemSecret, x25519Secret)
  return sharedSecret
}

/** X25519, ML-KEM-768 and SHA-3 from noble: the parts of X-Wing where the platform has none. */
import { x25519 } from '@noble/curves/ed25519.js'
import { shake256, sha3_256 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { ProtocolError } from '../errors.ts'
import { KEY_BYTES, type Random } from './crypto.ts'
import { requireBytes } from './parameters.ts'
import {
  ML_KEM_CIPHERTEXT_BYTES,
  ML_KEM_PUBLIC_KEY_BYTES,
  ML_KEM_SEED_BYTES,
  type Encapsulation,
  type MlKemKey,
  type Primitives,
  type X25519Key
} from './primitives.ts'

/** The primitives of X-Wing from noble; ephemeral secrets come from `random`. */
export function createNoblePrimitives(random: Random): Primitives {
  return {
    sha3_256: data => sha3_256(data),
    shake256: (data, length) => shake256(data, { dkLen: length }),
    x25519KeyFromSecret: async secret => nobleX25519Key(secret),
    generateX25519Key: async () => nobleX25519Key(random(KEY_BYTES)),
    mlKemKeyFromSeed: async seed => nobleMlKemKey(seed),
    mlKemEncapsulate: async publicKey => nobleMlKemEncapsulate(publicKey, random(KEY_BYTES)),
    mlKemEncapsulateDerandomised: async (publicKey, message) => nobleMlKemEncapsulate(publicKey, message)
  }
}

/** An X25519 key. @throws ProtocolError `BAD_KEY` for anything but 32 bytes. */
export function nobleX25519Key(secret: Uint8Array): X25519Key {
  requireBytes('X25519 secret', secret, KEY_BYTES, 'BAD_KEY')
  const own = Uint8Array.from(secret)
  return { publicKey: x25519.getPublicKey(own), agree: async publicKey => nobleX25519(own, publicKey) }
}

/** X25519. @throws ProtocolError `BAD_KEY` for a wrong length or an all-zero output. */
export function nobleX25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  requireBytes('X25519 secret', secretKey, KEY_BYTES, 'BAD_KEY')
  requireBytes('X25519 public key', publicKey, KEY_BYTES, 'BAD_KEY')
  try {
    return x25519.getSharedSecret(secretKey, publicKey)
  } catch (cause) {
    // noble refuses exactly the points of small order, which is where the output is all zeros.
    throw new ProtocolError('BAD_KEY', 'X25519 public key of small order', { cause })
  }
}

/** An ML-KEM-768 key. @throws ProtocolError `BAD_KEY` for anything but 64 bytes. */
export function nobleMlKemKey(seed: Uint8Array): MlKemKey {
  requireBytes('ML-KEM seed', seed, ML_KEM_SEED_BYTES, 'BAD_KEY')
  const { publicKey, secretKey } = ml_kem768.keygen(seed)
  return {
    publicKey,
    async decapsulate(ciphertext) {
      requireBytes('ML-KEM ciphertext', ciphertext, ML_KEM_CIPHERTEXT_BYTES)
      return ml_kem768.decapsulate(ciphertext, secretKey)
    }
  }
}

/** The public half of {@link nobleMlKemKey}. */
export function nobleMlKemPublicKey(seed: Uint8Array): Uint8Array {
  return nobleMlKemKey(seed).publicKey
}

function nobleMlKemEncapsulate(publicKey: Uint8Array, message: Uint8Array): Encapsulation {
  requireBytes('ML-KEM public key', publicKey, ML_KEM_PUBLIC_KEY_BYTES, 'BAD_KEY')
  requireBytes('ML-KEM message', message, KEY_BYTES)
  try {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, message)
    return { ciphertext: cipherText, sharedSecret }
  } catch (cause) {
    throw new ProtocolError('BAD_KEY', 'ML-KEM public key is not canonical', { cause })
  }
}

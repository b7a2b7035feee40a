/** The reference backend: plain TypeScript, no platform, runs everywhere. */
import { gcm } from '@noble/ciphers/aes.js'
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { ProtocolError } from '../errors.ts'
import { argon2id } from './argon2id.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES, type Random } from './crypto.ts'
import { nobleSigningKey, nobleVerify } from './noble-ed25519.ts'
import { createNoblePrimitives, nobleX25519 } from './noble-kem.ts'
import { nobleSymmetric } from './noble-symmetric.ts'
import { requireBytes, requirePbkdf2 } from './parameters.ts'
import type { CryptoWithPrimitives } from './primitives.ts'
import { xWingEncapsulate, xWingKeyFromSeed } from './x-wing.ts'

/**
 * The noble backend.
 * @param random - source of ephemeral secrets; a deterministic one makes encapsulation reproducible in tests.
 */
export function createNobleCrypto(random: Random): CryptoWithPrimitives {
  const primitives = createNoblePrimitives(random)
  return {
    name: 'noble',
    primitives,
    ...nobleSymmetric,

    async aesGcmSeal(key, nonce, plaintext, associatedData) {
      requireBytes('key', key, KEY_BYTES, 'BAD_KEY')
      requireBytes('nonce', nonce, AEAD_NONCE_BYTES)
      return gcm(key, nonce, associatedData).encrypt(plaintext)
    },
    async aesGcmOpen(key, nonce, ciphertext, associatedData) {
      requireBytes('key', key, KEY_BYTES, 'BAD_KEY')
      requireBytes('nonce', nonce, AEAD_NONCE_BYTES)
      try {
        return gcm(key, nonce, associatedData).decrypt(ciphertext)
      } catch (cause) {
        throw new ProtocolError('DECRYPT_FAILED', 'AES-256-GCM did not open', { cause })
      }
    },
    async pbkdf2Sha512(password, salt, iterations, length) {
      requirePbkdf2(iterations, length)
      return pbkdf2Async(sha512, password, salt, { c: iterations, dkLen: length })
    },

    argon2id,

    signingKeyFromSeed: async seed => nobleSigningKey(seed),
    verify: async (publicKey, message, signature) => nobleVerify(publicKey, message, signature),

    x25519: async (secretKey, publicKey) => nobleX25519(secretKey, publicKey),
    messagingKeyFromSeed: seed => xWingKeyFromSeed(primitives, seed),
    encapsulate: publicKey => xWingEncapsulate(primitives, publicKey)
  }
}

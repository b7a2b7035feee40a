/**
 * Hashes, HMAC, HKDF and ChaCha20-Poly1305 from the noble libraries: used by the noble backend and by the WebCrypto
 * backend, whose platform has these only asynchronously or not at all.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ProtocolError } from '../errors.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES, type Crypto } from './crypto.ts'
import { requireBytes, requireHkdfExpand } from './parameters.ts'

/** The synchronous half of the seam. */
export type SymmetricCrypto = Pick<
  Crypto,
  'sha256' | 'createSha256' | 'sha512' | 'hmacSha256' | 'hkdfExtract' | 'hkdfExpand' | 'chachaSeal' | 'chachaOpen'
>

/** The synchronous half of the seam, from noble. */
export const nobleSymmetric: SymmetricCrypto = {
  sha256: data => sha256(data),
  createSha256: () => sha256.create(),
  sha512: data => sha512(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hkdfExtract: (salt, inputKey) => extract(sha256, inputKey, salt),
  hkdfExpand(pseudoRandomKey, info, length) {
    requireHkdfExpand(pseudoRandomKey, length)
    return expand(sha256, pseudoRandomKey, info, length)
  },
  chachaSeal(key, nonce, plaintext, associatedData) {
    requireBytes('key', key, KEY_BYTES, 'BAD_KEY')
    requireBytes('nonce', nonce, AEAD_NONCE_BYTES)
    return chacha20poly1305(key, nonce, associatedData).encrypt(plaintext)
  },
  chachaOpen(key, nonce, ciphertext, associatedData) {
    requireBytes('key', key, KEY_BYTES, 'BAD_KEY')
    requireBytes('nonce', nonce, AEAD_NONCE_BYTES)
    try {
      return chacha20poly1305(key, nonce, associatedData).decrypt(ciphertext)
    } catch (cause) {
      throw new ProtocolError('DECRYPT_FAILED', 'ChaCha20-Poly1305 did not open', { cause })
    }
  }
}

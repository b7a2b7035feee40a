import { concatBytes, utf8 } from '../../protocol/bytes.ts'
import { AEAD_NONCE_BYTES, type Crypto, type Random } from '../../protocol/crypto/crypto.ts'
import type { Sealer } from '../ports.ts'

/** First byte of every sealed value. */
export const SEAL_VERSION = 1

/** What AES-256-GCM authenticates beside a value: its purpose and its name. */
export const sealContext = (name: string): Uint8Array => utf8(`volo/1/store-seal ${name}`)

/**
 * AES-256-GCM under a key in memory. Sealed value: version byte, 12-byte random nonce, ciphertext with tag; random
 * nonces are fine for the 2^32 writes that a store will never reach.
 */
export function createAesSealer(
  crypto: Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen'>,
  key: Uint8Array,
  random: Random
): Sealer {
  return {
    async seal(name, value) {
      const nonce = random(AEAD_NONCE_BYTES)
      return concatBytes(
        Uint8Array.of(SEAL_VERSION),
        nonce,
        await crypto.aesGcmSeal(key, nonce, value, sealContext(name))
      )
    },
    async open(name, sealed) {
      const nonce = sealed.subarray(1, 1 + AEAD_NONCE_BYTES)
      return crypto.aesGcmOpen(key, nonce, sealed.subarray(1 + AEAD_NONCE_BYTES), sealContext(name))
    }
  }
}

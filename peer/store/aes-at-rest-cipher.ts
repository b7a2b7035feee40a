import { concatBytes, utf8 } from '../../protocol/bytes.ts'
import { AEAD_NONCE_BYTES, type Crypto, type Random } from '../../protocol/crypto/crypto.ts'
import type { Secret } from '../../protocol/secret.ts'
import type { AtRestCipher } from '../ports.ts'

/** Nonces drawn at once: they are no secret, and drawing costs the same for one as for many. */
const DRAWN_NONCES = 64
/** First byte of every sealed value. */
export const SEAL_VERSION = 1

/** What AES-256-GCM authenticates beside a value: its purpose and its name. */
export const sealContext = (name: string): Uint8Array => utf8(`volo/1/store-seal ${name}`)

/**
 * AES-256-GCM under a key in memory. Sealed value: version byte, 12-byte random nonce, ciphertext with tag; random
 * nonces are fine for the 2^32 writes that a store will never reach.
 */
export function createAesAtRestCipher(
  crypto: Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen'>,
  key: Secret,
  random: Random
): AtRestCipher {
  let drawn: Uint8Array = new Uint8Array()
  const nextNonce = (): Uint8Array => {
    if (drawn.length === 0) drawn = random(DRAWN_NONCES * AEAD_NONCE_BYTES)
    const nonce = drawn.subarray(0, AEAD_NONCE_BYTES)
    drawn = drawn.subarray(AEAD_NONCE_BYTES)
    return nonce
  }
  return {
    async seal(name, value) {
      const nonce = nextNonce()
      return concatBytes(
        Uint8Array.of(SEAL_VERSION),
        nonce,
        await crypto.aesGcmSeal(key.expose(), nonce, value, sealContext(name))
      )
    },
    async open(name, sealed) {
      const nonce = sealed.subarray(1, 1 + AEAD_NONCE_BYTES)
      return crypto.aesGcmOpen(key.expose(), nonce, sealed.subarray(1 + AEAD_NONCE_BYTES), sealContext(name))
    }
  }
}

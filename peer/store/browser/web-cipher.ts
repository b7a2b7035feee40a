import { concatBytes } from '../../../protocol/bytes.ts'
import { AEAD_NONCE_BYTES, type Random } from '../../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import type { Secret } from '../../../protocol/secret.ts'
import type { AtRestCipher } from '../../ports.ts'
import { SEAL_VERSION, sealContext } from '../aes-at-rest-cipher.ts'

const USAGES: KeyUsage[] = ['encrypt', 'decrypt']

/** A key that the platform makes, uses and never shows. */
export function generateSealKey(subtle: SubtleCrypto): Promise<CryptoKey> {
  return subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, USAGES)
}

/** Hands a key to the platform, which never shows it. @param key - 32 bytes; the caller erases them. */
export function importSealKey(subtle: SubtleCrypto, key: Secret): Promise<CryptoKey> {
  return subtle.importKey('raw', key.expose() as Uint8Array<ArrayBuffer>, 'AES-GCM', false, USAGES)
}

/** Seals as `createAesAtRestCipher` does, under a key of the platform. */
export function webCipher(subtle: SubtleCrypto, key: CryptoKey, random: Random): AtRestCipher {
  const parameters = (nonce: Uint8Array, name: string): AesGcmParams => ({
    name: 'AES-GCM',
    iv: nonce as Uint8Array<ArrayBuffer>,
    additionalData: sealContext(name) as Uint8Array<ArrayBuffer>
  })
  return {
    async seal(name, value) {
      const nonce = random(AEAD_NONCE_BYTES)
      const sealed = await subtle.encrypt(parameters(nonce, name), key, value as Uint8Array<ArrayBuffer>)
      return concatBytes(Uint8Array.of(SEAL_VERSION), nonce, new Uint8Array(sealed))
    },
    async open(name, sealed) {
      const nonce = sealed.slice(1, 1 + AEAD_NONCE_BYTES)
      try {
        return new Uint8Array(await subtle.decrypt(parameters(nonce, name), key, sealed.slice(1 + AEAD_NONCE_BYTES)))
      } catch (cause) {
        throw new ProtocolError('DECRYPT_FAILED', 'a stored value does not open', { cause })
      }
    }
  }
}

/** The backend of browsers: WebCrypto where it has an algorithm, noble for the rest. */
import { argon2id } from '../argon2id.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES, type Crypto, type Random } from '../crypto.ts'
import { ProtocolError } from '../../errors.ts'
import { nobleSigningKey, nobleVerify } from '../noble-ed25519.ts'
import { nobleSymmetric } from '../noble-symmetric.ts'
import { requireBytes, requirePbkdf2 } from '../parameters.ts'
import type { CryptoWithPrimitives } from '../primitives.ts'
import { xWingEncapsulate, xWingKeyFromSeed } from '../x-wing.ts'
import { tryWebEd25519, webEd25519 } from './web-ed25519.ts'
import { rememberingVerify } from './remembered-signatures.ts'
import { createWebPrimitives } from './web-kem.ts'
import { source, works } from './web-platform.ts'

export { generateWebSigningKey, webSigningKey } from './web-ed25519.ts'

/**
 * The WebCrypto backend. Each of Ed25519, X25519 and ML-KEM-768 is tried once here and comes from noble where the
 * platform lacks it; browsers differ by version.
 *
 * @param subtle - `crypto.subtle` of a secure context.
 * @param random - used only where noble replaces Web Crypto.
 */
export async function createWebCrypto(subtle: SubtleCrypto, random: Random): Promise<CryptoWithPrimitives> {
  const primitives = await createWebPrimitives(subtle, random)
  const signatures = (await works(() => tryWebEd25519(subtle))) ? webEd25519(subtle) : nobleSignatures
  return {
    name: 'webcrypto',
    primitives,
    ...nobleSymmetric,
    ...webBulk(subtle),
    ...signatures,
    verify: rememberingVerify({ ...nobleSymmetric, ...signatures }),
    argon2id,
    x25519: async (secretKey, publicKey) => (await primitives.x25519KeyFromSecret(secretKey)).agree(publicKey),
    messagingKeyFromSeed: seed => xWingKeyFromSeed(primitives, seed),
    encapsulate: publicKey => xWingEncapsulate(primitives, publicKey)
  }
}

const nobleSignatures: Pick<Crypto, 'signingKeyFromSeed' | 'verify'> = {
  signingKeyFromSeed: async seed => nobleSigningKey(seed),
  verify: async (publicKey, message, signature) => nobleVerify(publicKey, message, signature)
}

function webBulk(subtle: SubtleCrypto): Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen' | 'pbkdf2Sha512'> {
  const importAesKey = (key: Uint8Array, nonce: Uint8Array, usage: KeyUsage): Promise<CryptoKey> => {
    requireBytes('key', key, KEY_BYTES, 'BAD_KEY')
    requireBytes('nonce', nonce, AEAD_NONCE_BYTES)
    return subtle.importKey('raw', source(key), 'AES-GCM', false, [usage])
  }
  return {
    async aesGcmSeal(key, nonce, plaintext, associatedData) {
      const imported = await importAesKey(key, nonce, 'encrypt')
      const parameters = { name: 'AES-GCM', iv: source(nonce), additionalData: source(associatedData) }
      return new Uint8Array(await subtle.encrypt(parameters, imported, source(plaintext)))
    },
    async aesGcmOpen(key, nonce, ciphertext, associatedData) {
      const imported = await importAesKey(key, nonce, 'decrypt')
      const parameters = { name: 'AES-GCM', iv: source(nonce), additionalData: source(associatedData) }
      try {
        return new Uint8Array(await subtle.decrypt(parameters, imported, source(ciphertext)))
      } catch (cause) {
        throw new ProtocolError('DECRYPT_FAILED', 'AES-256-GCM did not open', { cause })
      }
    },
    async pbkdf2Sha512(password, salt, iterations, length) {
      requirePbkdf2(iterations, length)
      const key = await subtle.importKey('raw', source(password), 'PBKDF2', false, ['deriveBits'])
      const parameters = { name: 'PBKDF2', hash: 'SHA-512', salt: source(salt), iterations }
      return new Uint8Array(await subtle.deriveBits(parameters, key, 8 * length))
    }
  }
}

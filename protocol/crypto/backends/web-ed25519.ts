/** Ed25519 of WebCrypto, under the strict rule, with keys that may be non-extractable. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { concatBytes, fromHex, wipe } from '../../bytes.ts'
import { KEY_BYTES, type Crypto, type SigningKey } from '../crypto.ts'
import { ProtocolError } from '../../errors.ts'
import { passesEd25519Precheck } from '../ed25519-precheck.ts'
import { requireBytes } from '../parameters.ts'
import { LruCache, cacheKey } from './lru-cache.ts'
import { source } from './web-platform.ts'

/** Imported verification keys kept. */
export const WEB_VERIFY_KEY_CACHE_SIZE = 1024

/** PKCS #8 of an Ed25519 seed (RFC 8410, section 7). */
const ED25519_PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')

/**
 * Makes an Ed25519 key whose secret never leaves the platform; the pair can be kept in IndexedDB.
 * @throws DOMException `NotSupportedError` where the platform has no Ed25519.
 */
export async function generateWebSigningKey(subtle: SubtleCrypto): Promise<CryptoKeyPair> {
  return (await subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair
}

/**
 * Wraps an Ed25519 key pair of the platform, extractable or not.
 * @throws ProtocolError `BAD_KEY` for a pair of another algorithm or one that may not sign.
 */
export async function webSigningKey(subtle: SubtleCrypto, keyPair: CryptoKeyPair): Promise<SigningKey> {
  const { privateKey, publicKey } = keyPair
  if (privateKey.algorithm.name !== 'Ed25519' || !privateKey.usages.includes('sign')) {
    throw new ProtocolError('BAD_KEY', 'expected an Ed25519 key pair that may sign')
  }
  return signingKey(subtle, privateKey, new Uint8Array(await subtle.exportKey('raw', publicKey)))
}

/** The Ed25519 part of the seam from WebCrypto. */
export function webEd25519(subtle: SubtleCrypto): Pick<Crypto, 'signingKeyFromSeed' | 'verify'> {
  const verifyKeys = new LruCache<CryptoKey>(WEB_VERIFY_KEY_CACHE_SIZE)
  return {
    async signingKeyFromSeed(seed) {
      requireBytes('signing key seed', seed, KEY_BYTES, 'BAD_KEY')
      const encoded = concatBytes(ED25519_PKCS8_PREFIX, seed)
      const key = await subtle.importKey('pkcs8', source(encoded), 'Ed25519', false, ['sign'])
      wipe(encoded)
      // WebCrypto gives no public key for an imported secret, and exporting it would need an extractable copy.
      return signingKey(subtle, key, ed25519.getPublicKey(seed))
    },
    async verify(publicKey, message, signature) {
      if (!passesEd25519Precheck(publicKey, signature)) return false
      try {
        const key = await importVerifyKey(subtle, verifyKeys, publicKey)
        return await subtle.verify('Ed25519', key, source(signature), source(message))
      } catch {
        return false
      }
    }
  }
}

/** Whether the platform signs and verifies with Ed25519. */
export async function tryWebEd25519(subtle: SubtleCrypto): Promise<boolean> {
  const { signingKeyFromSeed, verify } = webEd25519(subtle)
  const key = await signingKeyFromSeed(new Uint8Array(KEY_BYTES).fill(7))
  const message = Uint8Array.of(1, 2, 3)
  return verify(key.publicKey, message, await key.sign(message))
}

function signingKey(subtle: SubtleCrypto, privateKey: CryptoKey, publicKey: Uint8Array): SigningKey {
  return {
    publicKey,
    sign: async message => new Uint8Array(await subtle.sign('Ed25519', privateKey, source(message)))
  }
}

async function importVerifyKey(
  subtle: SubtleCrypto,
  cache: LruCache<CryptoKey>,
  publicKey: Uint8Array
): Promise<CryptoKey> {
  const name = cacheKey(publicKey)
  const known = cache.get(name)
  if (known) return known
  const key = await subtle.importKey('raw', source(publicKey), 'Ed25519', true, ['verify'])
  cache.set(name, key)
  return key
}

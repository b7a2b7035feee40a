/** The backend of nodes and command-line peers: node:crypto of Node 24. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { concatBytes, fromHex, wipe } from '../../bytes.ts'
import { KEY_BYTES, type SigningKey } from '../crypto.ts'
import { requireBytes } from '../parameters.ts'
import type { CryptoWithPrimitives } from '../primitives.ts'
import { xWingEncapsulate, xWingKeyFromSeed } from '../x-wing.ts'
import { LruCache, cacheKey } from './lru-cache.ts'
import { nodePrimitives, nodeX25519 } from './node-kem.ts'
import { nodeSymmetric } from './node-symmetric.ts'
import { rememberingVerify } from './remembered-signatures.ts'
import { asBuffer, plain } from './buffers.ts'

/** Imported verification keys kept, about 2 KB each: importing costs a quarter of a verification. */
export const VERIFY_KEY_CACHE_SIZE = 4096

/** PKCS #8 of an Ed25519 seed (RFC 8410, section 7). */
const ED25519_PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')

/** The node:crypto backend; randomness is OpenSSL's. */
export function createNodeCrypto(): CryptoWithPrimitives {
  const verifyKeys = new LruCache<KeyObject>(VERIFY_KEY_CACHE_SIZE)
  return {
    name: 'node',
    primitives: nodePrimitives,
    ...nodeSymmetric,

    signingKeyFromSeed: async seed => nodeSigningKey(seed),
    verify: rememberingVerify({
      sha256: nodeSymmetric.sha256,
      async verify(publicKey, message, signature) {
        try {
          return verify(null, message, importVerifyKey(verifyKeys, publicKey), signature)
        } catch {
          return false
        }
      }
    }),

    x25519: async (secretKey, publicKey) => nodeX25519(secretKey, publicKey),
    messagingKeyFromSeed: seed => xWingKeyFromSeed(nodePrimitives, seed),
    encapsulate: publicKey => xWingEncapsulate(nodePrimitives, publicKey)
  }
}

function nodeSigningKey(seed: Uint8Array): SigningKey {
  requireBytes('signing key seed', seed, KEY_BYTES, 'BAD_KEY')
  const encoded = concatBytes(ED25519_PKCS8_PREFIX, seed)
  const privateKey = createPrivateKey({ key: asBuffer(encoded), format: 'der', type: 'pkcs8' })
  wipe(encoded)
  return {
    publicKey: plain(createPublicKey(privateKey).export({ format: 'raw-public' })),
    sign: async message => plain(sign(null, message, privateKey))
  }
}

function importVerifyKey(cache: LruCache<KeyObject>, publicKey: Uint8Array): KeyObject {
  const name = cacheKey(publicKey)
  const known = cache.get(name)
  if (known) return known
  const key = createPublicKey({ key: asBuffer(publicKey), format: 'raw-public', asymmetricKeyType: 'ed25519' })
  cache.set(name, key)
  return key
}

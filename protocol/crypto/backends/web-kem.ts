/** X25519 and ML-KEM-768 of WebCrypto, each only where the platform really has it; noble fills the gaps. */
import { x25519 } from '@noble/curves/ed25519.js'
import { concatBytes, equalBytes, fromHex, wipe } from '../../bytes.ts'
import { KEY_BYTES, type Random } from '../crypto.ts'
import { ProtocolError } from '../../errors.ts'
import { createNoblePrimitives, nobleMlKemPublicKey } from '../noble-kem.ts'
import { requireBytes } from '../parameters.ts'
import {
  ML_KEM_CIPHERTEXT_BYTES,
  ML_KEM_PUBLIC_KEY_BYTES,
  ML_KEM_SEED_BYTES,
  type MlKemKey,
  type Primitives,
  type X25519Key
} from '../primitives.ts'
import { source, works } from './web-platform.ts'

/** PKCS #8 of an X25519 secret (RFC 8410, section 7). */
const X25519_PKCS8_PREFIX = fromHex('302e020100300506032b656e04220420')

/** ML-KEM in WebCrypto (wicg.github.io/webcrypto-modern-algos), newer than the type library. */
interface KemSubtle {
  importKey(
    format: 'raw-public' | 'raw-seed',
    keyData: Uint8Array,
    algorithm: 'ML-KEM-768',
    extractable: boolean,
    usages: string[]
  ): Promise<CryptoKey>
  encapsulateBits(algorithm: 'ML-KEM-768', key: CryptoKey): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>
  decapsulateBits(algorithm: 'ML-KEM-768', key: CryptoKey, ciphertext: Uint8Array): Promise<ArrayBuffer>
}

/** The primitives of X-Wing from WebCrypto where it passes a trial, otherwise from noble with `random`. */
export async function createWebPrimitives(subtle: SubtleCrypto, random: Random): Promise<Primitives> {
  const noble = createNoblePrimitives(random)
  const native = {
    ...noble,
    ...((await works(() => tryX25519(subtle))) ? x25519Primitives(subtle) : {})
  }
  if (!(await works(() => tryMlKem(subtle as unknown as KemSubtle)))) return native
  // The platform draws the randomness of ML-KEM itself.
  const { mlKemEncapsulateDerandomised: _, ...rest } = native
  return { ...rest, ...mlKemPrimitives(subtle as unknown as KemSubtle) }
}

function x25519Primitives(subtle: SubtleCrypto): Pick<Primitives, 'x25519KeyFromSecret' | 'generateX25519Key'> {
  return {
    async x25519KeyFromSecret(secret) {
      requireBytes('X25519 secret', secret, KEY_BYTES, 'BAD_KEY')
      const encoded = concatBytes(X25519_PKCS8_PREFIX, secret)
      const key = await subtle.importKey('pkcs8', source(encoded), 'X25519', false, ['deriveBits'])
      wipe(encoded)
      return x25519Key(subtle, key, x25519.getPublicKey(secret))
    },
    async generateX25519Key() {
      const pair = (await subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair
      return x25519Key(subtle, pair.privateKey, new Uint8Array(await subtle.exportKey('raw', pair.publicKey)))
    }
  }
}

function x25519Key(subtle: SubtleCrypto, privateKey: CryptoKey, ownPublicKey: Uint8Array): X25519Key {
  return {
    publicKey: ownPublicKey,
    async agree(publicKey) {
      requireBytes('X25519 public key', publicKey, KEY_BYTES, 'BAD_KEY')
      let secret: Uint8Array
      try {
        const imported = await subtle.importKey('raw', source(publicKey), 'X25519', true, [])
        secret = new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: imported }, privateKey, 256))
      } catch (cause) {
        throw new ProtocolError('BAD_KEY', 'X25519 public key of small order', { cause })
      }
      // The specification asks platforms to refuse this; one that forgets must not weaken us.
      if (secret.every(byte => byte === 0)) throw new ProtocolError('BAD_KEY', 'X25519 public key of small order')
      return secret
    }
  }
}

function mlKemPrimitives(subtle: KemSubtle): Pick<Primitives, 'mlKemKeyFromSeed' | 'mlKemEncapsulate'> {
  return {
    async mlKemKeyFromSeed(seed): Promise<MlKemKey> {
      requireBytes('ML-KEM seed', seed, ML_KEM_SEED_BYTES, 'BAD_KEY')
      const key = await subtle.importKey('raw-seed', seed, 'ML-KEM-768', false, ['decapsulateBits'])
      return {
        publicKey: nobleMlKemPublicKey(seed),
        async decapsulate(ciphertext) {
          requireBytes('ML-KEM ciphertext', ciphertext, ML_KEM_CIPHERTEXT_BYTES)
          return new Uint8Array(await subtle.decapsulateBits('ML-KEM-768', key, ciphertext))
        }
      }
    },
    async mlKemEncapsulate(publicKey) {
      requireBytes('ML-KEM public key', publicKey, ML_KEM_PUBLIC_KEY_BYTES, 'BAD_KEY')
      requireReducedCoefficients(publicKey)
      const key = await subtle.importKey('raw-public', publicKey, 'ML-KEM-768', true, ['encapsulateBits'])
      const { ciphertext, sharedKey } = await subtle.encapsulateBits('ML-KEM-768', key)
      return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) }
    }
  }
}

/** The modulus check of FIPS 203, section 7.2: every 12-bit coefficient below q = 3329. The specification leaves it open. */
function requireReducedCoefficients(publicKey: Uint8Array): void {
  for (let i = 0; i < ML_KEM_PUBLIC_KEY_BYTES - KEY_BYTES; i += 3) {
    const first = publicKey[i]! | ((publicKey[i + 1]! & 15) << 8)
    const second = (publicKey[i + 1]! >> 4) | (publicKey[i + 2]! << 4)
    if (first >= 3329 || second >= 3329) throw new ProtocolError('BAD_KEY', 'ML-KEM public key is not canonical')
  }
}

async function tryX25519(subtle: SubtleCrypto): Promise<boolean> {
  const { x25519KeyFromSecret, generateX25519Key } = x25519Primitives(subtle)
  const [ours, theirs] = [await x25519KeyFromSecret(new Uint8Array(KEY_BYTES).fill(7)), await generateX25519Key()]
  return equalBytes(await ours.agree(theirs.publicKey), await theirs.agree(ours.publicKey))
}

async function tryMlKem(subtle: KemSubtle): Promise<boolean> {
  const { mlKemKeyFromSeed, mlKemEncapsulate } = mlKemPrimitives(subtle)
  const key = await mlKemKeyFromSeed(new Uint8Array(ML_KEM_SEED_BYTES).fill(7))
  const { ciphertext, sharedSecret } = await mlKemEncapsulate(key.publicKey)
  return equalBytes(await key.decapsulate(ciphertext), sharedSecret)
}

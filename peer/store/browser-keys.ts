/**
 * Keys that the browser keeps for us and never shows: one AES key that seals the store, one that seals its
 * secrets and is replaced, and the device's signing key where the platform has Ed25519. They live in an IndexedDB of their own, because LevelDB's takes bytes only.
 */
import { concatBytes } from '../../protocol/bytes.ts'
import { generateWebSigningKey, webSigningKey } from '../../protocol/crypto/backends/web-crypto.ts'
import { AEAD_NONCE_BYTES, type Random } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { storeFailure } from '../errors.ts'
import type { AtRestCipher, KeyVault, SecretKey, SecretKeys } from '../ports.ts'
import { SEAL_VERSION, sealContext } from './aes-at-rest-cipher.ts'
import { openFailure, writeFailure } from './store-fault.ts'

const TABLE = 'keys'
const SEAL_KEY = 'seal'
const SIGNING_KEY = 'signing'

interface StoredSecretKey {
  number: number
  since: number
  key: CryptoKey
}

/** The keys of one browser profile. */
export interface BrowserKeys {
  cipher: AtRestCipher
  secretKeys: SecretKeys
  /** Holds the signing key if the platform made it. */
  vault: KeyVault
  /** Whether the platform can make a signing key, and use one. */
  hasEd25519: boolean
  close(): void
}

/**
 * Opens the profile's keys, making the sealing key on first use.
 *
 * @param name - of the database.
 * @param onClosed - told when the browser has closed it by itself.
 */
export async function openBrowserKeys(
  name: string,
  subtle: SubtleCrypto,
  random: Random,
  onClosed: () => void
): Promise<BrowserKeys> {
  const db = await openDatabase(name)
  db.addEventListener('close', onClosed)
  const sealKey = ((await read(db, SEAL_KEY)) as CryptoKey | undefined) ?? (await makeSealKey(db, subtle))
  return {
    cipher: browserCipher(subtle, sealKey, random),
    secretKeys: browserSecretKeys(db, subtle, random),
    vault: browserVault(db, subtle),
    hasEd25519: await hasEd25519(subtle),
    close: () => db.close()
  }
}

async function makeSealKey(db: IDBDatabase, subtle: SubtleCrypto): Promise<CryptoKey> {
  const key = await generateSealKey(subtle)
  await write(db, keys => keys.put(key, SEAL_KEY))
  return key
}

function generateSealKey(subtle: SubtleCrypto): Promise<CryptoKey> {
  return subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/** Keys of secrets, under names that sort as their numbers do. Deleted ones are gone from the database, not at once from its files. */
function browserSecretKeys(db: IDBDatabase, subtle: SubtleCrypto, random: Random): SecretKeys {
  const nameOf = (number: number): string => `secret/${String(number).padStart(12, '0')}`
  const keyOf = ({ number, since, key }: StoredSecretKey): SecretKey => ({
    number,
    since,
    cipher: browserCipher(subtle, key, random)
  })
  return {
    location: db.name,
    async load() {
      const all = db.transaction(TABLE, 'readonly').objectStore(TABLE).getAll(IDBKeyRange.bound('secret/', 'secret/~'))
      return ((await settled(all)) as StoredSecretKey[]).map(keyOf)
    },
    async add(number, since) {
      const stored: StoredSecretKey = { number, since, key: await generateSealKey(subtle) }
      await write(db, keys => keys.put(stored, nameOf(number)))
      return keyOf(stored)
    },
    async keepOnly(number) {
      const name = nameOf(number)
      await write(db, keys => {
        keys.delete(IDBKeyRange.bound('secret/', name, false, true))
        keys.delete(IDBKeyRange.bound(name, 'secret/~', true))
      })
    }
  }
}

function browserCipher(subtle: SubtleCrypto, key: CryptoKey, random: Random): AtRestCipher {
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

function browserVault(db: IDBDatabase, subtle: SubtleCrypto): KeyVault {
  return {
    async load() {
      try {
        const pair = (await read(db, SIGNING_KEY)) as CryptoKeyPair | undefined
        return pair && (await webSigningKey(subtle, pair))
      } catch (error) {
        // A browser that lost its Ed25519 keeps the key, and can use it again once it has the algorithm back.
        throw storeFailure('signing-key-unusable', db.name, error)
      }
    },
    async create() {
      const pair = await generateWebSigningKey(subtle)
      await write(db, keys => keys.put(pair, SIGNING_KEY))
      return webSigningKey(subtle, pair)
    }
  }
}

async function hasEd25519(subtle: SubtleCrypto): Promise<boolean> {
  try {
    await generateWebSigningKey(subtle)
    return true
  } catch {
    return false
  }
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  try {
    // Where settings forbid storage, some browsers have no IndexedDB, some throw, some refuse the request.
    if (typeof indexedDB === 'undefined') throw new DOMException('there is no IndexedDB', 'SecurityError')
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => void request.result.createObjectStore(TABLE)
    return await settled(request)
  } catch (error) {
    throw openFailure(name, error)
  }
}

function read(db: IDBDatabase, key: string): Promise<unknown> {
  return settled(db.transaction(TABLE, 'readonly').objectStore(TABLE).get(key))
}

async function write(db: IDBDatabase, change: (keys: IDBObjectStore) => void): Promise<void> {
  // A device that loses its key has lost its account: the write has to reach the disk.
  const transaction = db.transaction(TABLE, 'readwrite', { durability: 'strict' })
  change(transaction.objectStore(TABLE))
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () =>
      reject(writeFailure(db.name, transaction.error ?? new Error('a key could not be stored')))
  })
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'))
  })
}

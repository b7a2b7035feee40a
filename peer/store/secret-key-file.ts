/** Keys of secrets in Node: one small file beside the database, which never keeps a key in its own files. */
import { open, readFile, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { KEY_BYTES, type Crypto, type Random } from '../../protocol/crypto/crypto.ts'
import { Secret } from '../../protocol/secret.ts'
import { storeFailure } from '../errors.ts'
import type { AtRestCipher, SecretKey, SecretKeys } from '../ports.ts'
import { createAesAtRestCipher } from './aes-at-rest-cipher.ts'
import { syncDirectory } from './sync-directory.ts'

/** Name of the file in a data directory. */
export const SECRET_KEY_FILE = 'secret-keys.json'

const OWNER_ONLY = 0o600
/** The one in use, and the next while it is replaced. */
const MAX_KEYS = 2

interface StoredKey {
  number: number
  since: number
  /** Hex of the key, sealed under the key of the store: a passphrase protects it too. */
  sealed: string
}

/**
 * @param path - of the file.
 * @param storeCipher - seals the keys in it.
 */
export function createSecretKeyFile(
  crypto: Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen'>,
  storeCipher: AtRestCipher,
  random: Random,
  path: string
): SecretKeys {
  let stored: StoredKey[] = []
  const secrets = new Map<number, Secret>()
  const keyOf = ({ number, since }: StoredKey): SecretKey => ({
    number,
    since,
    cipher: createAesAtRestCipher(crypto, secrets.get(number)!, random)
  })
  return {
    location: path,
    async load() {
      stored = await readKeys(path)
      for (const { number, sealed } of stored) {
        secrets.set(number, new Secret(await storeCipher.open(sealName(number), fromHex(sealed))))
      }
      return stored.map(keyOf)
    },
    async add(number, since) {
      const secret = new Secret(random(KEY_BYTES))
      const key = { number, since, sealed: toHex(await storeCipher.seal(sealName(number), secret.expose())) }
      await replaceFile(path, [...stored, key], random)
      stored = [...stored, key]
      secrets.set(number, secret)
      return keyOf(key)
    },
    async keepOnly(number) {
      const kept = stored.filter(key => key.number === number)
      await replaceFile(path, kept, random)
      stored = kept
      for (const [other, secret] of secrets) {
        if (other === number) continue
        secret.erase()
        secrets.delete(other)
      }
    }
  }
}

const sealName = (number: number): string => `secret-key ${number}`

async function readKeys(path: string): Promise<StoredKey[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw storeFailure('not-opened', path, error)
  }
  try {
    const { version, keys } = JSON.parse(text) as { version: unknown; keys: unknown }
    if (version === 1 && Array.isArray(keys) && keys.length <= MAX_KEYS && keys.every(isStoredKey)) return keys
  } catch {
    // Reported below, without the content.
  }
  throw storeFailure('key-damaged', path)
}

function isStoredKey(value: unknown): value is StoredKey {
  const { number, since, sealed } = (value ?? {}) as Partial<Record<keyof StoredKey, unknown>>
  return Number.isSafeInteger(number) && Number.isSafeInteger(since) && /^[0-9a-f]{2,256}$/.test(String(sealed))
}

/** The new file is complete before it has its name; then the old one, which has none any more, is overwritten. */
async function replaceFile(path: string, keys: StoredKey[], random: Random): Promise<void> {
  let old: FileHandle | undefined
  try {
    old = await openIfThere(path)
    await writeDurably(`${path}.new`, `${JSON.stringify({ version: 1, keys })}\n`)
    await rename(`${path}.new`, path)
    await syncDirectory(dirname(path))
    if (old) await overwrite(old, random)
  } catch (error) {
    throw storeFailure('not-writable', path, error)
  } finally {
    await old?.close()
  }
}

async function overwrite(file: FileHandle, random: Random): Promise<void> {
  const { size } = await file.stat()
  await file.write(random(size), 0, size, 0)
  await file.sync()
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', OWNER_ONLY)
  await handle.writeFile(text)
  await handle.sync()
  await handle.close()
}

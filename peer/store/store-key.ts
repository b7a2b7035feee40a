/** The key of a data directory in Node: a file only its owner can read, or one wrapped under a passphrase. */
import { chmod, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { KEY_BYTES, type Random } from '../../protocol/crypto/crypto.ts'
import { Secret } from '../../protocol/secret.ts'
import { PeerError, storeFailure } from '../errors.ts'
import { isHexOf, parseWrappedKey, unwrapKey, wrapKey, type WrapCrypto, type WrappedKey } from './passphrase-wrap.ts'
import { syncDirectory } from './sync-directory.ts'

/** Name of the key file in a data directory. */
export const KEY_FILE = 'store-key.json'

/** Name of the folder of the store in a data directory. */
export const STORE_FOLDER = 'store'

const OWNER_ONLY = 0o600
/** Windows has no such modes. */
const isPosix = process.platform !== 'win32'

interface PlainKey {
  version: 1
  kind: 'plain'
  key: string
}

interface LockedKey extends WrappedKey {
  version: 1
  kind: 'argon2id'
}

/**
 * Loads the key of a data directory, making both on first use.
 *
 * @param passphrase - undefined for a key file without one.
 * @returns 32 bytes.
 * @throws PeerError `store` if the directory cannot be written, the file is readable by others or broken, or the
 * passphrase is missing, wrong or uncalled-for.
 */
export async function loadStoreKey(
  crypto: WrapCrypto,
  random: Random,
  directory: string,
  passphrase: string | undefined
): Promise<Secret> {
  const path = join(directory, KEY_FILE)
  const text = await readKeyFile(directory, path)
  if (text === undefined) {
    // A new key opens nothing of an old store, and would stand where the right one belongs.
    if (await hasStore(directory)) throw storeFailure('key-missing', path)
    return createKey(crypto, random, directory, path, passphrase)
  }
  const file = parseKeyFile(path, text)
  if (file.kind === 'plain') {
    if (passphrase !== undefined) {
      throw storeFailure('passphrase-not-needed', directory)
    }
    return new Secret(fromHex(file.key))
  }
  if (passphrase === undefined) {
    throw storeFailure('passphrase-needed', directory)
  }
  return unwrapKey(crypto, directory, file, passphrase)
}

/**
 * Makes a folder that only its owner can enter. One that exists stays as it is, unless every user can write in it: they could
 * replace the key or the store.
 */
async function makePrivateFolder(directory: string): Promise<void> {
  // The mode counts for what is made here, whatever the umask: it takes nothing from the owner.
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { mode } = await stat(directory)
  if (isPosix && (mode & 0o002) !== 0) throw storeFailure('folder-exposed', directory)
  const store = join(directory, STORE_FOLDER)
  await chmod(store, 0o700).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Whether there are messages and keys that only the missing key opens. */
async function hasStore(directory: string): Promise<boolean> {
  const names = await readdir(join(directory, STORE_FOLDER)).catch(() => [])
  return names.length > 0
}

async function readKeyFile(directory: string, path: string): Promise<string | undefined> {
  try {
    await makePrivateFolder(directory)
    const { mode } = await stat(path)
    if (isPosix && (mode & 0o077) !== 0) {
      throw storeFailure('key-exposed', path)
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof PeerError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw storeFailure('not-opened', directory, error)
  }
}

function parseKeyFile(path: string, text: string): PlainKey | LockedKey {
  try {
    const file = JSON.parse(text) as Record<string, unknown>
    const { version, kind, key } = file
    if (version === 1 && kind === 'plain' && isHexOf(key, KEY_BYTES)) return { version, kind, key }
    const wrapped = parseWrappedKey(file)
    if (version === 1 && kind === 'argon2id' && wrapped) return { version, kind, ...wrapped }
  } catch {
    // Reported below, without the content.
  }
  throw storeFailure('key-damaged', path)
}

async function createKey(
  crypto: WrapCrypto,
  random: Random,
  directory: string,
  path: string,
  passphrase: string | undefined
): Promise<Secret> {
  const key = new Secret(random(KEY_BYTES))
  const file: PlainKey | LockedKey =
    passphrase === undefined
      ? { version: 1, kind: 'plain', key: toHex(key.expose()) }
      : { version: 1, kind: 'argon2id', ...(await wrapKey(crypto, random, key, passphrase)) }
  try {
    // Complete before it has its name: a crash in between must not leave half a key.
    const handle = await open(`${path}.new`, 'w', OWNER_ONLY)
    await handle.writeFile(`${JSON.stringify(file)}\n`)
    await handle.sync()
    await handle.close()
    await rename(`${path}.new`, path)
    // The store beside it is written to the disk: its key must not be what a power cut takes.
    await syncDirectory(directory)
  } catch (error) {
    throw storeFailure('not-writable', directory, error)
  }
  return key
}

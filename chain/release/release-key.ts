/** The key whose public half is in a network's genesis and whose signature makes a RELEASE record count. */
import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import type { Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { ReleaseError } from '../verify/manifest-errors.ts'

const SEED_BYTES = 32
const OWNER_ONLY = 0o600
const OTHERS = 0o077

/** Makes a key in a new file that only its owner can read. @throws ReleaseError `BAD_KEY_FILE`, also if the file is there. */
export async function createReleaseKey(crypto: Crypto, path: string): Promise<SigningKey> {
  const seed = Uint8Array.from(randomBytes(SEED_BYTES))
  try {
    const file = await open(path, 'wx', OWNER_ONLY)
    try {
      await file.writeFile(`${Buffer.from(seed).toString('hex')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    return await crypto.signingKeyFromSeed(seed)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = code === 'EEXIST' ? 'is there already' : `cannot be made (${code})`
    throw new ReleaseError('BAD_KEY_FILE', `the key file ${path} ${reason}`, { cause })
  } finally {
    seed.fill(0)
  }
}

/** @throws ReleaseError `BAD_KEY_FILE` if it is missing, malformed, or others may read it. */
export async function readReleaseKey(crypto: Crypto, path: string): Promise<SigningKey> {
  let text: string
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      throw new ReleaseError('BAD_KEY_FILE', `others may read the key file: run chmod 600 ${path}`)
    }
    text = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    if (cause instanceof ReleaseError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new ReleaseError('BAD_KEY_FILE', `the key file ${path} cannot be read (${code})`, { cause })
  }
  // The message must not repeat the content of the file.
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new ReleaseError('BAD_KEY_FILE', `the key file ${path} does not hold 64 hex characters`)
  }
  const seed = Uint8Array.from(Buffer.from(text, 'hex'))
  try {
    return await crypto.signingKeyFromSeed(seed)
  } finally {
    seed.fill(0)
  }
}

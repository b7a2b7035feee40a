import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { fromHex } from '../../protocol/bytes.ts'
import { ConfigError } from './config-error.ts'

const SEED_BYTES = 32
const OWNER_ONLY = 0o600
const OTHERS = 0o077

/**
 * The 32-byte secret in a key file, made if the file is missing.
 * @throws ConfigError with one sentence if it is malformed, unreadable, or others may read it.
 */
export function openKeyFile(file: string): Uint8Array {
  try {
    return readKeyFile(file) ?? createKeyFile(file)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new ConfigError(`Cannot use the key file ${file} (${code}): check its path and permissions.`, { cause })
  }
}

/** As {@link openKeyFile}, but undefined for a missing file. */
export function readKeyFile(file: string): Uint8Array | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (process.platform !== 'win32' && (statSync(file).mode & OTHERS) !== 0) {
    throw new ConfigError(`Others may read the key file ${file}: run "chmod 600 ${file}".`)
  }
  // The message must not repeat what stands in the file.
  if (!/^[0-9a-f]{64}$/.test(text)) throw new ConfigError(`The key file ${file} must hold 64 hex characters.`)
  return fromHex(text, SEED_BYTES)
}

function createKeyFile(file: string): Uint8Array {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const seed = randomBytes(SEED_BYTES)
  const handle = openSync(file, 'wx', OWNER_ONLY)
  try {
    writeSync(handle, `${seed.toString('hex')}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  return Uint8Array.from(seed)
}

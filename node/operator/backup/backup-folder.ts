/** Files of a backup: written and read with their hashes, for the owner only, and on the disk before anybody relies on them. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigError } from '../../config/config-error.ts'
import type { BackupFile } from './manifest.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700
/** Made by file systems, not by people. */
const FOUND_ANYWHERE = new Set(['lost+found'])

/** Names in a folder; empty for one that is not there. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(name => !FOUND_ANYWHERE.has(name))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw new ConfigError(`Cannot read the folder ${folder} (${code}): check its path and permissions.`, { cause })
  }
}

/** Makes a folder for the owner only. @throws ConfigError if it holds anything, or cannot be made. */
export async function makeEmptyFolder(folder: string, refusal: string): Promise<void> {
  if ((await entriesOf(folder)).length > 0) throw new ConfigError(refusal)
  try {
    await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new ConfigError(`Cannot make the folder ${folder} (${code}): check its path and permissions.`, { cause })
  }
}

/** A new file that counts and hashes what it gets. */
export class HashedFile {
  readonly #name: string
  readonly #handle: FileHandle
  readonly #hash = createHash('sha256')
  #bytes = 0

  private constructor(name: string, handle: FileHandle) {
    this.#name = name
    this.#handle = handle
  }

  /** @throws the system's error if the file exists. */
  static async create(folder: string, name: string): Promise<HashedFile> {
    return new HashedFile(name, await open(join(folder, name), 'wx', OWNER_ONLY_FILE))
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    this.#bytes += bytes.length
    await this.#handle.writeFile(bytes)
  }

  /** Brings it to the disk and closes it. */
  async finish(): Promise<BackupFile> {
    await this.#handle.sync()
    await this.#handle.close()
    return { name: this.#name, bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  /** Closes it, for a backup that failed. */
  async abandon(): Promise<void> {
    await this.#handle.close()
  }
}

/** Writes a small file as a whole and brings it to the disk. */
export async function writeHashed(folder: string, name: string, bytes: Uint8Array): Promise<BackupFile> {
  const file = await HashedFile.create(folder, name)
  await file.write(bytes)
  return file.finish()
}

/** Gives a file that is on the disk its last name, and brings the name to the disk. */
export async function renameDurably(folder: string, from: string, to: string): Promise<void> {
  await rename(join(folder, from), join(folder, to))
  await syncFolder(folder)
}

/** Brings the names in a folder, and its own, to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  for (const path of [folder, dirname(folder)]) {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}

/** Size and hash of a file; undefined if it is not there. */
export async function hashOfFile(path: string): Promise<Omit<BackupFile, 'name'> | undefined> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Removes files by name, those that are there. */
export async function removeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true })
}

import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { storeFailure } from '../errors.ts'
import type { LocalObjects } from '../ports.ts'
import { writeFailure } from '../store/store-fault.ts'

/** Name of the folder of objects in a data directory. */
export const OBJECT_FOLDER = 'objects'
/** Names are ours: lower-case hex. Anything else in the folder is left alone. */
const OBJECT_NAME = /^[0-9a-f]{8,64}$/

/** Objects as files of one folder, in Node. */
export class FolderObjects implements LocalObjects {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async size(name: string): Promise<number> {
    try {
      return (await stat(this.#path(name))).size
    } catch (error) {
      if (isMissing(error)) return 0
      throw storeFailure('not-opened', this.#directory, error)
    }
  }

  async read(name: string, start: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    try {
      await using file = await open(this.#path(name), 'r')
      const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    } catch (error) {
      if (isMissing(error)) return new Uint8Array()
      throw storeFailure('not-opened', this.#directory, error)
    }
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await using file = await open(this.#path(name), 'a', 0o600)
      for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
    } catch (error) {
      throw writeFailure(this.#directory, error)
    }
  }

  async truncate(name: string, size: number): Promise<void> {
    try {
      await using file = await open(this.#path(name), 'r+')
      await file.truncate(size)
    } catch (error) {
      if (!isMissing(error)) throw writeFailure(this.#directory, error)
    }
  }

  async flush(name: string): Promise<void> {
    try {
      await Promise.all([this.#path(name), this.#directory].map(syncPath))
    } catch (error) {
      throw writeFailure(this.#directory, error)
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true })
  }

  async names(): Promise<string[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw storeFailure('not-opened', this.#directory, error)
    })
    return names.filter(name => OBJECT_NAME.test(name))
  }

  async close(): Promise<void> {}

  #path(name: string): string {
    if (!OBJECT_NAME.test(name)) throw new RangeError('not the name of an object')
    return join(this.#directory, name)
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

async function syncPath(path: string): Promise<void> {
  await using file = await open(path, 'r')
  await file.sync()
}

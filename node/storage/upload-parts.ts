import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OBJECT_PART_BYTES } from '../../protocol/limits.ts'
import type { ByteStream } from '../../storage-adapter/storage-adapter.ts'
import { NodeError } from '../errors.ts'
import type { AccountHex, ObjectHash } from './object-records.ts'

/** How many parts an object has; an empty one has none. */
export function partCount(size: number): number {
  return Math.ceil(size / OBJECT_PART_BYTES)
}

/**
 * The parts of unfinished uploads, a file each, so that an upload goes on after a restart of either side. They are not synced: what
 * is acknowledged is the whole object, when it is in the storage. A part that a power cut spoilt gives the object another hash, and is
 * sent again.
 */
export class UploadParts {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Keeps one part; the same part again takes its place.
   * @throws NodeError `malformed` for an index outside of the object, or bytes that are not as many as the part has.
   */
  async write(account: AccountHex, hash: ObjectHash, size: number, index: number, bytes: Uint8Array): Promise<void> {
    const expected = partBytes(size, index)
    if (bytes.length !== expected) {
      throw new NodeError('malformed', `Part ${index} has ${expected} bytes, got ${bytes.length}.`)
    }
    const folder = this.#folder(account, hash)
    const unfinished = join(folder, `${index}.${crypto.randomUUID()}`)
    const write = (): Promise<void> => writeFile(unfinished, bytes, { flag: 'wx', mode: 0o600 })
    await write().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await write()
    })
    await rename(unfinished, join(folder, `${index}`))
  }

  /** Indexes of the parts that are there, in order. */
  async received(account: AccountHex, hash: ObjectHash, size: number): Promise<number[]> {
    const folder = this.#folder(account, hash)
    const names = await readdir(folder).catch(() => [])
    const indexes = names.filter(name => /^\d+$/.test(name)).map(Number)
    const whole: number[] = []
    for (const index of indexes.sort((a, b) => a - b)) {
      if (index >= partCount(size)) continue
      if ((await stat(join(folder, `${index}`))).size === partBytes(size, index)) whole.push(index)
    }
    return whole
  }

  /** All parts in order, as one stream. The next part is read while the caller works on one. */
  async *content(account: AccountHex, hash: ObjectHash, size: number): ByteStream {
    const read = (index: number): Promise<Uint8Array> => {
      const bytes = readFile(join(this.#folder(account, hash), `${index}`))
      // Awaited below, or the caller has stopped.
      bytes.catch(() => undefined)
      return bytes
    }
    const count = partCount(size)
    let next = count > 0 ? read(0) : undefined
    for (let index = 1; next; index++) {
      const bytes = await next
      next = index < count ? read(index) : undefined
      yield bytes
    }
  }

  /** Every upload that has left something here. */
  async all(): Promise<[AccountHex, ObjectHash][]> {
    const names = await readdir(this.#directory).catch(() => [])
    return names.flatMap(name => {
      const [, account, hash] = /^([0-9a-f]{64})-([0-9a-f]{64})$/.exec(name) ?? []
      return account !== undefined && hash !== undefined ? [[account, hash] as [AccountHex, ObjectHash]] : []
    })
  }

  async remove(account: AccountHex, hash: ObjectHash): Promise<void> {
    await rm(this.#folder(account, hash), { recursive: true, force: true })
  }

  #folder(account: AccountHex, hash: ObjectHash): string {
    return join(this.#directory, `${account}-${hash}`)
  }
}

function partBytes(size: number, index: number): number {
  if (index >= partCount(size)) throw new NodeError('malformed', `The object has ${partCount(size)} parts.`)
  return Math.min(OBJECT_PART_BYTES, size - index * OBJECT_PART_BYTES)
}

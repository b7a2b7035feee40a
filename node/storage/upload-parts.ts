import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteStream } from '../../storage-adapter/storage-adapter.ts'
import { NodeError } from '../errors.ts'
import type { AccountHex, ObjectHash } from './object-records.ts'

/** Bytes of each part of an upload but the last. */
export const UPLOAD_PART_BYTES = 1024 * 1024

/** How many parts an object has; an empty one has none. */
export function partCount(size: number): number {
  return Math.ceil(size / UPLOAD_PART_BYTES)
}

/** The parts of unfinished uploads, a file each, so that an upload goes on after a restart of either side. */
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
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const unfinished = join(folder, `${index}.${crypto.randomUUID()}`)
    {
      await using file = await open(unfinished, 'wx', 0o600)
      await file.writeFile(bytes)
      await file.sync()
    }
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

  /** All parts in order, as one stream. */
  async *content(account: AccountHex, hash: ObjectHash, size: number): ByteStream {
    for (let index = 0; index < partCount(size); index++) {
      yield* createReadStream(join(this.#folder(account, hash), `${index}`)) as AsyncIterable<Buffer>
    }
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
  return Math.min(UPLOAD_PART_BYTES, size - index * UPLOAD_PART_BYTES)
}

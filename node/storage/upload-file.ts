/**
 * The file of one upload. Parts are written at their places, in the form of the disk storage, and hashed as they come: when the last one is
 * here, nothing is read or written a second time. It is not synced before the end, but for what the disk can take meanwhile: what is acknowledged
 * is the whole object.
 */
import { createHash, type Hash } from 'node:crypto'
import { constants, mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OBJECT_PART_BYTES } from '../../protocol/limits.ts'
import { BLOCK_BYTES, hasBlocks, readObject, writeBlocks } from '../../storage-adapter/disk/object-file.ts'
import type { ByteStream } from '../../storage-adapter/storage-adapter.ts'
import { NodeError } from '../errors.ts'

const BLOCKS_OF_PART = OBJECT_PART_BYTES / BLOCK_BYTES
/** Parts after which the disk is asked to begin. */
const PARTS_BETWEEN_SYNCS = 8
/** Parts of one file, and of all, that came before their turn and are kept in memory until then. Others are read from the file. */
const EARLY_PARTS = 4
const EARLY_PARTS_OF_ALL = 64

/** How many parts an object has; an empty one has none. */
export function partCount(size: number): number {
  return Math.ceil(size / OBJECT_PART_BYTES)
}

/** Counts parts that wait in memory, over all files. */
export interface EarlyParts {
  count: number
}

export class UploadFile {
  readonly path: string
  readonly size: number
  readonly #early: EarlyParts
  readonly #waiting = new Map<number, readonly Uint8Array[]>()
  readonly #writing = new Set<Promise<void>>()
  #received: Set<number> | undefined
  #hash: Hash = createHash('sha256')
  #hashed = 0
  #unsynced = 0
  #syncing: Promise<void> | undefined
  #isClosed = false

  /** @param size - of the whole object. */
  constructor(path: string, size: number, early: EarlyParts) {
    this.path = path
    this.size = size
    this.#early = early
  }

  /**
   * Keeps one part; the same part again takes its place.
   * @param pieces - its bytes as they came, cut anywhere.
   * @throws NodeError `malformed` for an index outside of the object, or bytes that are not as many as the part has; `busy` while
   * the upload ends.
   */
  async write(index: number, pieces: readonly Uint8Array[]): Promise<void> {
    const [expected, length] = [this.#partBytes(index), lengthOf(pieces)]
    if (length !== expected) {
      throw new NodeError('malformed', `Part ${index} has ${expected} bytes, got ${length}.`)
    }
    if (this.#isClosed) throw new NodeError('busy', 'The upload is ending.')
    const writing = this.#write(index, pieces)
    const settled = writing.catch(() => undefined)
    this.#writing.add(settled)
    try {
      await writing
    } finally {
      this.#writing.delete(settled)
    }
  }

  async #write(index: number, pieces: readonly Uint8Array[]): Promise<void> {
    const received = await this.#loaded()
    await using file = await this.#open()
    await writeBlocks(file, index * BLOCKS_OF_PART, pieces)
    if (received.has(index)) return this.#forgetHash()
    received.add(index)
    this.#take(index, pieces)
    if (++this.#unsynced >= PARTS_BETWEEN_SYNCS) this.#beginSync()
  }

  /** Indexes of the parts that are here, in order. */
  async received(): Promise<number[]> {
    return [...(await this.#loaded())].sort((a, b) => a - b)
  }

  /**
   * Ends the writing, until {@link reopen}.
   * @returns the SHA-256 of the content, 32 bytes; undefined while parts are missing.
   */
  async end(): Promise<Uint8Array | undefined> {
    this.#isClosed = true
    await Promise.all(this.#writing)
    const count = partCount(this.size)
    if ((await this.#loaded()).size !== count) return this.reopen()
    if (this.#hashed < count) {
      const start = this.#hashed * OBJECT_PART_BYTES
      for await (const bytes of this.#read(start, this.size - start)) this.#hash.update(bytes)
      this.#hashed = count
      this.#dropWaiting()
    }
    return Uint8Array.from(this.#hash.copy().digest())
  }

  reopen(): undefined {
    this.#isClosed = false
  }

  /** Resolves once every byte is on the disk. */
  async sync(): Promise<void> {
    await this.#syncing
    await using file = await this.#open()
    if (this.size === 0) await writeBlocks(file, 0, [])
    await file.sync()
  }

  content(): ByteStream {
    return this.#read(0, this.size)
  }

  async remove(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#writing)
    await this.#syncing?.catch(() => undefined)
    this.#dropWaiting()
    await rm(this.path, { force: true })
  }

  async *#read(start: number, length: number): ByteStream {
    if (length === 0) return
    await using file = await open(this.path)
    yield* readObject(file, this.size, start, length)
  }

  /** What an earlier process left is known by its checksums. */
  async #loaded(): Promise<Set<number>> {
    if (this.#received) return this.#received
    const found = new Set<number>()
    for (const index of await this.#found()) found.add(index)
    // Another call may have looked at the same time, and a part have come since.
    return (this.#received ??= found)
  }

  async #found(): Promise<number[]> {
    const file = await open(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (!file) return []
    await using _closing = file
    const found: number[] = []
    for (let index = 0; index < partCount(this.size); index++) {
      const blocks = Math.ceil(this.#partBytes(index) / BLOCK_BYTES)
      if (await hasBlocks(file, this.size, index * BLOCKS_OF_PART, blocks)) found.push(index)
    }
    return found
  }

  /** Parts are hashed in order; one that comes early waits for its turn. */
  #take(index: number, pieces: readonly Uint8Array[]): void {
    if (index !== this.#hashed) {
      if (this.#waiting.size >= EARLY_PARTS || this.#early.count >= EARLY_PARTS_OF_ALL) return
      this.#early.count++
      this.#waiting.set(index, pieces)
      return
    }
    for (let next: readonly Uint8Array[] | undefined = pieces; next; next = this.#waiting.get(this.#hashed)) {
      if (this.#waiting.delete(this.#hashed)) this.#early.count--
      for (const piece of next) this.#hash.update(piece)
      this.#hashed++
    }
  }

  /** The file may have other bytes than those that were hashed: it is read at the end. */
  #forgetHash(): void {
    this.#hash = createHash('sha256')
    this.#hashed = 0
    this.#dropWaiting()
  }

  #dropWaiting(): void {
    this.#early.count -= this.#waiting.size
    this.#waiting.clear()
  }

  /** A failure stays: the system tells it once, and the bytes may be lost. */
  #beginSync(): void {
    this.#unsynced = 0
    const before = this.#syncing
    this.#syncing = (async () => {
      await before
      await using file = await this.#open()
      await file.datasync()
    })()
    // Awaited by `sync`.
    this.#syncing.catch(() => undefined)
  }

  async #open(): Promise<FileHandle> {
    const openFile = (): Promise<FileHandle> => open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600)
    return openFile().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
      return openFile()
    })
  }

  #partBytes(index: number): number {
    const count = partCount(this.size)
    if (index >= count) throw new NodeError('malformed', `The object has ${count} parts.`)
    return Math.min(OBJECT_PART_BYTES, this.size - index * OBJECT_PART_BYTES)
  }
}

/** Bytes of all pieces together. */
export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

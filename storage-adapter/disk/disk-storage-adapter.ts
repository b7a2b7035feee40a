import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, opendir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { requireSize, verifiedContent } from '../byte-stream.ts'
import { StorageError } from '../errors.ts'
import { makeReference, readReference, requireRange } from '../reference.ts'
import {
  parseObjectName,
  type ByteStream,
  type Cancellable,
  type NewObject,
  type ObjectName,
  type StorageAdapter,
  type StorageReference,
  type StoredObject
} from '../storage-adapter.ts'
import { objectSize, readObject, writeObject } from './object-file.ts'

/** Largest object on a disk unless said otherwise: 1 GiB. */
export const DEFAULT_DISK_OBJECT_BYTES = 1024 * 1024 * 1024

/** What {@link DiskStorageAdapter} is told. */
export interface DiskStorageInit {
  /** Folder of the objects, made if missing. One process at a time: what it finds half-written at the start is removed. */
  directory: string
  /** Bytes of all objects together; default: as much as the disk holds. */
  capacityBytes?: number | undefined
  maxObjectBytes?: number | undefined
}

type Named = Pick<NewObject, 'name' | 'size'>

const ADAPTER = 'disk'
const FULL = ['ENOSPC', 'EDQUOT']
const NAME = /^[a-z0-9_-]{1,128}$/

/**
 * Objects as files. An object is written to `unfinished/`, synced, then renamed to its place, then its folder is synced: after a
 * power cut it is there whole or not at all.
 */
export class DiskStorageAdapter implements StorageAdapter {
  readonly name = ADAPTER
  readonly maxObjectBytes: number
  readonly #directory: string
  readonly #capacityBytes: number
  /** Puts in hand: a second one of the same name waits for the first. */
  readonly #writing = new Map<ObjectName, Promise<StoredObject>>()
  #usedBytes = 0

  private constructor(init: DiskStorageInit) {
    this.#directory = init.directory
    this.#capacityBytes = init.capacityBytes ?? Number.POSITIVE_INFINITY
    this.maxObjectBytes = init.maxObjectBytes ?? DEFAULT_DISK_OBJECT_BYTES
  }

  /** Makes the folder, removes what an earlier process left half-written, and counts what is stored. */
  static async open(init: DiskStorageInit): Promise<DiskStorageAdapter> {
    const adapter = new DiskStorageAdapter(init)
    await rm(adapter.#unfinished(), { recursive: true, force: true })
    for (const folder of [adapter.#unfinished(), adapter.#objects()])
      await mkdir(folder, { recursive: true, mode: 0o700 })
    for await (const { size } of adapter.list('')) adapter.#usedBytes += size
    return adapter
  }

  put(object: NewObject, { signal }: Cancellable = {}): Promise<StoredObject> {
    return this.#inTurn(object, () => this.#write(object, signal))
  }

  adopt(object: Named, path: string): Promise<StoredObject> {
    return this.#inTurn(object, () => this.#place(path, object.name))
  }

  async #inTurn(object: Named, write: () => Promise<void>): Promise<StoredObject> {
    requireSize(object.size, this.maxObjectBytes)
    while (this.#writing.has(object.name)) await this.#writing.get(object.name)!.catch(() => undefined)
    const writing = this.#store(object, write).finally(() => this.#writing.delete(object.name))
    this.#writing.set(object.name, writing)
    return writing
  }

  async #store(object: Named, write: () => Promise<void>): Promise<StoredObject> {
    const existing = await this.#find(object.name)
    // A file that was cut off has the size 0; the new one takes its place.
    if (existing && existing.size > 0) return sameSize(existing, object.size)
    if (this.#usedBytes + object.size > this.#capacityBytes) throw new StorageError('quota', 'the storage is full')
    // Counted before the first byte: puts that run together must not pass the capacity together.
    this.#usedBytes += object.size
    try {
      await write()
    } catch (error) {
      this.#usedBytes -= object.size
      throw asStorageError(error)
    }
    return stored(object.name, object.size)
  }

  async get(reference: StorageReference, options: Cancellable = {}): Promise<ByteStream> {
    const { size } = readReference(ADAPTER, reference, NAME)
    return this.#read(reference, 0, size, options)
  }

  async range(
    reference: StorageReference,
    start: number,
    length: number,
    options: Cancellable = {}
  ): Promise<ByteStream> {
    requireRange(readReference(ADAPTER, reference, NAME).size, start, length)
    return this.#read(reference, start, length, options)
  }

  async delete(reference: StorageReference): Promise<void> {
    const { id } = readReference(ADAPTER, reference, NAME)
    const path = this.#path(id as ObjectName)
    const size = await fileBytes(path)
    if (size === undefined) return
    await rm(path, { force: true })
    this.#usedBytes -= sizeOrZero(size)
  }

  async *list(prefix: string, { signal }: Cancellable = {}): AsyncIterable<StoredObject> {
    for await (const folder of await opendir(this.#objects())) {
      if (!folder.isDirectory()) continue
      for await (const { name } of await opendir(join(this.#objects(), folder.name))) {
        signal?.throwIfAborted()
        if (!NAME.test(name) || !name.startsWith(prefix)) continue
        const found = await this.#find(name as ObjectName)
        if (found) yield found
      }
    }
  }

  async health(): Promise<void> {
    const probe = join(this.#unfinished(), randomUUID())
    try {
      await (await open(probe, 'wx', 0o600)).close()
      await rm(probe)
    } catch (error) {
      throw asStorageError(error)
    }
  }

  async #write(object: NewObject, signal: AbortSignal | undefined): Promise<void> {
    const unfinished = join(this.#unfinished(), randomUUID())
    try {
      await using file = await open(unfinished, 'wx', 0o600)
      await writeObject(file, verifiedContent(object, signal))
      await file.sync()
      await this.#place(unfinished, object.name)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  }

  async #read(
    reference: StorageReference,
    start: number,
    length: number,
    { signal }: Cancellable
  ): Promise<ByteStream> {
    const { id, size } = readReference(ADAPTER, reference, NAME)
    const file = await open(this.#path(id as ObjectName)).catch(error => {
      throw asStorageError(error)
    })
    return readAndClose(file, size, start, length, signal)
  }

  /** Moves a file to its place; it is there after a power cut. */
  async #place(path: string, name: ObjectName): Promise<void> {
    const folder = this.#folder(name)
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    await rename(path, this.#path(name))
    await syncFolder(folder)
    if (made !== undefined) await syncFolder(this.#objects())
  }

  /** The object of that name; a file whose length is wrong is listed with the size 0, so that it can be removed. */
  async #find(name: ObjectName): Promise<StoredObject | undefined> {
    const bytes = await fileBytes(this.#path(name))
    return bytes === undefined ? undefined : stored(parseObjectName(name), sizeOrZero(bytes))
  }

  #objects(): string {
    return join(this.#directory, 'objects')
  }

  #unfinished(): string {
    return join(this.#directory, 'unfinished')
  }

  /** 256 folders, by hash: names may share their beginning. */
  #folder(name: ObjectName): string {
    return join(this.#objects(), createHash('sha256').update(name).digest('hex').slice(0, 2))
  }

  #path(name: ObjectName): string {
    return join(this.#folder(name), name)
  }
}

/** Closes the file when the consumer is done, or stops. */
async function* readAndClose(
  file: FileHandle,
  size: number,
  start: number,
  length: number,
  signal: AbortSignal | undefined
): ByteStream {
  await using _closing = file
  if (objectSize((await file.stat()).size) !== size) throw new StorageError('corrupt', 'the file has another length')
  for await (const bytes of readObject(file, size, start, length)) {
    signal?.throwIfAborted()
    yield bytes
  }
}

function stored(name: ObjectName, size: number): StoredObject {
  return { reference: makeReference(ADAPTER, size, name), name, size }
}

function sameSize(existing: StoredObject, size: number): StoredObject {
  if (existing.size === size) return existing
  throw new StorageError('conflict', `the name is taken by an object of ${existing.size} bytes`)
}

/** @returns undefined if there is no such file. */
async function fileBytes(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw asStorageError(error)
  }
}

function sizeOrZero(bytes: number): number {
  try {
    return objectSize(bytes)
  } catch {
    return 0
  }
}

/** A rename is on the disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder)
  await handle.sync()
}

function asStorageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || error instanceof StorageError) return error
  if (code === 'ENOENT') return new StorageError('not-found', 'no object has this reference', { cause: error })
  if (FULL.includes(code)) return new StorageError('quota', 'the disk is full', { cause: error })
  return code.startsWith('E') ? new StorageError('unavailable', `the disk answers ${code}`, { cause: error }) : error
}

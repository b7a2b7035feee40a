/**
 * A store as a stream of bytes, for backups: all entries of one moment, whatever is written meanwhile.
 *
 * ```text
 * "volo-store/1\n", then for each entry: length of the key and of the value (4 bytes each, big-endian), key, value;
 * at the end: ffffffff, number of entries (4 bytes)
 * ```
 */
import type { AbstractSnapshot } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import { VERSION_KEY } from './migrate.ts'

const MAGIC = Buffer.from('volo-store/1\n')
const END = 0xffff_ffff
const HEADER_BYTES = 8
/** Bytes that are read, sent or written at once. */
const CHUNK_BYTES = 256 * 1024
const READ_ENTRIES = 1_000
/** Larger than any entry of any store: what claims more is not a dump. */
const MAX_ENTRY_BYTES = 64 * 1024 * 1024
const RAW = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const

/** One entry, sublevels included, as LevelDB has it. */
export type RawEntry = [key: Buffer, value: Buffer]

/** What a dump is made of. */
export interface StoreSnapshot {
  /** Version of the store's layout, see `migrate.ts`; 1 for a store that carries none. */
  version: number
  /** The dump, to be read once. */
  chunks(): AsyncGenerator<Buffer>
  /** Lets LevelDB forget the moment. Safe to call twice. */
  release(): Promise<void>
}

/** A dump that is cut short, or is none. */
export class DumpError extends Error {
  override name = 'DumpError'
}

/** Any store that is open. */
type AnyLevel = Pick<ClassicLevel<string, string>, 'snapshot' | 'get' | 'iterator'>

/** Holds the moment of the call; what is written later is not in the dump. */
export async function snapshotOf(level: unknown): Promise<StoreSnapshot> {
  const store = level as AnyLevel
  const snapshot = store.snapshot()
  const text = await store.get(VERSION_KEY, { keyEncoding: 'utf8', valueEncoding: 'utf8', snapshot })
  return {
    version: text === undefined ? 1 : Number(text),
    chunks: () => dump(store, snapshot),
    release: () => snapshot.close()
  }
}

async function* dump(store: AnyLevel, snapshot: AbstractSnapshot): AsyncGenerator<Buffer> {
  const entries = store.iterator<Buffer, Buffer>({ ...RAW, snapshot, highWaterMarkBytes: CHUNK_BYTES })
  try {
    let count = 0
    let [parts, size]: [Buffer[], number] = [[MAGIC], MAGIC.length]
    for (let some = await entries.nextv(READ_ENTRIES); some.length > 0; some = await entries.nextv(READ_ENTRIES)) {
      for (const [key, value] of some) {
        count += 1
        size += HEADER_BYTES + key.length + value.length
        parts.push(twoNumbers(key.length, value.length), key, value)
        if (size < CHUNK_BYTES) continue
        yield Buffer.concat(parts)
        ;[parts, size] = [[], 0]
      }
    }
    yield Buffer.concat([...parts, twoNumbers(END, count)])
  } finally {
    await entries.close()
  }
}

function twoNumbers(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.writeUInt32BE(first, 0)
  bytes.writeUInt32BE(second, 4)
  return bytes
}

/**
 * The entries of a dump.
 * @throws DumpError if it is cut short, goes on after its end, or is no dump.
 */
export async function* readDump(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawEntry> {
  const bytes = new ByteReader(chunks)
  if (!(await bytes.take(MAGIC.length)).equals(MAGIC)) throw new DumpError('this is no dump of a store')
  for (let count = 0; ; count++) {
    const header = await bytes.take(HEADER_BYTES)
    const [keyLength, valueLength] = [header.readUInt32BE(0), header.readUInt32BE(4)]
    if (keyLength === END) {
      if (valueLength !== count) throw new DumpError(`expected ${valueLength} entries, got ${count}`)
      return bytes.requireEnd()
    }
    if (keyLength + valueLength > MAX_ENTRY_BYTES) throw new DumpError('an entry is too large')
    const entry = await bytes.take(keyLength + valueLength)
    yield [entry.subarray(0, keyLength), entry.subarray(keyLength)]
  }
}

/** Reads exact numbers of bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async take(length: number): Promise<Buffer> {
    const parts = [this.#rest]
    for (let size = this.#rest.length; size < length;) {
      const next = await this.#chunks.next()
      if (next.done) throw new DumpError('it is cut short')
      parts.push(next.value)
      size += next.value.length
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    this.#rest = all.subarray(length)
    return all.subarray(0, length)
  }

  async requireEnd(): Promise<void> {
    if (this.#rest.length > 0 || !(await this.#chunks.next()).done) throw new DumpError('it goes on after its end')
  }
}

/**
 * Writes the entries of a dump into a new store; they are on the disk once this resolves.
 * @throws DumpError, or what LevelDB says; the folder is then not to be used.
 */
export async function loadDump(chunks: AsyncIterable<Buffer>, folder: string): Promise<void> {
  const level = new ClassicLevel<Buffer, Buffer>(folder, { ...RAW, errorIfExists: true })
  await level.open()
  try {
    let [batch, size]: [{ type: 'put'; key: Buffer; value: Buffer }[], number] = [[], 0]
    for await (const [key, value] of readDump(chunks)) {
      batch.push({ type: 'put', key, value })
      size += key.length + value.length
      if (size < CHUNK_BYTES) continue
      await level.batch(batch, { sync: true })
      ;[batch, size] = [[], 0]
    }
    await level.batch(batch, { sync: true })
  } finally {
    await level.close()
  }
}

/** Opens a store that no process uses, as it is, reads it, and closes it. @throws LevelDB's error if it is in use. */
export async function openForDump(folder: string): Promise<StoreSnapshot> {
  const level = new ClassicLevel<Buffer, Buffer>(folder, { ...RAW, createIfMissing: false })
  await level.open()
  const snapshot = await snapshotOf(level)
  return {
    ...snapshot,
    release: async () => {
      await snapshot.release()
      await level.close()
    }
  }
}

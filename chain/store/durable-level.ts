/**
 * The LevelDB under every store of a node, a devnet and a publisher. It adds to `classic-level` what each of them needs:
 *
 * - A write is on the disk once its promise resolves, unless its caller says `sync: false`. A caller says so only for what
 *   may be lost at any time, never for what a later write relies on: LevelDB starts a new log file now and then without an
 *   fsync of the old one (read in its source), so a later synced write does not bring earlier ones to the disk.
 * - The first write that fails is the last: after an error such as a full disk, LevelDB goes on writing to a log with a
 *   torn record in the middle, and loses what follows it at the next start, although it called that safe. Every later
 *   write is refused, and the process is told to end.
 * - The store has a version, see `migrate.ts`.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { ClassicLevel, type DatabaseOptions } from 'classic-level'
import { migrate, type MigrationStep } from './migrate.ts'
import { reasonOf, StoreError } from './store-error.ts'

/** Only the user who runs the program reads its stores. */
const OWNER_ONLY = 0o700

/** How a store is opened. */
export interface DurableLevelInit<K, V> extends Pick<
  DatabaseOptions<K, V>,
  'keyEncoding' | 'valueEncoding' | 'compression' | 'writeBufferSize' | 'cacheSize'
> {
  /** Leads older layouts to today's, see {@link migrate}. */
  steps?: readonly MigrationStep<DurableLevel<K, V>>[]
  /** Called once, with the failure of the first write that failed: end the process. */
  onFatal?(error: StoreError): void
}

interface WriteOptions {
  sync?: boolean
}

/** The hooks that all ways to write end in, those of sublevels included (`abstract-level`, "Private API For Implementors"). */
interface WriteHooks {
  _put(key: unknown, value: unknown, options: WriteOptions): Promise<void>
  _del(key: unknown, options: WriteOptions): Promise<void>
  _batch(operations: unknown, options: WriteOptions): Promise<void>
  _clear(options: WriteOptions): Promise<void>
}
const hooks = ClassicLevel.prototype as unknown as WriteHooks

export class DurableLevel<K = string, V = string> extends ClassicLevel<K, V> {
  readonly #onFatal: ((error: StoreError) => void) | undefined
  #failure: StoreError | undefined

  private constructor(folder: string, { steps: _steps, onFatal, ...options }: DurableLevelInit<K, V>) {
    super(folder, options)
    this.#onFatal = onFatal
  }

  /**
   * Opens the store in a folder, which is made if it is missing, and brings it to today's layout.
   * @throws StoreError `in-use`, `newer` or `not-opened`.
   */
  static async open<K = string, V = string>(
    folder: string,
    init: DurableLevelInit<K, V> = {}
  ): Promise<DurableLevel<K, V>> {
    const database = new DurableLevel<K, V>(folder, init)
    try {
      mkdirSync(folder, { recursive: true, mode: OWNER_ONLY })
      chmodSync(folder, OWNER_ONLY)
      await database.open()
      await migrate(database, init.steps ?? [])
      return database
    } catch (error) {
      await database.close()
      throw openFailure(folder, error)
    }
  }

  /** Why nothing more is written; undefined while all is well. */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  _put(key: unknown, value: unknown, options: WriteOptions): Promise<void> {
    return this.#write(() => hooks._put.call(this, key, value, durable(options)))
  }

  _del(key: unknown, options: WriteOptions): Promise<void> {
    return this.#write(() => hooks._del.call(this, key, durable(options)))
  }

  _batch(operations: unknown, options: WriteOptions): Promise<void> {
    return this.#write(() => hooks._batch.call(this, operations, durable(options)))
  }

  _clear(options: WriteOptions): Promise<void> {
    return this.#write(() => hooks._clear.call(this, options))
  }

  /** Chained batches would go round the hooks above. */
  _chainedBatch(): never {
    throw new Error('write with batch([...]), not with a chained batch')
  }

  async #write(write: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure
    try {
      await write()
    } catch (cause) {
      throw this.#fail(cause)
    }
    // Another write failed meanwhile: LevelDB may have appended this one behind the torn record.
    if (this.#failure) throw this.#failure
  }

  #fail(cause: unknown): StoreError {
    if (this.#failure) return this.#failure
    const message = `Cannot write to the store ${this.location} (${reasonOf(cause)}): check the disk, then start again`
    this.#failure = new StoreError('write-failed', message, { cause })
    this.#onFatal?.(this.#failure)
    return this.#failure
  }
}

function durable(options: WriteOptions): WriteOptions {
  return { ...options, sync: options.sync ?? true }
}

function openFailure(folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const { cause } = error as { cause?: { code?: string } }
  if (cause?.code === 'LEVEL_LOCKED') {
    return new StoreError('in-use', `Another process uses ${folder}.`, { cause: error })
  }
  const message = `Cannot open the store ${folder} (${reasonOf(error)}): check its permissions and the free space.`
  return new StoreError('not-opened', message, { cause: error })
}

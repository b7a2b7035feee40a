import type { KeyValueStore } from '../../../peer/ports.ts'
import { SortedEntries } from './sorted-entries.ts'

/** A store that survives the engine above it, but not the test. `failNext` makes the next batch fail. */
export class MemoryStore implements KeyValueStore {
  readonly entries = new SortedEntries()
  batches = 0
  failNext = false
  /** Called before each batch, with the kinds of entries in it; throwing in it is a crash at that point. */
  beforeBatch: ((spaces: string[]) => void) | undefined
  /** A disk that takes its time: waited for by each flush. */
  beforeFlush: (() => Promise<void>) | undefined
  /** Waited for by each access, so that whatever runs beside it gets its turn. */
  pause: (() => Promise<void>) | undefined
  /** What a power cut would bring back: entries as they were at the last flush, for those that changed since. */
  readonly #undo = new Map<string, Uint8Array | undefined>()

  async get(key: string): Promise<Uint8Array | undefined> {
    await this.pause?.()
    return this.entries.get(key)
  }

  async batch(
    changes: { key: string; value: Uint8Array | null }[],
    { durable = true }: { durable?: boolean } = {}
  ): Promise<void> {
    await this.pause?.()
    this.beforeBatch?.(changes.map(({ key }) => key.split('/')[0]!))
    if (this.failNext) {
      this.failNext = false
      throw new Error('disk full')
    }
    this.batches++
    for (const { key, value } of changes) {
      if (!durable && !this.#undo.has(key)) this.#undo.set(key, this.entries.get(key))
      if (value === null) this.entries.delete(key)
      else this.entries.set(key, value.slice())
    }
    if (durable) this.#undo.clear()
  }

  async flush(): Promise<void> {
    this.#undo.clear()
  }

  /** Undoes what was neither durable nor flushed. */
  cutPower(): void {
    for (const [key, value] of this.#undo) {
      if (value === undefined) this.entries.delete(key)
      else this.entries.set(key, value)
    }
    this.#undo.clear()
  }

  async range(options: {
    gte: string
    lt: string
    reverse?: boolean
    limit?: number
  }): Promise<[string, Uint8Array][]> {
    await this.pause?.()
    return this.entries.range(options)
  }

  async close(): Promise<void> {}

  /**
   * The store as one process has it open: once that process is gone, nothing of it reaches the disk any more. Refuses
   * every call after `close`, as LevelDB does.
   */
  openedBy(process: { isGone: boolean }): KeyValueStore {
    let isOpen = true
    const requireOpen = (): void => {
      if (!isOpen) throw new Error('Database is not open')
    }
    return {
      get: async key => {
        requireOpen()
        return this.get(key)
      },
      range: async options => {
        requireOpen()
        return this.range(options)
      },
      flush: async () => {
        requireOpen()
        await this.beforeFlush?.()
        if (process.isGone) throw new Error('the process is gone')
        await this.flush()
      },
      close: async () => void (isOpen = false),
      batch: async (changes, options) => {
        requireOpen()
        if (process.isGone) throw new Error('the process is gone')
        await this.batch(changes, options)
      }
    }
  }
}

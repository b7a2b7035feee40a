import type { KeyValueStore } from '../../../peer/ports.ts'

/** A store that survives the engine above it, but not the test. `failNext` makes the next batch fail. */
export class MemoryStore implements KeyValueStore {
  readonly entries = new Map<string, Uint8Array>()
  batches = 0
  failNext = false
  /** Called before each batch, with the kinds of entries in it; throwing in it is a crash at that point. */
  beforeBatch: ((spaces: string[]) => void) | undefined
  /** A disk that takes its time: waited for by each flush. */
  beforeFlush: (() => Promise<void>) | undefined
  /** Waited for by each access, so that whatever runs beside it gets its turn. */
  pause: (() => Promise<void>) | undefined
  /** What a power cut would leave. */
  #durable = new Map<string, Uint8Array>()

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
      if (value === null) this.entries.delete(key)
      else this.entries.set(key, value.slice())
    }
    if (durable) this.#durable = new Map(this.entries)
  }

  async flush(): Promise<void> {
    this.#durable = new Map(this.entries)
  }

  /** Undoes what was neither durable nor flushed. */
  cutPower(): void {
    this.entries.clear()
    for (const [key, value] of this.#durable) this.entries.set(key, value)
  }

  async range(options: {
    gte: string
    lt: string
    reverse?: boolean
    limit?: number
  }): Promise<[string, Uint8Array][]> {
    await this.pause?.()
    const found = [...this.entries]
      .filter(([key]) => key >= options.gte && key < options.lt)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    if (options.reverse) found.reverse()
    return found.slice(0, options.limit)
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

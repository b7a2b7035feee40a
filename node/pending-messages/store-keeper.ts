import type { DiskGuard } from './disk-guard.ts'
import type { PendingMessageStore } from './pending-message-store.ts'
import type { Logger } from '../ports.ts'
import { scrub } from './store-scrubber.ts'

/** What has expired is removed this often. */
const SWEEP_INTERVAL_MS = 5_000
/** Everything stored is read and compared with its hash this often, and once after the start. */
const SCRUB_INTERVAL_MS = 6 * 60 * 60 * 1000
const FIRST_SCRUB_MS = 2_000

export interface StoreKeeperComponents {
  store: PendingMessageStore
  disk: DiskGuard
  logger: Logger
}

/** Opens and closes the store, and does its housekeeping: removing what has expired, looking for damage, watching the disk. */
export class StoreKeeper {
  readonly #components: StoreKeeperComponents
  readonly #log: Logger
  #stopping = new AbortController()
  #sweeping: Promise<void> | undefined
  #scrubbing: Promise<void> | undefined
  #timers: NodeJS.Timeout[] = []

  constructor(components: StoreKeeperComponents) {
    this.#components = components
    this.#log = components.logger.forComponent('volo:store-keeper')
  }

  async start(): Promise<void> {
    const { store, disk } = this.#components
    this.#stopping = new AbortController()
    try {
      await store.open()
    } catch (error) {
      // A full disk keeps the database from opening: the ballast is there for this.
      if (!(await disk.dropBallast())) throw error
      await store.open()
    }
    await disk.start()
    this.#timers = [
      setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS),
      setInterval(() => this.#scrub(), SCRUB_INTERVAL_MS),
      setTimeout(() => this.#scrub(), FIRST_SCRUB_MS)
    ]
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#sweeping
    await this.#scrubbing
    await this.#components.disk.stop()
    await this.#components.store.close()
  }

  /** Looks for damage now. */
  async scrubNow(): Promise<void> {
    this.#scrub()
    await this.#scrubbing
  }

  #sweep(): void {
    const report = (error: Error): void => this.#log.warn('a sweep ended early', { reason: error.message })
    this.#sweeping ??= this.#components.store
      .sweep()
      .then(() => undefined, report)
      .finally(() => (this.#sweeping = undefined))
  }

  #scrub(): void {
    const report = (error: Error): void => this.#log.warn('a scrub ended early', { reason: error.message })
    this.#scrubbing ??= scrub(this.#components.store, this.#stopping.signal)
      .then(result => {
        if (result.broken + result.restored > 0) this.#log.error('damage was found in the store', { ...result })
      }, report)
      .finally(() => (this.#scrubbing = undefined))
  }
}

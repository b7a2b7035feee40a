/** The part of the browser's StorageManager in use. */
export type StorageKeeper = Pick<StorageManager, 'persist' | 'persisted'>

/** Whether the browser promised not to clear what this device keeps. */
export class KeptStorage {
  /** Null until it is known, or if the browser cannot say. */
  isSafe = $state<boolean | null>(null)
  readonly #keeper: StorageKeeper | undefined
  #asked = false

  /** @param keeper - `navigator.storage`, undefined where there is none. */
  constructor(keeper: StorageKeeper | undefined) {
    this.#keeper = keeper
  }

  async look(): Promise<void> {
    this.isSafe = (await this.#keeper?.persisted().catch(() => null)) ?? null
  }

  /** Asks for the promise, once. Some browsers ask the person: call this once the device has something to lose. */
  async ask(): Promise<void> {
    if (this.#asked) return
    this.#asked = true
    await this.#keeper?.persist().catch(() => false)
    await this.look()
  }
}

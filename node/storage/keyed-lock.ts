/** Runs work one after the other for each key; work of different keys runs together. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>()

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const running = before.then(work, work)
    // The failure surfaces where `run` is awaited; the next in the line only waits.
    const settled = running.catch(() => undefined)
    this.#last.set(key, settled)
    try {
      return await running
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}

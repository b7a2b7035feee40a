/** Runs a bounded number of pieces of work at once. After the first failure nothing more begins. */
export class AtOnce {
  readonly #limit: number
  readonly #running = new Set<Promise<void>>()
  #failure: { reason: unknown } | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Begins a piece of work; resolves when there is room for the next. @throws the failure of an earlier piece. */
  async begin(work: () => Promise<void>): Promise<void> {
    this.#throwFailure()
    const running = work()
      .catch((reason: unknown) => {
        this.#failure ??= { reason }
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
    while (this.#running.size >= this.#limit) await Promise.race(this.#running)
    this.#throwFailure()
  }

  /** Resolves once everything that was begun has ended. @throws the first failure. */
  async end(): Promise<void> {
    await Promise.all(this.#running)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.reason
  }
}

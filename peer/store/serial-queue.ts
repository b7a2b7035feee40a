/** Runs asynchronous work one piece at a time, in the order asked. State changes of a peer go through one of these. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** @returns what `work` returns, or rejects as it does; the next piece runs either way. Never nest. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Resolves once everything asked for so far has run. */
  async idle(): Promise<void> {
    await this.#last
  }
}

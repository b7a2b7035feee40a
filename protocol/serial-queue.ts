/**
 * Runs asynchronous work one piece at a time, in the order of the calls.
 *
 * Never call {@link run} from inside a piece of work of the same queue and wait for it: both would wait for ever.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** @returns what `work` returns, or rejects as it does; the next piece runs either way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  /** Resolves once all work that was asked for before this call has run. Never rejects. */
  async idle(): Promise<void> {
    await this.#last
  }
}

import { NodeError } from '../errors.ts'

/** Deliveries that one group takes at most; more wait for the next. */
export const MAX_GROUP_SIZE = 512
/** Deliveries that may wait; beyond it callers are told to come back. */
export const MAX_WAITING_SIZE = 16_384

/** Something to write, and how many deliveries it touches. */
export interface Sized {
  size: number
}

interface Waiting<W> {
  work: W
  resolve(result: unknown): void
  reject(error: Error): void
}

/**
 * Joins whatever waits into one write: while one group is being written the next one gathers, so the cost of an fsync is
 * shared by all who came in the meantime. Nobody hears "done" before the disk said so.
 *
 * The first failure ends everything: LevelDB refuses all further writes, and what was written is not known.
 */
export class GroupCommit<W extends Sized> {
  readonly #commit: (works: W[]) => Promise<unknown[]>
  readonly #onFailure: (error: Error) => void
  readonly #waiting: Waiting<W>[] = []
  #waitingSize = 0
  #running: Promise<void> | undefined
  #failure: NodeError | undefined
  /** Groups written, and deliveries in them. */
  groups = 0
  items = 0

  /**
   * @param commit - writes works atomically and durably, in order; returns one result each.
   * @param onFailure - called once, with the first failure.
   */
  constructor(commit: (works: W[]) => Promise<unknown[]>, onFailure: (error: Error) => void) {
    this.#commit = commit
    this.#onFailure = onFailure
  }

  get failure(): NodeError | undefined {
    return this.#failure
  }

  /** @throws NodeError `busy` when too much waits, `store-failed` once something failed. */
  run<T>(work: W): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#waitingSize + work.size > MAX_WAITING_SIZE && this.#waiting.length > 0) {
      return Promise.reject(new NodeError('busy', 'the store has too much to write'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({ work, resolve: resolve as (result: unknown) => void, reject })
    this.#waitingSize += work.size
    this.#running ??= this.#drain()
    return promise
  }

  /** Resolves once nothing waits. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Ends with an error that did not come from a write, such as a read that failed. */
  fail(cause: unknown): NodeError {
    if (this.#failure) return this.#failure
    this.#failure = new NodeError('store-failed', 'the pending store failed', { cause })
    this.#onFailure(this.#failure)
    return this.#failure
  }

  async #drain(): Promise<void> {
    // One turn of the event loop lets works that arrived together share the first group.
    await new Promise<void>(resolve => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const members = this.#nextGroup()
      try {
        if (this.#failure) throw this.#failure
        const results = await this.#commit(members.map(member => member.work))
        this.groups += 1
        members.forEach((member, index) => member.resolve(results[index]))
      } catch (cause) {
        const failure = this.fail(cause)
        for (const member of members) member.reject(failure)
      }
    }
    // In the same step as the last look at what waits: the next write begins a new group.
    this.#running = undefined
  }

  #nextGroup(): Waiting<W>[] {
    let size = 0
    let count = 0
    for (const { work } of this.#waiting) {
      if (count > 0 && size + work.size > MAX_GROUP_SIZE) break
      size += work.size
      count += 1
    }
    this.#waitingSize -= size
    this.items += size
    return this.#waiting.splice(0, count)
  }
}

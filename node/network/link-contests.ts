/** So many replacements of a working link within {@link WINDOW_MS} are no bad network. */
export const CONTEST_COUNT = 6
const WINDOW_MS = 60_000

/**
 * Notices when two processes run under one node's key, as after a restored snapshot or a cloned machine: each of them links
 * in its turn, and so takes the link from the other while it works. A process that lost its network links once.
 */
export class LinkContests {
  readonly #now: () => number
  /** Times of the last replacements by node, oldest first. */
  readonly #replaced = new Map<string, number[]>()

  /** @param now - milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A new link of a node took the place of one that worked. */
  note(node: string): void {
    this.#replaced.set(node, [...this.#recent(node), this.#now()].slice(-CONTEST_COUNT))
  }

  isContested(node: string): boolean {
    return this.#recent(node).length >= CONTEST_COUNT
  }

  #recent(node: string): number[] {
    return (this.#replaced.get(node) ?? []).filter(at => at > this.#now() - WINDOW_MS)
  }
}

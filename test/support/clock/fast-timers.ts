import type { Timers } from '../../../peer/ports.ts'

/** What one turn of the event loop may count for at most: time in which the process was not let run is no time. */
const MAX_TURN_MS = 2

/**
 * Time that passes faster than the test's, but only while the test runs: on a busy machine a peer must not take the wait
 * for the processor for the silence of a node.
 */
export class FastTimers implements Timers {
  readonly #speed: number
  readonly #pending = new Set<{ at: number; run: () => void }>()
  #time = Date.now()
  #readAt = performance.now()
  #ticker: NodeJS.Timeout | undefined

  constructor(speed: number) {
    this.#speed = speed
  }

  now(): number {
    const read = performance.now()
    this.#time += Math.min(read - this.#readAt, MAX_TURN_MS) * this.#speed
    this.#readAt = read
    return Math.floor(this.#time)
  }

  monotonic(): number {
    return this.now()
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now() + ms, run }
    this.#pending.add(timer)
    this.#ticker ??= setInterval(() => this.#tick(), 1)
    return () => void this.#pending.delete(timer)
  }

  #tick(): void {
    const now = this.now()
    const due = [...this.#pending].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
    for (const timer of due) if (this.#pending.delete(timer)) timer.run()
    if (this.#pending.size > 0) return
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}

import type { Timers } from '../../../peer/ports.ts'

/** Time that passes only when a test says so. */
export class ManualTimers implements Timers {
  #now: number
  readonly #pending = new Set<{ at: number; run: () => void }>()

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run }
    this.#pending.add(timer)
    return () => void this.#pending.delete(timer)
  }

  /** Lets time pass, and runs what was due in its order. */
  pass(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#pending.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = end
  }
}

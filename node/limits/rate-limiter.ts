import type { Clock } from '../../protocol/crypto/crypto.ts'

/** Bounds of a {@link RateLimiter}. */
export interface RateLimiterInit {
  /** Uses of one key in a window. */
  limit: number
  /** Milliseconds. */
  windowMs: number
}

/** Keys that are remembered at once; at the bound the oldest window is forgotten. */
const MAX_KEYS = 100_000

interface Window {
  start: number
  used: number
}

/** Counts uses by key in fixed windows, in memory: a restart gives every key a new window. */
export class RateLimiter {
  readonly #clock: Clock
  readonly #init: RateLimiterInit
  /** In the order of their start. */
  readonly #windows = new Map<string, Window>()

  constructor(components: { clock: Clock }, init: RateLimiterInit) {
    this.#clock = components.clock
    this.#init = init
  }

  /** Counts one use. @returns whether it is within the limit. */
  spend(key: string): boolean {
    const window = this.#current(key)
    if (window === undefined) {
      this.#windows.delete(key)
      if (this.#windows.size >= MAX_KEYS) this.#windows.delete(this.#windows.keys().next().value!)
      this.#windows.set(key, { start: this.#clock(), used: 1 })
      return true
    }
    if (window.used >= this.#init.limit) return false
    window.used++
    return true
  }

  /** Takes back a use whose work failed. */
  giveBack(key: string): void {
    const window = this.#current(key)
    if (window && window.used > 0) window.used--
  }

  #current(key: string): Window | undefined {
    const window = this.#windows.get(key)
    return window && window.start + this.#init.windowMs > this.#clock() ? window : undefined
  }
}

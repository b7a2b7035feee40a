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

/** Counts uses by key in fixed windows, in memory: who waits for a restart gains one window. */
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

  /** Takes back a use that came to nothing. */
  giveBack(key: string): void {
    const window = this.#current(key)
    if (window && window.used > 0) window.used--
  }

  #current(key: string): Window | undefined {
    const window = this.#windows.get(key)
    return window && window.start + this.#init.windowMs > this.#clock() ? window : undefined
  }
}

/** What one address counts as: an IPv6 network of 64 bits is one customer. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const full = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ? tail.split(':') : [])]
  return `${full.slice(0, 4).join(':')}::/64`
}

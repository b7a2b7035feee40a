/** A map of at most `capacity` entries; the one used longest ago makes room. */
export class LruCache<V> {
  readonly #entries = new Map<string, V>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The value, now the most recently used, or `undefined`. */
  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** Stores a value as the most recently used. */
  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value!)
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size
  }
}

/** A short map key for up to a few dozen public bytes. */
export function cacheKey(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

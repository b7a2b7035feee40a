/** Allows `rate` units a second on average and `burst` at once. The clock must not go back: use a monotonic one. */
export class TokenBucket {
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #at: number

  /** @param now - milliseconds. */
  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes units if they are there. */
  spend(units: number, now: number): boolean {
    this.#fill(now)
    if (this.#tokens < units) return false
    this.#tokens -= units
    return true
  }

  /** Whether it is as full as when it was made, so that nothing is lost by forgetting it. */
  isFull(now: number): boolean {
    this.#fill(now)
    return this.#tokens >= this.#burst
  }

  #fill(now: number): void {
    if (now <= this.#at) return
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#rate)
    this.#at = now
  }
}

/** Buckets by key; at the bound the full ones are forgotten, and as many of the oldest as make room for a while. */
export class TokenBuckets {
  readonly #rate: number
  readonly #burst: number
  readonly #max: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: number, burst: number, max: number) {
    this.#rate = rate
    this.#burst = burst
    this.#max = max
  }

  spend(key: string, units: number, now: number): boolean {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#max) this.#forget(now)
      bucket = new TokenBucket(this.#rate, this.#burst, now)
      this.#buckets.set(key, bucket)
    }
    return bucket.spend(units, now)
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key)
    // A quarter at once: a client that comes with ever new keys must not make each of them cost a look at all.
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size <= (this.#max * 3) / 4) return
      this.#buckets.delete(key)
    }
  }
}

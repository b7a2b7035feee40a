import type { Clock } from '../../../protocol/crypto/crypto.ts'

/** Bounds of a {@link OneTimeStore}. */
export interface OneTimeStoreInit {
  /** Milliseconds until an entry is gone. */
  ttlMs: number
  /** Entries at once; at the bound the oldest makes room. */
  maxEntries: number
  /** Entries of one owner at once, so that a flood from one address pushes out only its own. */
  maxPerOwner: number
}

interface Entry<V> {
  value: V
  owner: string
  expires: number
}

/**
 * Things that may be used once and soon: nonces, sign-ins under way, one-time codes. In memory, because a restart may
 * forget them: the person starts again.
 */
export class OneTimeStore<V> {
  readonly #clock: Clock
  readonly #init: OneTimeStoreInit
  /** In the order of expiry, as all entries live equally long. */
  readonly #entries = new Map<string, Entry<V>>()
  readonly #owners = new Map<string, Set<string>>()

  constructor(components: { clock: Clock }, init: OneTimeStoreInit) {
    this.#clock = components.clock
    this.#init = init
  }

  /** Adds an entry. @returns when it expires, in milliseconds since 1970. */
  put(key: string, value: V, owner: string): number {
    const now = this.#clock()
    this.#removeExpired(now)
    const owned = this.#owners.get(owner)
    if (owned && owned.size >= this.#init.maxPerOwner) this.#remove(owned.values().next().value!)
    if (this.#entries.size >= this.#init.maxEntries) this.#remove(this.#entries.keys().next().value!)
    const expires = now + this.#init.ttlMs
    this.#entries.set(key, { value, owner, expires })
    this.#owners.set(owner, (this.#owners.get(owner) ?? new Set()).add(key))
    return expires
  }

  /** The entry, which stays; `undefined` if it was taken, has expired, or never was. */
  peek(key: string): V | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.expires > this.#clock() ? entry.value : undefined
  }

  /** The entry, which is gone afterwards; `undefined` as in {@link peek}. */
  redeem(key: string): V | undefined {
    const value = this.peek(key)
    this.#remove(key)
    return value
  }

  get size(): number {
    return this.#entries.size
  }

  #removeExpired(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expires > now) return
      this.#remove(key)
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    const owned = this.#owners.get(entry.owner)
    owned?.delete(key)
    if (owned?.size === 0) this.#owners.delete(entry.owner)
  }
}

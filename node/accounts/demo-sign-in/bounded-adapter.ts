import type { Adapter, AdapterPayload } from 'oidc-provider'

/** Entries of all kinds at once; at the bound the oldest makes room. */
const MAX_ENTRIES = 20_000
/** Life of an entry that asks for none. */
const DEFAULT_TTL_S = 600

interface Entry {
  payload: AdapterPayload
  /** Milliseconds since 1970. */
  expires: number
}

/**
 * Where the demo provider keeps sessions, codes and tokens: in memory and bounded. A restart forgets them, and a person
 * who was signing in starts again.
 */
export class BoundedStorage {
  readonly #entries = new Map<string, Entry>()

  /** A view for one kind of entry, as oidc-provider wants it. */
  adapter(kind: string): Adapter {
    const keyOf = (id: string): string => `${kind}:${id}`
    return {
      upsert: async (id, payload, expiresIn = DEFAULT_TTL_S) => this.#set(keyOf(id), payload, expiresIn),
      find: async id => this.#get(keyOf(id)),
      findByUid: async uid => this.#find(kind, payload => payload.uid === uid),
      findByUserCode: async () => undefined,
      consume: async id => {
        const payload = this.#get(keyOf(id))
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async id => void this.#entries.delete(keyOf(id)),
      revokeByGrantId: async grantId => {
        for (const [key, { payload }] of this.#entries) if (payload.grantId === grantId) this.#entries.delete(key)
      }
    }
  }

  #set(key: string, payload: AdapterPayload, expiresIn: number): void {
    this.#entries.delete(key)
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { payload, expires: Date.now() + expiresIn * 1000 })
  }

  #get(key: string): AdapterPayload | undefined {
    const entry = this.#entries.get(key)
    if (entry && entry.expires > Date.now()) return entry.payload
    this.#entries.delete(key)
    return undefined
  }

  #find(kind: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [key, { payload }] of this.#entries) {
      if (key.startsWith(`${kind}:`) && matches(payload)) return this.#get(key)
    }
    return undefined
  }
}

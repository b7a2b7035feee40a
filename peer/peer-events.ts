import type { PeerEvents } from './peer-api.ts'

type Listener<K extends keyof PeerEvents> = (value: PeerEvents[K]) => void

/** Hands events to listeners; one that throws disturbs nobody. */
export class PeerEventHub {
  readonly #listeners: { [K in keyof PeerEvents]: Set<Listener<K>> } = {
    snapshot: new Set(),
    message: new Set(),
    transfer: new Set(),
    backup: new Set(),
    typing: new Set(),
    presence: new Set(),
    event: new Set(),
    resumed: new Set()
  }

  on<K extends keyof PeerEvents>(event: K, listener: Listener<K>): () => void {
    // A wrapper, so that the same function may listen twice.
    const own: Listener<K> = value => listener(value)
    this.#listeners[event].add(own)
    return () => this.#listeners[event].delete(own)
  }

  has(event: keyof PeerEvents): boolean {
    return this.#listeners[event].size > 0
  }

  emit<K extends keyof PeerEvents>(event: K, value: PeerEvents[K]): void {
    for (const listener of [...this.#listeners[event]]) {
      try {
        listener(value)
      } catch {
        // A screen's fault is not the peer's.
      }
    }
  }
}

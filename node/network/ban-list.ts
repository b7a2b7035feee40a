import type { PeerId } from '@libp2p/interface'

/** How long a peer that sent provably bad messages is kept out. */
export const BAN_MS = 10 * 60_000

/** Peers that must not connect for {@link BAN_MS}, because their messages were provably bad. */
export class BanList {
  readonly #until = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  ban(peer: PeerId): void {
    this.#until.set(peer.toString(), this.#now() + BAN_MS)
  }

  isBanned(peer: PeerId): boolean {
    const name = peer.toString()
    const until = this.#until.get(name)
    if (until === undefined) return false
    if (until > this.#now()) return true
    this.#until.delete(name)
    return false
  }

  get size(): number {
    return this.#until.size
  }
}

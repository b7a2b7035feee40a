import type { ConversationSummary, InvitePreview, PeerApi } from '../../../peer/peer-api.ts'

/** Entry of the tab's own storage: signing in leaves the page and comes back to it. */
const KEPT = 'volo-invitation'

/** A link by which this person was invited, from the moment it is opened until it is accepted or put away. */
export class Invitation {
  /** Null while there is none. */
  address = $state<string | null>(null)
  /** What the link says; null until it was looked at. */
  preview = $state.raw<InvitePreview | null>(null)
  isAccepting = $state(false)
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi
  readonly #storage: Storage | null
  readonly #origin: string

  /** @param storage - of the tab, null where the browser keeps nothing. @param origin - of the page. */
  constructor(api: PeerApi, storage: Storage | null, origin: string) {
    this.#api = api
    this.#origin = origin
    this.#storage = storage
    this.address = storage?.getItem(KEPT) ?? null
  }

  /** A link was opened. @param code - what stands in its fragment. */
  take(code: string): void {
    const address = `${this.#origin}/#/i/${code}`
    this.address = address
    this.preview = this.failure = null
    try {
      this.#storage?.setItem(KEPT, address)
    } catch {
      // It is lost when the page is left; the link can be opened again.
    }
    void this.look()
  }

  /** Reads what the link says. It is not used by that. */
  async look(): Promise<void> {
    const { address } = this
    if (address === null || this.preview) return
    try {
      const preview = await this.#api.invites.look(address)
      if (address === this.address) this.preview = preview
    } catch (error) {
      if (address === this.address) this.failure = error
    }
  }

  /** @returns the conversation with the inviter; null if it did not work, with the reason in {@link failure}. */
  async accept(): Promise<ConversationSummary | null> {
    if (this.address === null || this.isAccepting) return null
    this.isAccepting = true
    this.failure = null
    try {
      const conversation = await this.#api.invites.accept(this.address)
      this.putAway()
      return conversation
    } catch (error) {
      this.failure = error
      return null
    } finally {
      this.isAccepting = false
    }
  }

  /** Not now: the link stays good until it ends. */
  putAway(): void {
    this.address = null
    this.preview = this.failure = null
    this.#storage?.removeItem(KEPT)
  }
}

/** The tab's own storage, null where the browser keeps nothing. */
export function tabStorage(): Storage | null {
  try {
    return window.sessionStorage
  } catch {
    return null
  }
}

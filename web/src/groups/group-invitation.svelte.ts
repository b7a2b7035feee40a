import type { PeerApi } from '../../../peer/peer-api.ts'

/** Entry of the tab's own storage: signing in leaves the page and comes back to it. */
const KEPT = 'volo-group-link'

/** A link to a group that was opened, until the user asks to join or puts it away. */
export class GroupInvitation {
  /** Null while there is none. */
  link = $state<string | null>(null)
  isAsking = $state(false)
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi
  readonly #storage: Storage | null
  readonly #origin: string

  /** @param storage - of the tab, null where the browser keeps nothing. @param origin - of the page. */
  constructor(api: PeerApi, storage: Storage | null, origin: string) {
    this.#api = api
    this.#storage = storage
    this.#origin = origin
    this.link = storage?.getItem(KEPT) ?? null
  }

  /** A link was opened. @param code - what stands in its fragment. */
  take(code: string): void {
    this.link = `${this.#origin}/#join/${code}`
    this.failure = null
    try {
      this.#storage?.setItem(KEPT, this.link)
    } catch {
      // It is lost when the page is left; the link can be opened again.
    }
  }

  /** Asks who made the link. @returns the conversation with them; null if it did not work, with the reason in {@link failure}. */
  async ask(): Promise<string | null> {
    if (this.link === null || this.isAsking) return null
    this.isAsking = true
    this.failure = null
    try {
      const { conversationId } = await this.#api.groups.join(this.link)
      this.putAway()
      return conversationId
    } catch (error) {
      this.failure = error
      return null
    } finally {
      this.isAsking = false
    }
  }

  putAway(): void {
    this.link = this.failure = null
    this.#storage?.removeItem(KEPT)
  }
}

import { SvelteMap } from 'svelte/reactivity'
import type { PeerApi, Person } from '../../../peer/peer-api.ts'

/** Pictures with an address; the oldest makes room. What is on the screen stays there. */
const MAX_ADDRESSES = 500
/** A picture that no node had is asked for again after this. */
const AGAIN_MS = 60_000

type WithPicture = Pick<Person, 'accountId' | 'picture'>

/** The pictures of people, by their names (`person.picture`). A browser gets each as a file in memory: it can be drawn, and nothing else. */
export class Faces {
  readonly #people: Pick<PeerApi['people'], 'picture'>
  readonly #addresses = new SvelteMap<string, string>()
  /** When each was asked for. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- when a picture was asked for is not shown
  readonly #asked = new Map<string, number>()

  constructor(people: Pick<PeerApi['people'], 'picture'>) {
    this.#people = people
  }

  /** Where the picture can be drawn from; null if there is none, or it is not here yet. */
  addressOf({ picture }: Pick<Person, 'picture'>): string | null {
    return picture === null ? null : (this.#addresses.get(picture) ?? null)
  }

  /** Fetches the picture, once. Never rejects: without a picture the initials stay. */
  async want({ accountId, picture }: WithPicture): Promise<void> {
    const now = Date.now()
    if (picture === null || now - (this.#asked.get(picture) ?? -Infinity) < AGAIN_MS || this.#addresses.has(picture))
      return
    this.#asked.set(picture, now)
    const shown = await this.#people.picture(accountId).catch(() => null)
    if (!shown) return
    const { type, content } = shown
    this.#addresses.set(picture, URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>], { type })))
    this.#asked.delete(picture)
    const [oldest] = this.#addresses
    if (this.#addresses.size <= MAX_ADDRESSES || !oldest) return
    this.#addresses.delete(oldest[0])
    URL.revokeObjectURL(oldest[1])
  }

  /** A browser could not draw the picture: initials take its place. */
  drop({ picture }: Pick<Person, 'picture'>): void {
    if (picture === null) return
    this.#addresses.delete(picture)
    this.#asked.set(picture, Infinity)
  }
}

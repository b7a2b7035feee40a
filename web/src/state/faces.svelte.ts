import { SvelteMap } from 'svelte/reactivity'
import type { PeerApi, Person, PersonPicture } from '../../../peer/peer-api.ts'

/** Pictures with an address; the oldest makes room. What is on the screen stays there. */
const MAX_ADDRESSES = 500
/** A picture that no node had is asked for again after this. */
const AGAIN_MS = 60_000

/** A person or a group with a picture. */
export interface Face {
  accountId: string
  picture: string | null
  /** `accountId` is the id of a group. */
  isGroup?: boolean
}

/** Where pictures come from. */
export interface PictureSources {
  people: Pick<PeerApi['people'], 'picture'>
  groups: Pick<PeerApi['groups'], 'picture'>
}

/** The pictures of people and groups, by their names (`person.picture`). A browser gets each as a file in memory: it can be drawn, and nothing else. */
export class Faces {
  readonly #sources: PictureSources
  readonly #addresses = new SvelteMap<string, string>()
  /** When each was asked for. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- when a picture was asked for is not shown
  readonly #asked = new Map<string, number>()

  constructor(sources: PictureSources) {
    this.#sources = sources
  }

  /** Where the picture can be drawn from; null if there is none, or it is not here yet. */
  addressOf({ picture }: Pick<Person, 'picture'>): string | null {
    return picture === null ? null : (this.#addresses.get(picture) ?? null)
  }

  /** Fetches the picture, once. Never rejects: without a picture the initials stay. */
  async want({ accountId, picture, isGroup = false }: Face): Promise<void> {
    const now = Date.now()
    if (picture === null || now - (this.#asked.get(picture) ?? -Infinity) < AGAIN_MS || this.#addresses.has(picture))
      return
    this.#asked.set(picture, now)
    const shown = await this.#fetch(accountId, isGroup).catch(() => null)
    if (!shown) return
    const { type, content } = shown
    this.#addresses.set(picture, URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>], { type })))
    this.#asked.delete(picture)
    const [oldest] = this.#addresses
    if (this.#addresses.size <= MAX_ADDRESSES || !oldest) return
    this.#addresses.delete(oldest[0])
    URL.revokeObjectURL(oldest[1])
  }

  #fetch(id: string, isGroup: boolean): Promise<PersonPicture | null> {
    const { people, groups } = this.#sources
    return isGroup ? groups.picture(id) : people.picture(id)
  }

  /** A browser could not draw the picture: initials take its place. */
  drop({ picture }: Pick<Person, 'picture'>): void {
    if (picture === null) return
    this.#addresses.delete(picture)
    this.#asked.set(picture, Infinity)
  }
}

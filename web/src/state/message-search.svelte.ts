import type { FoundMessage, PeerApi } from '../../../peer/peer-api.ts'

/** How much of a message a result shows, in UTF-16 units. */
const SNIPPET = 120
/** Of it before the word that was found. */
const BEFORE = 30

/** The messages that have what stands in the search field. */
export class MessageSearch {
  found = $state.raw<FoundMessage[]>([])
  /** When the oldest message on this device was sent, null if there is none or nothing was searched yet. */
  since = $state<number | null>(null)
  /** The text that the results are of. */
  text = $state('')
  readonly #api: PeerApi
  #searches = 0

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** Searches for a text; results of an earlier one that come later are dropped. */
  async search(text: string): Promise<void> {
    const search = ++this.#searches
    const wanted = text.trim()
    try {
      const results = wanted === '' ? undefined : await this.#api.search.find(wanted)
      if (search !== this.#searches) return
      this.found = results?.messages ?? []
      this.since = results?.since ?? null
      this.text = wanted
    } catch (error) {
      // The next letter asks again.
      console.warn(error)
    }
  }
}

/** A piece of a message around what was searched for. */
export interface Snippet {
  before: string
  /** Empty where the letters differ from those that were typed, such as an accent. */
  match: string
  after: string
}

/** Cuts a message to the part that was found. @param query - as typed. */
export function snippetOf(text: string, query: string): Snippet {
  const line = text.replace(/\s+/g, ' ')
  const [word = ''] = query.replace(/^@/, '').trim().split(/\s+/)
  const at = line.toLowerCase().indexOf(word.toLowerCase())
  const start = at > BEFORE ? at - BEFORE : 0
  const shown = line.slice(start, start + SNIPPET).toWellFormed()
  if (at < 0) return { before: shown, match: '', after: '' }
  const from = at - start
  return {
    before: (start > 0 ? '…' : '') + shown.slice(0, from),
    match: shown.slice(from, from + word.length),
    after: shown.slice(from + word.length)
  }
}

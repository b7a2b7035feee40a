import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { ConversationSummary, FoundMessage, Person, SearchApi, SearchOptions, SearchResults } from '../peer-api.ts'
import type { PersonViews } from '../people/person-views.ts'
import type { StateStore } from '../store/state-store.ts'
import { slots } from '../store/store-layout.ts'
import { foldedWords, hasWords } from './folded-words.ts'
import type { SearchIndex } from './search-index.ts'
import type { FoundRow } from './text-block.ts'

/** Messages that are given unless asked otherwise. */
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 500
/** Longest text that is searched for, in UTF-16 code units; the rest is left out. */
const MAX_QUERY_UNITS = 200
const NOTHING: SearchResults = { people: [], chats: [], messages: [], since: null }

/** The chats as the list shows them. */
interface Chats {
  summaries(): ConversationSummary[]
  partners(): AccountId[]
}

export interface SearchCallsComponents {
  index: SearchIndex
  states: StateStore
  people: PersonViews
  conversations: Chats
  marks: { all(): AccountId[] }
}

/** The call that searches. */
export class SearchCalls implements SearchApi {
  readonly #components: SearchCallsComponents

  constructor(components: SearchCallsComponents) {
    this.#components = components
  }

  async find(text: string, options: SearchOptions = {}): Promise<SearchResults> {
    const query = foldedWords(text.slice(0, MAX_QUERY_UNITS).replace(/^@/, ''))
    if (query === '') return NOTHING
    const { index, conversations } = this.#components
    const limit = Math.max(1, Math.min(options.limit ?? DEFAULT_LIMIT, MAX_LIMIT))
    const all = conversations.summaries()
    const rows = await index.find(query.split(' '), limit, options.conversation)
    const messages = await Promise.all(rows.map(row => this.#shown(row, all)))
    return {
      people: this.#people(query),
      chats: all.filter(({ title, person }) => hasWords(query, [title, person.username, person.displayName])),
      messages: messages.filter(message => message !== undefined),
      since: await index.since()
    }
  }

  /** Undefined for a message of a chat that the list does not show, or that is gone since it was found. */
  async #shown({ conversation: id, order }: FoundRow, all: ConversationSummary[]): Promise<FoundMessage | undefined> {
    const { states, people } = this.#components
    const conversation = all.find(summary => summary.id === id)
    const row = await states.read(slots.message(id, order))
    return row && conversation && { message: people.message(row), conversation }
  }

  #people(query: string): Person[] {
    const { people, conversations, marks } = this.#components
    const accounts = new Map([...marks.all(), ...conversations.partners()].map(id => [toHex(id), id]))
    return [...accounts.values()]
      .map(accountId => people.person(accountId))
      .filter(person => !person.isMe && hasWords(query, [person.marks.nickname, person.displayName, person.username]))
  }
}

import type { CallTable } from './call-table.ts'
import type { ConversationSummary } from './conversations-api.ts'
import type { ConversationHex } from './ids.ts'
import type { ChatMessage } from './messages-api.ts'
import type { Person } from './people-api.ts'

/** `peer.search`: finding what is on this device. No node is asked. */
export interface SearchApi {
  /**
   * Finds people, chats and messages that have every word of a text, also as a part of a word, whatever case and accents.
   * Nothing is found for a text without a letter.
   */
  find(text: string, options?: SearchOptions): Promise<SearchResults>
}

/** The calls of {@link SearchApi}. */
export const SEARCH_CALLS: CallTable<SearchApi> = { find: 'repeat' }

/** Where to search. */
export interface SearchOptions {
  /** Messages at most, 1 to 500; 50 if it is not said. */
  limit?: number
  /** Only messages of this conversation. */
  conversation?: ConversationHex
}

/** What was found. */
export interface SearchResults {
  /** Contacts and people of conversations, by nickname, display name or username. */
  people: Person[]
  /** By title, the one with the newest message first. */
  chats: ConversationSummary[]
  /** Newest first. */
  messages: FoundMessage[]
  /** When the oldest message on this device was sent: nothing is found from before. Null if there is none. */
  since: number | null
}

/** A message that was found, and where. */
export interface FoundMessage {
  message: ChatMessage
  conversation: ConversationSummary
}

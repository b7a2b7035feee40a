import type { HoldReason } from '../problems.ts'
import type { CallTable } from './call-table.ts'
import type { GroupSummary } from './groups-api.ts'
import type { AccountHex, ConversationHex, MessageHex } from './ids.ts'
import type { ChatMessage } from './messages-api.ts'
import type { Person } from './people-api.ts'

/** `peer.conversations`: the list of conversations, which is part of the snapshot. */
export interface ConversationsApi {
  /** The direct conversation with a person, made if needed; with oneself, the notes. */
  open(accountId: AccountHex): Promise<ConversationSummary>
  /**
   * Asks again about the people of a conversation that is on a screen, at most every few seconds: what is new of their devices
   * comes with the next snapshot. Resolves when they were asked, or when nobody answered.
   */
  look(conversationId: ConversationHex): Promise<void>
  /**
   * Counts messages as read, and tells their senders.
   * @param upTo - the newest that was on a screen: later ones stay unread. All without it.
   */
  markRead(conversationId: ConversationHex, upTo?: MessageHex): Promise<void>
  /** Keeps a text that is not sent yet. */
  saveDraft(conversationId: ConversationHex, text: string): Promise<void>
  /**
   * Proves to the person of a direct conversation that the user knows the word which they want to hear of strangers. It goes before what is
   * sent next; whether it is the right word is not told. Rejects with `word-malformed`, `no-conversation`.
   */
  sayWord(conversationId: ConversationHex, word: string): Promise<void>
}

/** The calls of {@link ConversationsApi}. */
export const CONVERSATIONS_CALLS: CallTable<ConversationsApi> = {
  open: 'repeat',
  look: 'repeat',
  markRead: 'repeat',
  saveDraft: 'repeat',
  sayWord: 'repeat'
}

/** A line of the list of conversations. */
export interface ConversationSummary {
  id: ConversationHex
  kind: 'direct' | 'notes-to-self' | 'group'
  /** The other person; oneself for notes; in a group one of the others. */
  person: Person
  /** Null in the other kinds. */
  group: GroupSummary | null
  title: string
  lastMessage: ChatMessage | null
  unread: number
  /** How many of the unread messages mention the user; 0 outside of groups. */
  unreadMentions: number
  draft: string
  /** Seconds after which new messages disappear, once they were sent or read; null if they stay. */
  timer: number | null
  updatedAt: number
  /** Why sending is held; null if it is not. The facts are those of `heldBy`. */
  held: HoldReason | null
  /** The person because of whom it is held; null if it is not. */
  heldBy: Person | null
  /** The user wants to hear a word of strangers, and nobody here whom the user has not answered knows it. */
  lacksWord: boolean
}

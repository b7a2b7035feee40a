import type { CallTable } from './call-table.ts'
import type { ConversationHex, MessageHex } from './ids.ts'
import type { ChatMessage } from './messages-api.ts'

/**
 * `peer.amendments`: what is said about a message after it. Each call takes effect here at once, and is sent when it can.
 * All reject with `no-message` for a message that is not here, or is deleted, and with `blocked` and `held` as a text.
 */
export interface AmendmentsApi {
  /** Gives a message one emoji, instead of the one that the user gave before; null takes it back. Rejects with `emoji`. */
  react(messageId: MessageHex, emoji: string | null): Promise<ChatMessage>
  /** Changes the text of an own message. Rejects with `not-author`, `message-empty`, `message-too-long`. */
  edit(messageId: MessageHex, text: string): Promise<ChatMessage>
  /** Deletes an own message for all; its text leaves the disk of every device that takes part. Rejects with `not-author`. */
  deleteForAll(messageId: MessageHex): Promise<void>
  /** Removes messages from the own devices only. What is not here is left out. */
  deleteForMe(messageIds: MessageHex[]): Promise<void>
  /** Shows a message at the top of the conversation, for all, or not any more. */
  pin(messageId: MessageHex, isPinned: boolean): Promise<ChatMessage>
  /** Marks a message to find it again, on the own devices only. */
  star(messageId: MessageHex, isStarred: boolean): Promise<ChatMessage>
  /** Chooses options of a poll, counted from 0, instead of what was chosen before; none takes the vote back. Rejects with `vote`. */
  vote(pollId: MessageHex, choices: number[]): Promise<ChatMessage>
  /** Lets new messages of a conversation disappear so many seconds after they were sent or read; null: they stay. Rejects with `timer`. */
  setTimer(conversationId: ConversationHex, seconds: number | null): Promise<void>
}

/** The calls of {@link AmendmentsApi}. */
export const AMENDMENTS_CALLS: CallTable<AmendmentsApi> = {
  react: 'repeat',
  edit: 'repeat',
  deleteForAll: 'repeat',
  deleteForMe: 'repeat',
  pin: 'repeat',
  star: 'repeat',
  vote: 'repeat',
  setTimer: 'repeat'
}

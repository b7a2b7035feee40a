import type { CallTable } from './call-table.ts'
import type { MessageProblem } from '../problems.ts'
import type { SystemLine } from '../system-line.ts'
import type { FileView } from './file-view.ts'
import type { AccountHex, ConversationHex, MessageHex } from './ids.ts'

/** `peer.messages`: the messages of a conversation. */
export interface MessagesApi {
  /** Messages in display order, newest last. */
  page(conversationId: ConversationHex, options?: PageOptions): Promise<ChatMessage[]>
  /**
   * Takes a text at once (it is on disk when this resolves) and sends it when it can.
   * Rejects with `message-empty`, `message-too-long`, `no-conversation`, `held`.
   */
  sendText(conversationId: ConversationHex, text: string): Promise<ChatMessage>
  /** {@link sendText}, as an answer to a message of the conversation. Rejects with `no-message` as well. */
  reply(conversationId: ConversationHex, replyTo: MessageHex, text: string): Promise<ChatMessage>
  /** Sends the text of a message to a conversation. Nobody is told who wrote it. Rejects with `no-message` as well. */
  forward(messageId: MessageHex, to: ConversationHex): Promise<ChatMessage>
  /** Asks a question with 2 to 12 answers. Rejects with `poll` as well. */
  createPoll(conversationId: ConversationHex, poll: NewPoll): Promise<ChatMessage>
  /** One message; null if it is not here, or was removed. */
  find(messageId: MessageHex): Promise<ChatMessage | null>
  /** Own messages of all conversations that the network does not keep yet, oldest first. A removed device sends them no more. */
  unsent(): Promise<ChatMessage[]>
  /** Pinned messages of a conversation, oldest first. */
  pinned(conversationId: ConversationHex): Promise<ChatMessage[]>
  /** Texts that an edited message had, oldest first, with the one that counts; none if it was not edited, or is deleted. */
  versions(messageId: MessageHex): Promise<TextVersion[]>
  /** What the devices of others have said about an own message; none about other messages. */
  heardBy(messageId: MessageHex): Promise<HeardBy[]>
  /** Tells the others that the user types, or not any more. To be said again every few seconds. Rejects with `no-conversation`. */
  tellTyping(conversationId: ConversationHex, isTyping: boolean): Promise<void>
  /** Tries a failed message again. */
  retry(messageId: MessageHex): Promise<void>
  /** The signed receipts behind a *sent* message, of all mailboxes that it went to. */
  receipts(messageId: MessageHex): Promise<SentReceipt[]>
}

/** The calls of {@link MessagesApi}. */
export const MESSAGES_CALLS: CallTable<MessagesApi> = {
  page: 'repeat',
  sendText: 'give-up',
  reply: 'give-up',
  forward: 'give-up',
  createPoll: 'give-up',
  find: 'repeat',
  unsent: 'repeat',
  pinned: 'repeat',
  versions: 'repeat',
  heardBy: 'repeat',
  tellTyping: 'give-up',
  retry: 'repeat',
  receipts: 'repeat'
}

/** Which messages to read. */
export interface PageOptions {
  /** Only those older than this message. */
  before?: MessageHex
  limit?: number
}

/**
 * Ticks of an own message: `waiting` kept here, `sent` kept by the network (signed receipts), `delivered` on a device of
 * every other member, `read`, `failed` needs a decision of the user.
 */
export type DeliveryState = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed'

/** A line of a conversation. */
export interface ChatMessage {
  id: MessageHex
  conversationId: ConversationHex
  /** Account that wrote it. */
  from: AccountHex
  fromName: string
  mine: boolean
  /**
   * `text`, a `file`, `poll`, `deleted` by its author for all, a grey `system` line, a visible `gap` that may still fill, or
   * `unsupported` (made by a newer version). `removed` is in no page: it is told once, of a message that disappears from the screen.
   */
  kind: 'text' | 'file' | 'poll' | 'deleted' | 'system' | 'gap' | 'unsupported' | 'removed'
  /** Of a text, the question of a poll, or what the sender of a `file` says about it; else empty. */
  text: string
  /** What a `system` line or a `gap` says; null for the other kinds, and for a gap that was filled. */
  line: SystemLine | null
  /** Set for a `file`. */
  file: FileView | null
  sentAt: number
  receivedAt: number
  /** Only for own messages. */
  state: DeliveryState | null
  /** Why it failed or waits; null if all is well. */
  problem: MessageProblem | null
  /** The message that it answers, which need not be here. */
  replyTo: MessageHex | null
  /** When its author changed the text last, by their clock; null if they did not. */
  editedAt: number | null
  isForwarded: boolean
  /** The most given first. */
  reactions: Reaction[]
  poll: Poll | null
  isPinned: boolean
  /** Marked by the user, to find it again. */
  isStarred: boolean
  /** Seconds after which it disappears, once it was sent or read; null if it stays. */
  expiresAfter: number | null
  /** When it disappears from this device; null if it stays, or before it was read. */
  expiresAt: number | null
}

/** An emoji that people gave a message. */
export interface Reaction {
  emoji: string
  from: AccountHex[]
  /** Whether the user is one of them. */
  isMine: boolean
}

/** A question with answers to choose from. The question is the text of its message. */
export interface Poll {
  options: { text: string; votes: AccountHex[]; isMine: boolean }[]
  /** Whether a person may choose several. */
  isMultiple: boolean
  /** People who have voted. */
  voters: number
}

/** A poll before it is sent. */
export interface NewPoll {
  question: string
  options: string[]
  isMultiple: boolean
}

/** A person types. */
export interface TypingNotice {
  conversationId: ConversationHex
  from: AccountHex
  /** False once the person has stopped. */
  isTyping: boolean
  /** When it means nothing any more, by this device's clock. */
  until: number
}

/** A device that has an own message. Times are those at which this device learned it. */
export interface HeardBy {
  accountId: AccountHex
  /** Lower-case hex. */
  deviceId: string
  deliveredAt: number | null
  /** Null before it was read there, or if its owner does not tell. */
  readAt: number | null
}

/** A text that a message had, and when its author wrote it. */
export interface TextVersion {
  text: string
  at: number
}

/** Signed proof that the network keeps a message, for those who ask for it (`--json`). */
export interface SentReceipt {
  node: string
  operator: string
  epoch: number
  shard: number
  time: number
  mailbox: string
  deliveryId: string
  root: string
  index: number
  count: number
  path: string[]
  signature: string
}

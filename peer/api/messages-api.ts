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
  /** Tries a failed message again. */
  retry(messageId: MessageHex): Promise<void>
  /** The signed receipts behind a *sent* message, of all mailboxes that it went to. */
  receipts(messageId: MessageHex): Promise<SentReceipt[]>
}

/** The calls of {@link MessagesApi}. */
export const MESSAGES_CALLS: CallTable<MessagesApi> = {
  page: 'repeat',
  sendText: 'give-up',
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
  /** `text`, a `file`, a grey `system` line, a visible `gap` that may still fill, or `unsupported` (made by a newer version). */
  kind: 'text' | 'file' | 'system' | 'gap' | 'unsupported'
  /** Of a `file`, what its sender says about it. Empty for the other kinds but `text`. */
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

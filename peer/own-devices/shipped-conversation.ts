/** What a piece of history says of a conversation, besides its messages. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { MAX_HISTORY_CHUNK_BYTES } from '../../protocol/conversation/message-kinds.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { Conversation, MessageRow } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { SyncItem } from '../store/own-device-slots.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import { rowBytes, type ShippedConversation, type ShippedRow } from './history-piece.ts'

/** Bytes of one message that fit into a piece. */
const MAX_ROW_BYTES = MAX_HISTORY_CHUNK_BYTES - 512

/** What a piece is filled with. */
export interface Filling {
  /** Bytes that are left. */
  room: number
  conversations: ShippedConversation[]
  items: SyncItem[]
}

/** @param rows - newest first. */
export async function shippedConversation(
  { context, directory }: { context: EngineContext; directory: Pick<DirectoryClient, 'load'> },
  unit: Pick<UnitOfWork, 'read'>,
  conversation: Conversation,
  rows: ShippedRow[]
): Promise<ShippedConversation> {
  const { conversationId, accountId, kind, updatedAt, unread, timer } = conversation
  const isSelf = equalBytes(accountId, context.accountId())
  const known = isSelf ? undefined : await directory.load(accountId)
  const token = isSelf ? undefined : await unit.read(slots.deliveryToken(toHex(accountId)))
  return {
    conversationId,
    accountId,
    kind,
    updatedAt,
    isRead: unread === 0,
    username: known?.username ?? null,
    displayName: known?.displayName ?? null,
    deliveryToken: token?.token ?? null,
    timer,
    rows
  }
}

/** The longest text leaves no room for hundreds of reactions. */
export function fitting(shipped: ShippedRow): ShippedRow {
  const { row } = shipped
  if (!row.amendments || rowBytes(shipped) <= MAX_ROW_BYTES) return shipped
  return { ...shipped, row: { ...row, amendments: { ...row.amendments, reactions: [], votes: [] } } }
}

/** Whether a row is history. What waits here is sent to the new device, too; a missing message is not history. */
export function isShipped({ kind, state }: MessageRow): boolean {
  return kind !== 'gap' && state !== 'waiting' && state !== 'failed'
}

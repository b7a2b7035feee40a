/** What a piece of history says of a conversation, besides its messages. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { slots, type Conversation, type MessageRow } from '../store/store-layout.ts'
import type { SyncItem } from '../store/own-device-slots.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { ShippedConversation, ShippedRow } from './history-piece.ts'

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
  unit: UnitOfWork,
  conversation: Conversation,
  rows: ShippedRow[]
): Promise<ShippedConversation> {
  const { conversationId, accountId, kind, updatedAt, unread } = conversation
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
    rows
  }
}

/** Whether a row is history. What waits here is sent to the new device, too; a missing message is not history. */
export function isShipped({ kind, state }: MessageRow): boolean {
  return kind !== 'gap' && state !== 'waiting' && state !== 'failed'
}

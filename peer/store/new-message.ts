import type { MessageRow } from './conversation-entries.ts'

/** A message before it has its place. */
export type NewMessage = Omit<
  MessageRow,
  'conversationId' | 'receivedAt' | 'readTold' | 'expiresAt' | 'amendments' | OftenEmpty
> &
  Partial<Pick<MessageRow, OftenEmpty>>
/** Fields that most messages leave out. */
export type OftenEmpty = 'file' | 'replyTo' | 'isForwarded' | 'poll' | 'expiresAfter'

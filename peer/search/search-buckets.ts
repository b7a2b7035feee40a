/**
 * The message log in buckets: the messages of up to 256 places of a conversation. A bucket follows from the order of a message
 * alone (`bucketOf` in peer/store/message-order.ts), so a message that changes names the texts to be made again, and these come
 * from the log by one read of a range.
 */
import { fromHex } from '../../protocol/bytes.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { MessageRow } from '../store/conversation-entries.ts'
import { MAX_BLOCK_MESSAGES, MAX_BLOCK_UNITS, type SearchBlock } from '../store/search-slots.ts'
import { foldedWords } from './folded-words.ts'

/** Digits of the number in a bucket's name, for messages that came here by themselves. */
const BUCKET_DIGITS = 10

/** Bounds of the orders of a bucket, both exclusive. */
export function boundsOf(bucket: string): { after: string; before: string } {
  // The first bucket begins behind place 0, which holds what was shipped.
  const after = bucket.endsWith('0'.repeat(BUCKET_DIGITS)) ? `${bucket}00~` : bucket
  // Behind the hex digits.
  return { after, before: `${bucket}g` }
}

/** A message of the log, and its order. */
export interface OrderedRow {
  order: string
  value: MessageRow
}

/** What of a message is searched; empty for what is not. */
export function textOf({ kind, text, file }: MessageRow): string {
  if (kind === 'file') return foldedWords(`${text} ${file?.name ?? ''}`)
  return kind === 'text' ? foldedWords(text) : ''
}

/** The blocks of a bucket: one, unless its messages are very many or very long. */
export function blocksOf(conversation: string, bucket: string, rows: readonly OrderedRow[]): SearchBlock[] {
  const lines = rows
    .map(({ order, value }) => ({ order, sentAt: value.sentAt, words: textOf(value) }))
    .filter(({ words }) => words !== '')
  const parts: (typeof lines)[] = []
  let units = 0
  for (const line of lines) {
    units += line.words.length + 1
    const part = parts.at(-1)
    if (part && units <= MAX_BLOCK_UNITS && part.length < MAX_BLOCK_MESSAGES) part.push(line)
    else {
      parts.push([line])
      units = line.words.length + 1
    }
  }
  return parts.map((part, index) => ({
    conversationId: fromHex(conversation) as ConversationId,
    bucket,
    part: index,
    orders: part.map(({ order }) => order).join('\n'),
    dates: part.map(({ sentAt }) => sentAt).join('\n'),
    words: part.map(({ words }) => words).join('\n')
  }))
}

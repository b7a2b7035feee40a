/** Where the search index lives: the folded texts of messages, in blocks, and which blocks are to be made again. */
import { struct, text, uint, type TypeOf } from '../../protocol/codec.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import type { Slot } from './state-store.ts'
import { entry, MAX_ORDER_LENGTH, orderOf } from './conversation-entries.ts'

/** Most text of one block, in UTF-16 code units, unless one message alone has more: it stays far below the limit of an entry. */
export const MAX_BLOCK_UNITS = 256 * 1024
/** A block has at most so many messages. Each adds an order, a date and two line ends to it. */
export const MAX_BLOCK_MESSAGES = 4_096

const blockCodec = struct({
  conversationId: conversationIdCodec,
  /** See `bucketOf`. */
  bucket: text(MAX_ORDER_LENGTH),
  part: uint(),
  /** `message` orders of the messages, a line each. One text each for all messages: a list of thousands takes long to read. */
  orders: text(MAX_BLOCK_MESSAGES * (MAX_ORDER_LENGTH + 1)),
  /** When they were sent, a line each. */
  dates: text(MAX_BLOCK_MESSAGES * 17),
  /** What they say, folded, a line each. */
  words: text(4 * MAX_BLOCK_UNITS)
})
/** The texts of some messages of one bucket. */
export type SearchBlock = TypeOf<typeof blockCodec>
export const searchBlockEntry = entry(blockCodec)

const dueCodec = struct({
  conversationId: conversationIdCodec,
  /** Empty for all of the conversation. */
  bucket: text(MAX_ORDER_LENGTH)
})
/** A bucket whose blocks are not what its messages say. */
export type SearchDue = TypeOf<typeof dueCodec>
export const searchDueEntry = entry(dueCodec)

/** Ids are lower-case hex. */
export const searchSlots = {
  block: (conversation: string, bucket: string, part: number): Slot<SearchBlock> => ({
    space: 'search-block',
    id: blocksId(conversation, bucket),
    order: orderOf(part),
    codec: searchBlockEntry
  }),
  due: (conversation: string, bucket: string): Slot<SearchDue> => ({
    space: 'search-due',
    id: conversation,
    order: bucket,
    codec: searchDueEntry
  })
}

/** Id of the blocks of one bucket. */
export const blocksId = (conversation: string, bucket: string): string => `${conversation}/${bucket}`

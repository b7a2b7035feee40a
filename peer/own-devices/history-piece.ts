/**
 * One piece of the history that an own device ships to a new one, as it travels in `historyChunk`.
 *
 * A piece says where it begins and where the next one begins. The device that asks takes the pieces in that order only, so a
 * piece that was made twice, with other messages in it, leaves nothing out.
 */
import { encodeCbor, decodeCbor } from '../../protocol/cbor.ts'
import {
  bool,
  bytes,
  bytesBetween,
  decode,
  encode,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  type TypeOf
} from '../../protocol/codec.ts'
import {
  MAX_GROUP_LOG_MESSAGE_CHANGES,
  MAX_HISTORY_CHUNK_BYTES,
  MAX_HISTORY_CURSOR_BYTES,
  syncItemCodec
} from '../../protocol/conversation/message-kinds.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { accountIdCodec } from '../../protocol/identity/device.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import { DELIVERY_TOKEN_BYTES } from '../../protocol/wire/delivery-token.ts'
import { MAX_ORDER_LENGTH, messageCodec, timerCodec } from '../store/conversation-entries.ts'

/** Of the form below. A device that does not know it asks again once it is updated. */
const PIECE_VERSION = 2
const MAX_ROWS = 1_000
/** A row of a message is six deep; what people wrote about it, and lines that name people, go four deeper. Every item has a byte. */
const LIMITS = { maxBytes: MAX_HISTORY_CHUNK_BYTES, maxDepth: 12, maxItems: MAX_HISTORY_CHUNK_BYTES }

const cursorCodec = struct({
  /**
   * `items`: what the devices agree on. `newest`: the newest messages of each conversation. `rest`: all others. `late`: what
   * came after the device was added, from senders who did not know of it yet.
   */
  stage: oneOf('items', 'newest', 'rest', 'late'),
  /** Place in the list of conversations, or of items; of the last in line that the device has for `late`. */
  at: uint(),
  /** Messages before this order come next; null at the end of the conversation. */
  before: nullable(text(MAX_ORDER_LENGTH))
})

/** Where a piece begins. */
export type HistoryCursor = TypeOf<typeof cursorCodec>
export const FIRST_CURSOR: HistoryCursor = { stage: 'items', at: 0, before: null }
/** What comes late begins here. */
export const LATE_CURSOR: HistoryCursor = { stage: 'late', at: 0, before: null }

export const encodeCursor = (cursor: HistoryCursor): Uint8Array => encode(cursorCodec, cursor)

/** @throws ProtocolError for what is no cursor of this version. */
export const decodeCursor = (input: Uint8Array): HistoryCursor =>
  decode(cursorCodec, input, { maxBytes: MAX_HISTORY_CURSOR_BYTES, maxDepth: 2 })

const shippedRowCodec = struct({
  order: text(MAX_ORDER_LENGTH),
  row: messageCodec,
  /** Name of the message before it, for what came late; empty for the first of a conversation. */
  behind: nullable(bytesBetween(0, 32))
})
/** A message with its order at the device that ships it. */
export type ShippedRow = TypeOf<typeof shippedRowCodec>

const shippedConversationCodec = struct({
  conversationId: conversationIdCodec,
  accountId: accountIdCodec,
  kind: oneOf('notes', 'direct', 'group'),
  updatedAt: uint(),
  /** Whether everything in it was read. */
  isRead: bool,
  username: nullable(text(32)),
  displayName: nullable(text(64)),
  /** What makes a contact of this account at the person's nodes. */
  deliveryToken: nullable(bytes(DELIVERY_TOKEN_BYTES)),
  /** Newest first. */
  rows: list(shippedRowCodec, MAX_ROWS),
  /** After how long new messages disappear. At the end: docs/backup-format.md names fields by their place. */
  timer: timerCodec
})
/** Messages of one conversation, with what is needed to show it. */
export type ShippedConversation = TypeOf<typeof shippedConversationCodec>

const shippedLogCodec = struct({
  groupId: conversationIdCodec,
  /** Encoded, each after those that it names. */
  changes: list(bytesBetween(1, MAX_HISTORY_CHUNK_BYTES), MAX_GROUP_LOG_MESSAGE_CHANGES)
})

const pieceCodec = struct({
  version: uint(),
  from: bytesBetween(0, MAX_HISTORY_CURSOR_BYTES),
  next: bytesBetween(0, MAX_HISTORY_CURSOR_BYTES),
  chats: uint(),
  chatsTotal: uint(),
  items: list(syncItemCodec, 64),
  ownToken: nullable(struct({ revision: uint(), token: bytes(DELIVERY_TOKEN_BYTES) })),
  conversations: list(shippedConversationCodec, 64),
  /** Of groups, in backups: own devices are told of them otherwise. At the end, as above. */
  groupLogs: list(shippedLogCodec, 64)
})
/** See the module. */
export type HistoryPiece = Omit<TypeOf<typeof pieceCodec>, 'version'>

/** Whether the history begins once more behind this piece: the other device has got more of it itself. */
export function isNewBeginning({ from, next }: HistoryPiece): boolean {
  return decodeCursor(from).stage === 'late' && decodeCursor(next).stage === FIRST_CURSOR.stage
}

/** Canonical bytes of a piece. */
export function encodePiece(piece: HistoryPiece): Uint8Array {
  return encode(pieceCodec, { version: PIECE_VERSION, ...piece })
}

/** @throws ProtocolError `UNSUPPORTED_VERSION` for a piece of a later version, `MALFORMED`, `TOO_LARGE`. */
export function decodePiece(input: Uint8Array): HistoryPiece {
  const value = decodeCbor(input, LIMITS)
  if (Array.isArray(value) && typeof value[0] === 'number' && value[0] !== PIECE_VERSION) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `history of version ${value[0]}`)
  }
  const { version: _version, ...piece } = pieceCodec.fromCbor(value, 'piece')
  return piece
}

/** Bytes that a message takes in a piece. */
export function rowBytes(row: ShippedRow): number {
  return encodeCbor(shippedRowCodec.toCbor(row)).length
}

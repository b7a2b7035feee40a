/** How conversations and their messages are stored: the rows that screens show. */
import type { Brand } from '../../protocol/brand.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { decodeCbor } from '../../protocol/cbor.ts'
import {
  bool,
  bytes,
  encode,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  variant,
  type Codec,
  type TypeOf
} from '../../protocol/codec.ts'
import { amendmentsCodec } from '../../protocol/conversation/amendments.ts'
import {
  MAX_EXPIRY_SECONDS,
  MAX_OPTION_UNITS,
  MAX_POLL_OPTIONS,
  messageIdCodec
} from '../../protocol/conversation/message-kinds.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import {
  accountIdCodec,
  DEVICE_ID_BYTES,
  deviceIdCodec,
  type AccountId,
  type DeviceId
} from '../../protocol/identity/device.ts'
import {
  MAX_DRAFT_UNITS,
  MAX_GROUP_CHANGE_TARGETS,
  MAX_GROUP_DESCRIPTION_UNITS,
  MAX_TEXT_UNITS
} from '../../protocol/limits.ts'
import { fileCodec } from './file-entry.ts'
import type { Slot } from './state-store.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { MESSAGE_PROBLEMS, type MessageProblem } from '../problems.ts'
import { DIFFERENCES, GROUP_LINE_KINDS, type GroupLinePerson, type SystemLine } from '../system-line.ts'

/** Longest value of an entry. */
export const MAX_ENTRY_BYTES = 8 * 1024 * 1024
/** Hex of 48 bits, so that names sort as the numbers do. */
export const orderOf = (value: number): string => value.toString(16).padStart(12, '0')

/** How a value of this form is stored. */
export function entry<T>(codec: Codec<T>): Slot<T>['codec'] {
  return {
    encode: value => encode(codec, value),
    decode: bytes => codec.fromCbor(decodeCbor(bytes, { maxBytes: MAX_ENTRY_BYTES, maxDepth: 10 }), '')
  }
}

/** Longest order of a message: history of an own device keeps the order it had there, behind a place of its own. */
export const MAX_ORDER_LENGTH = 200

/** A setting of a conversation, see peer/history/conversation-timer.ts; null if nobody has set it. */
export const timerCodec = nullable(
  struct({
    accountId: accountIdCodec,
    deviceId: deviceIdCodec,
    version: uint(),
    seconds: nullable(uint(MAX_EXPIRY_SECONDS))
  })
)

const conversationCodec = struct({
  conversationId: conversationIdCodec,
  /** The other account; our own for notes to self; in a group who added us, or made it. */
  accountId: accountIdCodec,
  /** A kind keeps its place in this list: that is what is stored. */
  kind: oneOf('notes', 'direct', 'group'),
  draft: text(MAX_DRAFT_UNITS),
  unread: uint(),
  updatedAt: uint(),
  /** Place of the next message shown. */
  nextPlace: uint(),
  /** Everything shown before this place counts as read here. */
  readPlace: uint(),
  /** `message` order of the newest shown, null before the first. */
  lastOrder: nullable(text(MAX_ORDER_LENGTH)),
  /** Revision of our profile that the other side was given; 0 for none. */
  profileGiven: uint(),
  /** Who last said after how many seconds new messages disappear, null for never; the highest version counts. */
  timer: timerCodec,
  /** How many of the unread messages mention the user; only in groups. */
  unreadMentions: uint()
})
export type Conversation = TypeOf<typeof conversationCodec>
export const conversationEntry = entry(conversationCodec)

/** The fields of a conversation in which nothing was said. */
export const EMPTY_CONVERSATION = {
  draft: '',
  unread: 0,
  nextPlace: 1,
  readPlace: 0,
  lastOrder: null,
  profileGiven: 0,
  timer: null,
  unreadMentions: 0
} satisfies Partial<Conversation>

/** By name, not by number: codes of problems come and go. */
const problemCodec: Codec<MessageProblem> = {
  toCbor: value => value,
  fromCbor: (value, path) => {
    if (MESSAGE_PROBLEMS.includes(value as MessageProblem)) return value as MessageProblem
    throw new ProtocolError('MALFORMED', `${path} must be the code of a problem`)
  }
}

/** The person's names are looked up when it is shown. */
const groupPersonCodec: Codec<GroupLinePerson> = {
  toCbor: ({ accountId }) => accountIdCodec.toCbor(fromHex(accountId, 32) as AccountId),
  fromCbor: (value, path) => ({ accountId: toHex(accountIdCodec.fromCbor(value, path)), name: '', isMe: false })
}

const deviceHexCodec: Codec<string> = {
  toCbor: value => deviceIdCodec.toCbor(fromHex(value, DEVICE_ID_BYTES) as DeviceId),
  fromCbor: (value, path) => toHex(deviceIdCodec.fromCbor(value, path))
}

/** What Volo itself says in a conversation. The sentences are the app's and the command line's, see `SystemLine`. */
const lineCodec: Codec<SystemLine> = variant({
  missing: [0, struct({ missing: uint(), gone: uint() })],
  'not-linked': [1, struct({})],
  'removed-device': [2, struct({ mine: bool })],
  deleted: [3, struct({ contacts: uint(), requests: uint() })],
  group: [
    4,
    struct({
      what: oneOf(...GROUP_LINE_KINDS),
      by: groupPersonCodec,
      who: list(groupPersonCodec, MAX_GROUP_CHANGE_TARGETS),
      text: text(MAX_GROUP_DESCRIPTION_UNITS)
    })
  ],
  timer: [5, struct({ seconds: nullable(uint(MAX_EXPIRY_SECONDS)) })],
  recovered: [6, struct({})],
  differs: [
    7,
    struct({
      what: oneOf(...DIFFERENCES),
      by: groupPersonCodec,
      device: deviceHexCodec,
      of: list(groupPersonCodec, 1)
    })
  ]
})

/** A row of the message log. History travels in this form, too: see peer/own-devices/history-piece.ts. */
export const messageCodec = struct({
  messageId: messageIdCodec,
  conversationId: conversationIdCodec,
  from: accountIdCodec,
  device: deviceIdCodec,
  mine: bool,
  /** `deleted`: by its author, for all. `removed`: not shown any more on the own devices; the row keeps the message from coming back. */
  kind: oneOf('text', 'system', 'gap', 'unsupported', 'file', 'poll', 'deleted', 'removed'),
  /** As it was edited last; the question of a poll. */
  text: text(MAX_TEXT_UNITS),
  line: nullable(lineCodec),
  sentAt: uint(),
  receivedAt: uint(),
  state: nullable(oneOf('waiting', 'sent', 'delivered', 'read', 'failed')),
  problem: nullable(problemCodec),
  /** Whether the sender was told that it was read here. */
  readTold: bool,
  /** Of a message of kind `file`; its `text` is what the sender says about it. */
  file: nullable(fileCodec),
  /** Name of the message that this one answers. */
  replyTo: nullable(bytes(32)),
  isForwarded: bool,
  poll: nullable(struct({ options: list(text(MAX_OPTION_UNITS), MAX_POLL_OPTIONS, 2), isMultiple: bool })),
  /** Seconds after which it disappears, once it was sent or read; null if it stays. */
  expiresAfter: nullable(uint(MAX_EXPIRY_SECONDS)),
  /** When it disappears; null before that is known. */
  expiresAt: nullable(uint()),
  /** The text of an edit is in `text`, and empty here. */
  amendments: nullable(amendmentsCodec)
})
export type MessageRow = TypeOf<typeof messageCodec>
export const messageEntry = entry(messageCodec)

/** Lower-case hex of 32 bytes: names one message to screens and in the store, the same on every device that has it. */
export type ShownId = Brand<string, 'ShownId'>

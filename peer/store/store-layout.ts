/**
 * The layout of the store: one function per kind of entry, docs/peer.md has the table. Ids in names are lower-case hex;
 * `order` sorts, so numbers in it are hex of fixed width.
 */
import {
  bool,
  bytes,
  bytesBetween,
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
import {
  MAX_EMOJI_UNITS,
  MAX_EXPIRY_SECONDS,
  messageIdCodec,
  pollChoicesCodec
} from '../../protocol/conversation/message-kinds.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import { sequencerState, type Sequencer } from '../../protocol/conversation/sequencer.ts'
import { accountIdCodec, deviceIdCodec } from '../../protocol/identity/device.ts'
import { MAX_ENVELOPE_BYTES, MAX_ENVELOPE_RECIPIENTS } from '../../protocol/limits.ts'
import { sessionIdCodec } from '../../protocol/session/context.ts'
import { ownKeysState, peerKeyState, type OwnKeys, type PeerKey } from '../../protocol/session/conversation-keys.ts'
import { inboundState, type Inbound } from '../../protocol/session/inbound.ts'
import { MAX_CONTENT_BYTES } from '../../protocol/session/message-packet.ts'
import { openDeliveryState, type OpenDelivery } from '../../protocol/session/open-delivery.ts'
import { outboundState, type Outbound } from '../../protocol/session/outbound.ts'
import { MAX_PACKET_MESSAGES } from '../../protocol/session/packet.ts'
import {
  acceptedPairingState,
  openedPairingState,
  type AcceptedPairing,
  type OpenedPairing
} from '../../protocol/session/pairing.ts'
import {
  resendAnswersState,
  resendRequestsState,
  type ResendAnswers,
  type ResendRequests
} from '../../protocol/conversation/resend.ts'
import { seenSessionState, type SeenSession } from '../../protocol/session/seen-session.ts'
import { MAX_COMPLAINT_LENGTH } from '../../protocol/wire/complaint-file.ts'
import { deliveryReceiptCodec } from '../../protocol/wire/custody.ts'
import { DELIVERY_TOKEN_BYTES } from '../../protocol/wire/delivery-token.ts'
import { deliveryCodec, deliveryIdCodec } from '../../protocol/wire/envelope.ts'
import type { Slot, UnitOfWork } from './state-store.ts'
import {
  MAX_ENTRY_BYTES,
  orderOf,
  entry,
  MAX_ORDER_LENGTH,
  type Conversation,
  conversationEntry,
  type MessageRow,
  messageEntry,
  type ShownId
} from './conversation-entries.ts'

const placeCodec = struct({ conversationId: conversationIdCodec, order: text(MAX_ORDER_LENGTH) })

const gapCodec = struct({
  device: deviceIdCodec,
  from: uint(),
  to: uint(),
  /** Messages still missing. */
  missing: uint(),
  /** Those of them that their sender does not have any more. */
  gone: uint(),
  /** `message` order of its row. */
  order: text(MAX_ORDER_LENGTH)
})
export type GapEntry = TypeOf<typeof gapCodec>
export const gapEntry = entry(gapCodec)

const unsentCodec = struct({
  conversationId: conversationIdCodec,
  /** Of the row whose state follows the sending; null for what is not shown. */
  messageId: nullable(messageIdCodec),
  content: bytesBetween(1, MAX_CONTENT_BYTES),
  sequenced: bool,
  /** Set for a message that failed and is sent again: its place. */
  again: nullable(struct({ sequence: uint(), predecessor: bytes(32) }))
})
export type Unsent = TypeOf<typeof unsentCodec>
export const unsentEntry = entry(unsentCodec)

const sentCodec = struct({
  sequence: uint(),
  predecessor: bytes(32),
  content: bytesBetween(1, MAX_CONTENT_BYTES),
  sentAt: uint()
})
export type SentEntry = TypeOf<typeof sentCodec>
export const sentEntry = entry(sentCodec)

const outboxCodec = struct({
  conversationId: conversationIdCodec,
  /** Shown messages inside. */
  messages: list(messageIdCodec, MAX_PACKET_MESSAGES),
  envelope: bytesBetween(1, MAX_ENVELOPE_BYTES),
  expiry: uint(),
  createdAt: uint(),
  mailboxes: list(
    struct({
      mailbox: deviceIdCodec,
      id: deliveryIdCodec,
      /** Enough receipts were verified here. */
      stored: bool
    }),
    MAX_ENVELOPE_RECIPIENTS,
    1
  )
})
export type OutboxItem = TypeOf<typeof outboxCodec>
export const outboxEntry = entry(outboxCodec)

const receiptFields = { mailbox: deviceIdCodec, id: deliveryIdCodec, receipts: list(deliveryReceiptCodec, 8) }
/** What a complaint needs beside the receipts; earlier versions did not keep it, and nothing is asked about theirs. */
const earlierReceiptsCodec = struct(receiptFields)
const laterReceiptsCodec = struct({ ...receiptFields, expiry: nullable(uint()) })
const receiptsOfMailboxCodec: Codec<TypeOf<typeof laterReceiptsCodec>> = {
  toCbor: value => laterReceiptsCodec.toCbor(value),
  fromCbor: (value, path) =>
    Array.isArray(value) && value.length === Object.keys(receiptFields).length
      ? { ...earlierReceiptsCodec.fromCbor(value, path), expiry: null }
      : laterReceiptsCodec.fromCbor(value, path)
}
const receiptsCodec = list(receiptsOfMailboxCodec, MAX_ENVELOPE_RECIPIENTS)
export type ReceiptsEntry = TypeOf<typeof receiptsCodec>
export const receiptsEntry = entry(receiptsCodec)

/** What waits to be said to one device of a conversation, together. */
const dueCodec = struct({
  conversationId: conversationIdCodec,
  deviceId: deviceIdCodec,
  delivered: list(messageIdCodec, 4096),
  read: list(messageIdCodec, 4096),
  /** Sessions of the device that were accepted. */
  opened: list(sessionIdCodec, 4096)
})
export type DueControls = TypeOf<typeof dueCodec>

const sessionCodec = struct({ conversationId: conversationIdCodec, seen: bytesBetween(1, 1024) })

const parkedCodec = struct({
  delivery: deliveryCodec,
  /**
   * `roster`: its Open names records that the directory does not have yet. `session`: its Open has not come yet. `version`:
   * its payload is of a later version of this program. `time`: earlier versions waited for the time of an Open.
   */
  waitsFor: oneOf('roster', 'session', 'version', 'time'),
  since: uint()
})
export type Parked = TypeOf<typeof parkedCodec>
export const parkedEntry = entry(parkedCodec)

/** What a person did, besides writing a message: one line of `listen`. */
const chatEventCodec = struct({
  from: accountIdCodec,
  sentAt: uint(),
  /** Name of the message that it is about; null for the timer. */
  message: nullable(bytes(32)),
  what: variant({
    reaction: [0, struct({ emoji: nullable(text(MAX_EMOJI_UNITS)) })],
    edit: [1, struct({})],
    delete: [2, struct({})],
    vote: [3, struct({ choices: pollChoicesCodec })],
    pin: [4, struct({ isPinned: bool })],
    timer: [5, struct({ seconds: nullable(uint(MAX_EXPIRY_SECONDS)) })]
  })
})
export type ChatEventEntry = TypeOf<typeof chatEventCodec>

const unheardCodec = struct({
  conversationId: conversationIdCodec,
  /** Of a message; empty for an event. */
  order: text(MAX_ORDER_LENGTH),
  event: nullable(chatEventCodec)
})
export const unheardEntry = entry(unheardCodec)

const namedMessageCodec = struct({ name: bytes(32) })
const heardCodec = struct({
  accountId: accountIdCodec,
  deviceId: deviceIdCodec,
  /** When this device learned that it has the message; null if it only said that it was read. */
  deliveredAt: nullable(uint()),
  readAt: nullable(uint())
})
/** What one device of another person has said about an own message. */
export type Heard = TypeOf<typeof heardCodec>
export const heardEntry = entry(heardCodec)
/** An entry of a list of messages, such as those that are pinned. */
export type NamedMessage = TypeOf<typeof namedMessageCodec>
export const namedMessageEntry = entry(namedMessageCodec)

const headToldCodec = struct({ next: uint(), since: uint(), times: uint() })

const counterCodec = struct({ next: uint() })

const deliveryTokenCodec = struct({ token: bytes(DELIVERY_TOKEN_BYTES) })
const ownDeliveryTokenCodec = struct({ revision: uint(), token: bytes(DELIVERY_TOKEN_BYTES) })
export type OwnDeliveryToken = TypeOf<typeof ownDeliveryTokenCodec>

/** The text of a complaint file. */
const complaintCodec = struct({ text: text(MAX_COMPLAINT_LENGTH) })
export const complaintEntry = entry(complaintCodec)

/** Where every kind of state lives. */
export const slots = {
  conversation: (id: string): Slot<Conversation> => ({ space: 'conversation', id, codec: conversationEntry }),
  message: (conversation: string, order: string): Slot<MessageRow> => ({
    space: 'message',
    id: conversation,
    order,
    codec: messageEntry
  }),
  place: (message: ShownId): Slot<TypeOf<typeof placeCodec>> => ({ space: 'place', id: message, codec: placeEntry }),
  gap: (conversation: string, device: string, from: number): Slot<GapEntry> => ({
    space: 'gap',
    id: conversation,
    order: `${device}.${orderOf(from)}`,
    codec: gapEntry
  }),
  unsent: (order: string): Slot<Unsent> => ({ space: 'unsent', order, codec: unsentEntry }),
  sent: (conversation: string, sequence: number): Slot<SentEntry> => ({
    space: 'sent',
    id: conversation,
    order: orderOf(sequence),
    codec: sentEntry
  }),
  outbox: (order: string): Slot<OutboxItem> => ({ space: 'outbox', order, codec: outboxEntry }),
  complaint: (key: string): Slot<TypeOf<typeof complaintCodec>> => ({
    space: 'complaint',
    order: key,
    codec: complaintEntry
  }),
  receipts: (message: ShownId, order: string): Slot<ReceiptsEntry> => ({
    space: 'receipts',
    id: message,
    order,
    codec: receiptsEntry
  }),
  due: (conversation: string, device: string): Slot<DueControls> => ({
    space: 'due',
    id: conversation,
    order: device,
    codec: dueEntry
  }),
  /** What this device shares with each device of a session that it opened. */
  openedPairing: (conversation: string, session: string): Slot<OpenedPairing> => ({
    space: 'opened-pairing',
    id: conversation,
    order: session,
    codec: openedPairingState
  }),
  /** What this device shares with one that opened a session to it. */
  acceptedPairing: (conversation: string, session: string): Slot<AcceptedPairing> => ({
    space: 'accepted-pairing',
    id: conversation,
    order: session,
    codec: acceptedPairingState
  }),
  outbound: (conversation: string): Slot<Outbound> => ({ space: 'outbound', id: conversation, codec: outboundState }),
  ownKeys: (conversation: string): Slot<{ conversationId: Uint8Array; own: OwnKeys }> => ({
    space: 'own-keys',
    id: conversation,
    codec: ownKeysEntry
  }),
  peerKey: (conversation: string, device: string): Slot<PeerKey> => ({
    space: 'peer-key',
    id: conversation,
    order: device,
    codec: peerKeyState
  }),
  sequencer: (conversation: string, device: string): Slot<Sequencer> => ({
    space: 'sequencer',
    id: conversation,
    order: device,
    codec: sequencerState
  }),
  requests: (conversation: string, device: string): Slot<ResendRequests> => ({
    space: 'resend-request',
    id: conversation,
    order: device,
    codec: resendRequestsState
  }),
  answers: (conversation: string): Slot<ResendAnswers> => ({
    space: 'resend-answers',
    id: conversation,
    codec: resendAnswersState
  }),
  /** How often the number of the last message was told since. */
  headTold: (conversation: string): Slot<TypeOf<typeof headToldCodec>> => ({
    space: 'head-told',
    id: conversation,
    codec: headToldEntry
  }),
  openDelivery: (conversation: string, session: string): Slot<OpenDelivery> => ({
    space: 'open-delivery',
    id: conversation,
    order: session,
    codec: openDeliveryState
  }),
  inbound: (conversation: string, session: string): Slot<Inbound> => ({
    space: 'inbound',
    id: conversation,
    order: session,
    codec: inboundState
  }),
  /** Kept after the session is erased: its id must never start anything again. */
  session: (session: string): Slot<{ conversationId: Uint8Array; seen: SeenSession }> => ({
    space: 'session',
    id: session,
    codec: seenEntry
  }),
  parked: (delivery: string): Slot<Parked> => ({ space: 'parked', id: delivery, codec: parkedEntry }),
  unheard: (order: string): Slot<TypeOf<typeof unheardCodec>> => ({ space: 'unheard', order, codec: unheardEntry }),
  heard: (message: ShownId, device: string): Slot<Heard> => ({
    space: 'heard',
    id: message,
    order: device,
    codec: heardEntry
  }),
  /** A message that disappears at a time; sorted by the time. @param order - see `expiryOrder`. */
  expiry: (order: string): Slot<TypeOf<typeof namedMessageCodec>> => ({
    space: 'expiry',
    order,
    codec: namedMessageEntry
  }),
  /** Of another account, given to us in its profile. */
  deliveryToken: (account: string): Slot<TypeOf<typeof deliveryTokenCodec>> => ({
    space: 'delivery-token',
    id: account,
    codec: deliveryTokenEntry
  }),
  ownDeliveryToken: (): Slot<OwnDeliveryToken> => ({ space: 'own-delivery-token', codec: ownDeliveryTokenEntry }),
  /** Of the last loss of our mailbox that has a line. */
  lossTold: (): Slot<{ at: number }> => ({ space: 'loss-told', codec: lossToldEntry }),
  counter: (): Slot<{ next: number }> => ({ space: 'counter', codec: counterEntry })
}

/** The next number of a count that never repeats; sorts queues. */
export async function nextOrder(unit: UnitOfWork): Promise<string> {
  const next = (await unit.read(slots.counter()))?.next ?? 1
  unit.write(slots.counter(), { next: next + 1 })
  return orderOf(next)
}

const headToldEntry = entry(headToldCodec)
const placeEntry = entry(placeCodec)
export const dueEntry = entry(dueCodec)
const counterEntry = entry(counterCodec)
const lossToldEntry = entry(struct({ at: uint() }))
const deliveryTokenEntry = entry(deliveryTokenCodec)
const ownDeliveryTokenEntry = entry(ownDeliveryTokenCodec)
const sessionEntry = entry(sessionCodec)

export const seenEntry: Slot<{ conversationId: Uint8Array; seen: SeenSession }>['codec'] = {
  encode: ({ conversationId, seen }) =>
    sessionEntry.encode({ conversationId: conversationId as never, seen: seenSessionState.encode(seen) }),
  decode: bytes => {
    const { conversationId, seen } = sessionEntry.decode(bytes)
    return { conversationId, seen: seenSessionState.decode(seen) }
  }
}

const ownKeysCodec = struct({ conversationId: conversationIdCodec, own: bytesBetween(1, MAX_ENTRY_BYTES) })
const ownKeysRaw = entry(ownKeysCodec)
export const ownKeysEntry: Slot<{ conversationId: Uint8Array; own: OwnKeys }>['codec'] = {
  encode: ({ conversationId, own }) =>
    ownKeysRaw.encode({ conversationId: conversationId as never, own: ownKeysState.encode(own) }),
  decode: bytes => {
    const { conversationId, own } = ownKeysRaw.decode(bytes)
    return { conversationId, own: ownKeysState.decode(own) }
  }
}

/** What a device stores about the other devices of its account: what they agree on, and history on its way. */
import { bool, bytes, bytesBetween, list, nullable, struct, text, uint, type TypeOf } from '../../protocol/codec.ts'
import { MAX_HISTORY_CURSOR_BYTES, syncItemCodec } from '../../protocol/conversation/message-kinds.ts'
import { deviceIdCodec } from '../../protocol/identity/device.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import type { EntryChange } from './sealed-store.ts'
import type { Slot } from './state-store.ts'
import { entry, type ShownId } from './conversation-entries.ts'

/** Conversations whose history a new device gets, the newest ones. */
export const MAX_SHIPPED_CONVERSATIONS = 10_000

/** One thing that all devices of the account agree on. */
export type SyncItem = TypeOf<typeof syncItemCodec>
export const syncItemEntry = entry(syncItemCodec)

const awaitedMarkCodec = struct({ at: uint() })
const awaitedMarkEntry = entry(awaitedMarkCodec)

const deviceSeenCodec = struct({
  deviceId: deviceIdCodec,
  /** Cut to the hour. */
  at: uint()
})
export const deviceSeenEntry = entry(deviceSeenCodec)

const historyGrantCodec = struct({
  deviceId: deviceIdCodec,
  grantedAt: uint(),
  /** In the order in which they are shipped. What is shown at `before` or later came after the device was added. */
  conversations: list(struct({ conversationId: conversationIdCodec, before: uint() }), MAX_SHIPPED_CONVERSATIONS),
  /** Conversations that were shipped whole. */
  chats: uint(),
  isDone: bool
})
/** A device that may ask this one for the history. */
export type HistoryGrant = TypeOf<typeof historyGrantCodec>
export const historyGrantEntry = entry(historyGrantCodec)

const againCodec = struct({
  /** The transfer that was told to begin again; null before. */
  transferId: nullable(bytes(16))
})
export const againEntry = entry(againCodec)

/** A message by its name, or an item: see `peer/own-devices/late-history.ts`. */
const lateCodec = struct({ message: nullable(bytes(32)), item: nullable(text(96)) })
export type LateEntry = TypeOf<typeof lateCodec>
export const lateEntry = entry(lateCodec)

const reachedCodec = struct({ since: uint() })
export const reachedEntry = entry(reachedCodec)

const historyTransferCodec = struct({
  /** The own device that ships the history. */
  from: deviceIdCodec,
  transferId: bytes(16),
  /** Of the next piece. */
  index: uint(),
  cursor: bytesBetween(0, MAX_HISTORY_CURSOR_BYTES),
  chats: uint(),
  chatsTotal: uint(),
  messages: uint(),
  startedAt: uint(),
  isDone: bool,
  /** How often what came late was asked for after the end. */
  rounds: uint()
})
/** The history that this device is getting, or has got. */
export type HistoryTransferState = TypeOf<typeof historyTransferCodec>
const historyTransferEntry = entry(historyTransferCodec)

/** For a write together with other state, by a device that has none of its own yet. */
export function historyTransferChange(state: HistoryTransferState): EntryChange {
  const { codec, ...name } = ownDeviceSlots.historyTransfer()
  return { ...name, value: codec.encode(state) }
}

const answeredCodec = struct({ version: uint() })

/** Where it lives. */
export const ownDeviceSlots = {
  syncItem: (name: string): Slot<SyncItem> => ({ space: 'sync-item', id: name, codec: syncItemEntry }),
  /** Another own device says that a message was read, and the message has not come yet. */
  awaitedMark: (message: ShownId): Slot<TypeOf<typeof awaitedMarkCodec>> => ({
    space: 'awaited-mark',
    id: message,
    codec: awaitedMarkEntry
  }),
  /** When another own device was last heard here. */
  deviceSeen: (device: string): Slot<TypeOf<typeof deviceSeenCodec>> => ({
    space: 'own-device-seen',
    id: device,
    codec: deviceSeenEntry
  }),
  historyGrant: (device: string): Slot<HistoryGrant> => ({
    space: 'history-grant',
    id: device,
    codec: historyGrantEntry
  }),
  /** History came here from another own device after the new one had begun to ask. */
  historyAgain: (device: string): Slot<TypeOf<typeof againCodec>> => ({
    space: 'history-again',
    id: device,
    codec: againEntry
  }),
  /** What a new device did not get from its sender and gets from here, in the order in which it came. */
  late: (device: string, order: string): Slot<LateEntry> => ({
    space: 'late-history',
    id: device,
    order,
    codec: lateEntry
  }),
  /** The first message of a sender in a conversation that a new device gets by itself. */
  reached: (device: string, conversation: string, sender: string): Slot<TypeOf<typeof reachedCodec>> => ({
    space: 'reached-from',
    id: device,
    order: `${conversation}.${sender}`,
    codec: reachedEntry
  }),
  /** Version of the last word that there is more history, of those that were answered to the end. */
  historyAnswered: (): Slot<TypeOf<typeof answeredCodec>> => ({
    space: 'history-answered',
    codec: entry(answeredCodec)
  }),
  historyTransfer: (): Slot<HistoryTransferState> => ({ space: 'history-transfer', codec: historyTransferEntry })
}

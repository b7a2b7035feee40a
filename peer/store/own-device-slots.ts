/** What a device stores about the other devices of its account: what they agree on, and history on its way. */
import { bool, bytes, bytesBetween, list, struct, uint, type TypeOf } from '../../protocol/codec.ts'
import { MAX_HISTORY_CURSOR_BYTES, syncItemCodec } from '../../protocol/conversation/message-kinds.ts'
import { deviceIdCodec } from '../../protocol/identity/device.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import type { Slot } from './state-store.ts'
import { entry, type ShownId } from './store-layout.ts'

/** Conversations whose history a new device gets, the newest ones. */
export const MAX_SHIPPED_CONVERSATIONS = 10_000

/** One thing that all devices of the account agree on. */
export type SyncItem = TypeOf<typeof syncItemCodec>
export const syncItemEntry = entry(syncItemCodec)

const awaitedMarkCodec = struct({ at: uint() })
const awaitedMarkEntry = entry(awaitedMarkCodec)

const historyGrantCodec = struct({
  deviceId: deviceIdCodec,
  grantedAt: uint(),
  /** In the order in which they are shipped. */
  conversations: list(conversationIdCodec, MAX_SHIPPED_CONVERSATIONS),
  /** Conversations that were shipped whole. */
  chats: uint(),
  isDone: bool
})
/** A device that may ask this one for the history. */
export type HistoryGrant = TypeOf<typeof historyGrantCodec>
export const historyGrantEntry = entry(historyGrantCodec)

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

/** Where it lives. */
export const ownDeviceSlots = {
  syncItem: (name: string): Slot<SyncItem> => ({ space: 'sync-item', id: name, codec: syncItemEntry }),
  /** Another own device says that a message was read, and the message has not come yet. */
  awaitedMark: (message: ShownId): Slot<TypeOf<typeof awaitedMarkCodec>> => ({
    space: 'awaited-mark',
    id: message,
    codec: awaitedMarkEntry
  }),
  historyGrant: (device: string): Slot<HistoryGrant> => ({
    space: 'history-grant',
    id: device,
    codec: historyGrantEntry
  }),
  historyTransfer: (): Slot<HistoryTransferState> => ({ space: 'history-transfer', codec: historyTransferEntry })
}

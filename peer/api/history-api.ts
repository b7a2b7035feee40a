import type { CallTable } from './call-table.ts'

/** `peer.history`: the messages from before this device was added, on their way from the device that added it. */
export interface HistoryApi {
  status(): Promise<HistoryStatus>
}

/** The calls of {@link HistoryApi}. */
export const HISTORY_CALLS: CallTable<HistoryApi> = { status: 'repeat' }

/** How far history is. */
export interface HistoryStatus {
  /**
   * `none`: this device was not added by another one. `waiting`: nothing has come yet, the other device may be off.
   * `receiving`, `done`. Messages that came late to the other device may follow after `done`. `stopped`: the other device was
   * removed from the account, and it had more for this one.
   */
  state: 'none' | 'waiting' | 'receiving' | 'done' | 'stopped'
  /** The device that ships it, lower-case hex; null for `none`. */
  from: string | null
  /** Chats that are here whole, of all. */
  chats: number
  chatsTotal: number
  /** Messages that came. */
  messages: number
  /** Devices that this one ships its history to, or has shipped it to. */
  shipping: { deviceId: string; chats: number; chatsTotal: number; isDone: boolean }[]
}

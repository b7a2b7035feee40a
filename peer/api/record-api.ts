import type { CallTable } from './call-table.ts'
import type { DeviceRecord } from './devices-api.ts'
import type { AccountHex } from './ids.ts'
import type { Person } from './people-api.ts'
import type { RecordPlace } from './record-state.ts'

/** `peer.record`: what the public record holds. */
export interface RecordApi {
  /**
   * The whole record of an account, as last checked; the network is asked if nothing is known yet.
   * Rejects with `no-account`, `offline`, `bad-answer`.
   */
  of(accountId: AccountHex): Promise<PublicRecord>
}

/** The calls of {@link RecordApi}. */
export const RECORD_CALLS: CallTable<RecordApi> = {
  of: 'repeat'
}

/** Everything that the public record holds of one account, as checked on this device. */
export interface PublicRecord {
  person: Person
  /** Oldest first, removed ones included. */
  devices: DeviceRecord[]
  /** Every entry, oldest first. */
  entries: ({ kind: string; recordId: string } & RecordPlace)[]
  /** Operators whose answers agree: 2 at trust level L2. */
  operators: number
  /** Height of the newest block that was looked at. */
  tipHeight: number
  /** Origins of nodes of different operators, at most two, to check at independently. */
  sources: string[]
}

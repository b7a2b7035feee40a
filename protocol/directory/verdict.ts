import type { AccountId, DeviceId, RecordId } from '../identity/device.ts'
import type { RecordKind } from '../identity/record.ts'
import type { OrderKey } from './order.ts'

/**
 * Why a record was skipped. Stable: the same in every implementation, see docs/directory.md for each rule.
 *
 * - `MALFORMED`, `TOO_LARGE`, `UNKNOWN_KIND`: the bytes are not a record that this version knows
 * - `DUPLICATE`: accepted before
 * - `UNKNOWN_PREV`, `STALE`: `prev` is not an accepted record, or not the account's last one
 * - `OTHER_ACCOUNT`: a record of another account, where only one account's were asked for
 * - `RECORD_LIMIT`, `RECOVERY_LIMIT`, `DEVICE_LIMIT`, `COMMIT_LIMIT`, `NAME_LIMIT`: a bound of an account
 * - `UNKNOWN_SIGNER`, `SIGNER_REVOKED`, `COUNTER_EXPIRED`: device `by` is not of the account, is revoked, or is revoked
 *   and its 24 hours to revoke its revoker are over
 * - `UNKNOWN_TARGET`, `TARGET_REVOKED`: the device to be revoked is not of the account, or is revoked already
 * - `DEVICE_KNOWN`: id or signing key was in the account before, live or revoked
 * - `NO_RECOVERY_KEY`, `RECOVERY_KEY_REUSED`: the account has none, or the record does not replace it
 * - `RECOVERY_WAITING`: an older device has set a recovery key that does not count yet
 * - `COMMIT_KNOWN`, `COMMIT_UNKNOWN`, `REVEAL_TOO_EARLY`, `REVEAL_TOO_LATE`, `NAME_UNCLAIMED`: names
 * - `BAD_ADDRESS`: a node address that is not printable ASCII
 * - `NO_RELEASE_KEY`: the network has no releases of its own
 * - `BAD_SIGNATURE`: a signature does not verify under the strict rule
 */
export const REJECT_CODES = [
  'MALFORMED',
  'TOO_LARGE',
  'UNKNOWN_KIND',
  'DUPLICATE',
  'UNKNOWN_PREV',
  'STALE',
  'OTHER_ACCOUNT',
  'RECORD_LIMIT',
  'RECOVERY_LIMIT',
  'DEVICE_LIMIT',
  'COMMIT_LIMIT',
  'NAME_LIMIT',
  'UNKNOWN_SIGNER',
  'SIGNER_REVOKED',
  'COUNTER_EXPIRED',
  'UNKNOWN_TARGET',
  'TARGET_REVOKED',
  'DEVICE_KNOWN',
  'NO_RECOVERY_KEY',
  'RECOVERY_KEY_REUSED',
  'RECOVERY_WAITING',
  'COMMIT_KNOWN',
  'COMMIT_UNKNOWN',
  'REVEAL_TOO_EARLY',
  'REVEAL_TOO_LATE',
  'NAME_UNCLAIMED',
  'BAD_ADDRESS',
  'NO_RELEASE_KEY',
  'BAD_SIGNATURE'
] as const

/** See {@link REJECT_CODES}. */
export type RejectCode = (typeof REJECT_CODES)[number]

/** A record that was skipped. */
export interface RejectedRecord {
  readonly kind: 'rejected'
  readonly code: RejectCode
  /** `null` when the bytes were no record. */
  readonly recordId: RecordId | null
  /** The account it would have belonged to, where that is known. */
  readonly accountId: AccountId | null
  readonly order: OrderKey | null
}

/** What an accepted record changed, for those who watch. */
export type Effect =
  | { readonly kind: 'accountCreated' }
  | { readonly kind: 'deviceAdded'; readonly deviceId: DeviceId }
  /** `by` is `null` when the recovery key did it. */
  | { readonly kind: 'deviceRevoked'; readonly deviceId: DeviceId; readonly by: DeviceId | null }
  /** A device revoked by a younger one revoked that one in turn. */
  | { readonly kind: 'deviceRestored'; readonly deviceId: DeviceId }
  | { readonly kind: 'keyRotated'; readonly deviceId: DeviceId }
  /** The account now holds the name; `from` held it until an earlier commitment was opened. */
  | { readonly kind: 'nameHeld'; readonly nameTag: Uint8Array; readonly from: AccountId | null }
  /** Opened, but an account with an earlier commitment holds it. */
  | { readonly kind: 'nameTaken'; readonly nameTag: Uint8Array; readonly holder: AccountId }
  | { readonly kind: 'nameReleased'; readonly nameTag: Uint8Array }
  | { readonly kind: 'nodeListed'; readonly nodeKey: Uint8Array }
  | { readonly kind: 'nodeWithdrawn'; readonly nodeKey: Uint8Array }
  | { readonly kind: 'operatorAdmitted'; readonly operator: AccountId }

/** A record that was taken in. */
export interface AcceptedRecord {
  readonly kind: 'accepted'
  readonly recordKind: RecordKind
  readonly recordId: RecordId
  /** `null` for a RELEASE, which belongs to no account. */
  readonly accountId: AccountId | null
  readonly order: OrderKey | null
  readonly effects: readonly Effect[]
}

/** What became of one record. */
export type Verdict = AcceptedRecord | RejectedRecord

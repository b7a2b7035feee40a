/** What a rule is given, and what it decides. */
import type { Crypto } from '../../crypto/crypto.ts'
import type { AccountId } from '../../identity/device.ts'
import type { DirectoryRecord } from '../../identity/record.ts'
import type { NetworkId } from '../../network.ts'
import type { AccountState, DeviceState, RecordMark } from '../account.ts'
import type { SignatureCheck } from '../parsed-record.ts'
import type { Effect, RejectCode } from '../verdict.ts'

/** What every rule needs to name and hash things. */
export interface FoldContext {
  readonly crypto: Crypto
  readonly network: NetworkId
}

/** Where accepted records are looked up. */
export interface RecordLookup {
  /** Whether a record with this id was accepted. */
  has(recordId: Uint8Array): boolean
  /** The account that accepted this record. */
  accountOf(recordId: Uint8Array): AccountState | undefined
}

/** The record would be accepted, if {@link checks} hold. */
export interface AcceptPlan {
  readonly kind: 'accept'
  readonly account: AccountState
  readonly checks: readonly SignatureCheck[]
  readonly effects: readonly Effect[]
}

/** The record is skipped, whatever its signatures. */
export interface RejectPlan {
  readonly kind: 'reject'
  readonly code: RejectCode
  readonly accountId: AccountId | null
}

/** What a record would do. */
export type Plan = AcceptPlan | RejectPlan

/** Every kind but RELEASE, which belongs to no account. */
export type AccountRecord = Exclude<DirectoryRecord, { kind: 'release' }>
/** Kinds that name the account's last record as `prev`. */
export type LinkedRecord = Exclude<AccountRecord, { kind: 'create' }>
/** Kinds signed by a live device in a plain line of records. */
export type OrdinaryRecord = Exclude<LinkedRecord, { kind: 'revoke' | 'recover' }>

/** One record on its way into an account. */
export interface Step<R extends AccountRecord> {
  readonly context: FoldContext
  readonly account: AccountState
  readonly record: R
  readonly mark: RecordMark
}

/** {@link Step} with the live device that signs. */
export interface SignedStep<R extends AccountRecord> extends Step<R> {
  readonly signer: DeviceState
}

/** What a rule changes in an account, besides its head, history and counts. */
export type Changes = Partial<
  Pick<AccountState, 'devices' | 'recoveryKey' | 'waitingRecovery' | 'commitments' | 'names' | 'nodes'>
>

/** @param account - the account that refuses the record; left out if none is known. */
export function reject(code: RejectCode, account?: AccountState): RejectPlan {
  return { kind: 'reject', code, accountId: account?.accountId ?? null }
}

/** Accepts a record: applies the changes, and moves head, history and counts. */
export function accept<R extends LinkedRecord>(
  { account, record, mark }: Step<R>,
  changes: Changes,
  checks: SignatureCheck[],
  effects: Effect[] = []
): AcceptPlan {
  const isExempt = record.kind === 'revoke' || record.kind === 'recover'
  const next: AccountState = {
    ...account,
    ...changes,
    head: mark.recordId,
    history: { ...mark, kind: record.kind, previous: account.history },
    recordCount: account.recordCount + 1,
    limitedCount: account.limitedCount + (isExempt ? 0 : 1),
    recoveryCount: account.recoveryCount + (record.kind === 'recover' ? 1 : 0)
  }
  return { kind: 'accept', account: next, checks, effects }
}

/** One empty list for all accounts: of a million accounts, most have no names, nodes or commitments. */
export const NONE: readonly never[] = []

/** The signature of device `by`, the only one of most kinds. */
export function signedBy({ signer }: SignedStep<AccountRecord>, index = 0): SignatureCheck {
  return { index, publicKey: signer.keys.signingKey }
}

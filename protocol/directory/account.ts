/**
 * What the records of one account add up to. Every object here is immutable: a record makes a new account state that
 * shares what it did not change, so that a fork of the directory costs nothing.
 */
import { equalBytes } from '../bytes.ts'
import type { AccountId, DeviceId, DevicePublicKeys, RecordId } from '../identity/device.ts'
import type { RecordKind, RecordOf } from '../identity/record.ts'
import type { OrderKey } from './order.ts'

/** The record that brought something about. */
export interface RecordMark {
  readonly recordId: RecordId
  /** `null` while that record is pending. */
  readonly order: OrderKey | null
  /** Milliseconds since 1970, of its block. */
  readonly blockTime: number
}

/** How a device ended. */
export interface Revocation extends RecordMark {
  /** The device that signed the REVOKE; `null` when the recovery key did. */
  readonly by: DeviceId | null
  readonly reason: RecordOf<'revoke'>['reason'] | 'recovered'
  /** Until this block time the device may revoke `by` in turn, and so return; `null` when it has no such right. */
  readonly counterUntil: number | null
}

/** One device of an account, live or revoked. */
export interface DeviceState {
  readonly deviceId: DeviceId
  /** The keys it was added with: they make its id. */
  readonly keys: DevicePublicKeys
  /** Hash of the messaging key registered now; differs from `keys` after a ROTATE. */
  readonly messagingKeyHash: Uint8Array
  /** 0 for the account's first device; a lower number is an older device. */
  readonly seniority: number
  readonly added: RecordMark
  /** The device that permitted it; `null` for the first one and after a recovery. */
  readonly addedBy: DeviceId | null
  /** `null` while the device lives. */
  readonly revocation: Revocation | null
  /** Devices whose REVOKE of this one was cancelled by revoking them in turn. */
  readonly countered: readonly DeviceId[]
}

/** A recovery key that a device has set, and that does not count yet. */
export interface WaitingRecoveryKey extends RecordMark {
  /** Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array
  /** The device that set it: it dies with that device's revocation. */
  readonly by: DeviceId
  /** It counts for records of this block time or later. */
  readonly from: number
}

/** A reserved name that was not opened yet. */
export interface NameCommitment extends RecordMark {
  readonly commitment: Uint8Array
}

/** A name that the account opened. Whether it also *holds* the name depends on other accounts: see `NameState`. */
export interface NameClaim extends RecordMark {
  readonly nameTag: Uint8Array
  /** The commitment's place in the chain, which decides between claims. */
  readonly commitOrder: OrderKey | null
}

/** A node that the account, as its operator, announces. */
export interface AnnouncedNode extends RecordMark {
  /** Ed25519 public key, 32 bytes. */
  readonly nodeKey: Uint8Array
  /** Printable ASCII, such as `wss://node.example/`. */
  readonly addresses: readonly string[]
}

/** One accepted record, linked to the one before. */
export interface HistoryEntry extends RecordMark {
  readonly kind: RecordKind
  readonly previous: HistoryEntry | null
}

/** An account after its accepted records, in their order. */
export interface AccountState {
  readonly accountId: AccountId
  /** The last accepted record: the `prev` that the next one must name. */
  readonly head: RecordId
  readonly history: HistoryEntry
  /** In order of seniority, revoked ones included. */
  readonly devices: readonly DeviceState[]
  /** Ed25519 public key; `null` when the account cannot be recovered. Read it through {@link recoveryAt}. */
  readonly recoveryKey: Uint8Array | null
  /** The key that replaces {@link recoveryKey} once its time has come; `null` if there is none. */
  readonly waitingRecovery: WaitingRecoveryKey | null
  /** Accepted records of all kinds. */
  readonly recordCount: number
  /** Accepted records that count towards `MAX_RECORDS_PER_ACCOUNT`: all but REVOKE and RECOVER. */
  readonly limitedCount: number
  /** RECOVER records accepted. */
  readonly recoveryCount: number
  readonly commitments: readonly NameCommitment[]
  readonly names: readonly NameClaim[]
  readonly nodes: readonly AnnouncedNode[]
}

/** Whether a device lives. */
export function isLive(device: DeviceState): boolean {
  return device.revocation === null
}

/** The devices of an account that live, oldest first. */
export function liveDevices(account: AccountState): DeviceState[] {
  return account.devices.filter(isLive)
}

/** The recovery key that counts at a block time, and the one that still waits then. */
export function recoveryAt(
  { recoveryKey, waitingRecovery }: Pick<AccountState, 'recoveryKey' | 'waitingRecovery'>,
  blockTime: number
): Pick<AccountState, 'recoveryKey' | 'waitingRecovery'> {
  if (waitingRecovery === null || blockTime < waitingRecovery.from) return { recoveryKey, waitingRecovery }
  return { recoveryKey: waitingRecovery.key, waitingRecovery: null }
}

/** The device of an account with this id, live or revoked; `undefined` if the account never had it. */
export function deviceOf(account: AccountState, deviceId: Uint8Array): DeviceState | undefined {
  return account.devices.find(device => equalBytes(device.deviceId, deviceId))
}

/** Tags of the names that the account opened and did not release. */
export function nameTagsOf(account: AccountState): Uint8Array[] {
  return account.names.map(name => name.nameTag)
}

/** Accepted records of an account, oldest first. */
export function historyOf(account: Pick<AccountState, 'history'>): HistoryEntry[] {
  const entries: HistoryEntry[] = []
  for (let entry: HistoryEntry | null = account.history; entry; entry = entry.previous) entries.push(entry)
  return entries.reverse()
}

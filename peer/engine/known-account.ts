/** What this device knows of one account: its last checked proof, and what was seen before it. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import {
  bool,
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
import type { AccountView } from '../../protocol/conversation/roster-resolution.ts'
import type { RosterDevice, RosterMember } from '../../protocol/conversation/roster.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { historyOf, liveDevices, type AccountState, type DeviceState } from '../../protocol/directory/account.ts'
import { checkProof, decodeProof, type AccountProof, type CheckedProof } from '../../protocol/directory/proof.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import {
  accountIdCodec,
  deviceIdCodec,
  type AccountId,
  type DeviceId,
  type RecordId
} from '../../protocol/identity/device.ts'
import { FINAL_CONFIRMATIONS, MAX_DEVICES_PER_ACCOUNT, SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import { MAX_PROOF_BYTES } from '../../protocol/wire/peer-frames.ts'
import type { RecordDetails } from '../peer-api.ts'
import type { NetworkInfo } from './network-info.ts'

const storedAccountCodec = struct({
  accountId: accountIdCodec,
  proof: bytesBetween(1, MAX_PROOF_BYTES),
  checkedAt: uint(),
  /** `L2` once a node of another operator gave the same record. */
  trust: oneOf('L0', 'L1', 'L2'),
  /** Two operators contradict each other about this account. */
  contradicted: bool,
  username: nullable(text(32)),
  displayName: nullable(text(64)),
  /** What the person says the name is, until the record confirms it. */
  claimedName: nullable(text(32)),
  nameConfirmed: bool,
  /** Devices once seen revoked, and when: a rollback never brings them back. */
  revoked: list(struct({ deviceId: deviceIdCodec, at: uint() }), 4 * MAX_DEVICES_PER_ACCOUNT)
})

/** The part of a known account that is stored. */
export type StoredAccount = TypeOf<typeof storedAccountCodec>

export const encodeStoredAccount = (account: StoredAccount): Uint8Array => encode(storedAccountCodec, account)
export const decodeStoredAccount = (bytes: Uint8Array): StoredAccount =>
  decode(storedAccountCodec, bytes, { maxBytes: MAX_PROOF_BYTES + 16_384, maxDepth: 4 })

/** An account with its checked proof; immutable, replaced as a whole. */
export interface KnownAccount extends StoredAccount {
  checked: CheckedProof
  /** For `resolveRoster`. */
  view: AccountView
}

/**
 * Checks a proof and joins it with what was known.
 * @throws ProtocolError as `checkProof`.
 */
export async function knowAccount(
  crypto: Crypto,
  info: NetworkInfo,
  stored: Omit<StoredAccount, 'revoked'> & { revoked?: StoredAccount['revoked'] }
): Promise<KnownAccount> {
  const checked = await checkProof(
    crypto,
    info.id,
    info.genesis.metadataLabel,
    stored.accountId,
    decodeProof(stored.proof)
  )
  const revoked = joinRevoked(stored.revoked ?? [], checked.account, stored.checkedAt)
  return { ...stored, revoked, checked, view: viewOf(checked.account, revoked) }
}

/** A fresh entry for a proof just fetched. */
export function storedAccount(proof: AccountProof, encoded: Uint8Array, checkedAt: number): StoredAccount {
  return {
    accountId: proof.accountId,
    proof: encoded,
    checkedAt,
    trust: 'L1',
    contradicted: false,
    username: null,
    displayName: null,
    claimedName: null,
    nameConfirmed: false,
    revoked: []
  }
}

function joinRevoked(seen: StoredAccount['revoked'], account: AccountState, now: number): StoredAccount['revoked'] {
  const joined = [...seen]
  for (const { deviceId, revocation } of account.devices) {
    if (!revocation || joined.some(entry => equalBytes(entry.deviceId, deviceId))) continue
    joined.push({ deviceId, at: revocation.blockTime || now })
  }
  // The only way back is the one the rules give: the REVOKE itself was cancelled by a counter-revoke.
  return joined
    .filter(
      ({ deviceId }) => !account.devices.some(device => equalBytes(device.deviceId, deviceId) && isCountered(device))
    )
    .slice(-4 * MAX_DEVICES_PER_ACCOUNT)
}

const isCountered = (device: DeviceState): boolean => device.revocation === null && device.countered.length > 0

const rosterDevice = ({ deviceId, keys, messagingKeyHash }: DeviceState): RosterDevice => ({
  deviceId,
  signingKey: keys.signingKey,
  messagingKeyHash
})

/** Live devices, without those once seen revoked. */
export function devicesToSealTo(account: KnownAccount): RosterDevice[] {
  return liveDevices(account.checked.account)
    .filter(({ deviceId }) => !account.revoked.some(entry => equalBytes(entry.deviceId, deviceId)))
    .map(rosterDevice)
}

/** The account as a member of a roster that is opened now. */
export function rosterMemberOf(account: KnownAccount): RosterMember {
  return { accountId: account.accountId, head: account.checked.account.head, devices: devicesToSealTo(account) }
}

function viewOf(account: AccountState, revoked: StoredAccount['revoked']): AccountView {
  const history = historyOf(account)
  const placeOf = new Map(history.map(({ recordId }, index) => [toHex(recordId), index]))
  const markPlace = (recordId: RecordId): number => placeOf.get(toHex(recordId)) ?? Infinity
  // A ROTATE or a cancelled REVOKE leaves no trace of what was before it; then only the head can be told.
  const isTraceable = account.devices.every(
    device => equalBytes(device.messagingKeyHash, device.keys.messagingKeyHash) && device.countered.length === 0
  )
  return {
    head: account.head,
    devicesAt(head) {
      const place = placeOf.get(toHex(head))
      if (place === undefined) return undefined
      if (place === history.length - 1) return liveDevices(account).map(rosterDevice)
      if (!isTraceable) return undefined
      return account.devices
        .filter(device => markPlace(device.added.recordId) <= place)
        .filter(({ revocation }) => revocation === null || markPlace(revocation.recordId) > place)
        .map(rosterDevice)
    },
    revokedAt: deviceId => revoked.find(entry => equalBytes(entry.deviceId, deviceId))?.at
  }
}

/** Kinds of records that change what messages are sealed to. */
const DEVICE_RECORDS = new Set(['create', 'add', 'revoke', 'rotate', 'recover'])

/** How far the public record confirms the devices of an account. */
export function recordDetails(account: KnownAccount, info: NetworkInfo): RecordDetails {
  const { checked } = account
  const history = historyOf(checked.account).filter(({ kind }) => DEVICE_RECORDS.has(kind))
  const recorded = history.findLast(({ order }) => order !== null)
  const place = checked.places.find(({ recordId }) => recorded && equalBytes(recordId, recorded.recordId))
  const confirmations = recorded ? checked.tip.height - recorded.order!.blockHeight + 1 : 0
  return {
    state: recordState(account, confirmations),
    confirmations,
    transactionId: place?.transactionId ? toHex(place.transactionId) : null,
    blockHeight: recorded?.order?.blockHeight ?? null,
    recordedAt: recorded?.blockTime ?? null,
    network: info.label,
    trust: account.trust,
    checkedAt: account.checkedAt
  }
}

function recordState(account: KnownAccount, confirmations: number): RecordDetails['state'] {
  if (account.contradicted) return 'mismatch'
  if (devicesToSealTo(account).length === 0) return 'removed'
  if (confirmations === 0) return 'pending'
  if (confirmations >= FINAL_CONFIRMATIONS) return 'final'
  return confirmations >= SETTLED_CONFIRMATIONS ? 'settled' : 'recorded'
}

/** Why nothing may be sent to an account, in plain words; null if all is well. */
export function holdReason(account: KnownAccount, name: string): string | null {
  if (account.contradicted)
    return `Two operators of the network disagree about ${name}’s keys. Sending is held until they agree.`
  if (devicesToSealTo(account).length === 0) return `${name} has no device any more.`
  return null
}

/** Whether `deviceId` is a live device of the account. */
export function hasLiveDevice(account: KnownAccount, deviceId: DeviceId): boolean {
  return devicesToSealTo(account).some(device => equalBytes(device.deviceId, deviceId))
}

/** @throws ProtocolError `MALFORMED` unless it is 64 digits of hex. */
export function accountIdFromHex(hex: string): AccountId {
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new ProtocolError('MALFORMED', 'an account id has 64 hex digits')
  return Uint8Array.from(hex.match(/../g)!, pair => Number.parseInt(pair, 16)) as AccountId
}

/** What this device knows of one account: its last checked proof, and what was seen before it. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import {
  bool,
  bytesBetween,
  decode,
  encode,
  list,
  nullable,
  struct,
  text,
  uint,
  type TypeOf
} from '../../protocol/codec.ts'
import type { AccountView } from '../../protocol/roster/roster-resolution.ts'
import type { RosterDevice, RosterMember } from '../../protocol/roster/roster.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import {
  deviceOf,
  historyOf,
  liveDevices,
  type AccountState,
  type DeviceState
} from '../../protocol/directory/account.ts'
import { rememberRevokes, withRevokeMemory, type RevokeMemory } from '../../protocol/directory/revoke-memory.ts'
import { checkProof, decodeProof, type AccountProof, type CheckedProof } from '../../protocol/directory/proofs/proof.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { HoldReason } from '../problems.ts'
import {
  accountIdCodec,
  deviceIdCodec,
  recordIdCodec,
  type AccountId,
  type DeviceId,
  type RecordId
} from '../../protocol/identity/device.ts'
import { displayNameCodec } from '../../protocol/identity/display-name.ts'
import { MAX_ACCOUNT_PROOF_BYTES, MAX_RECORDS_PER_ACCOUNT, MAX_RECOVERIES_PER_ACCOUNT } from '../../protocol/limits.ts'
import type { NetworkInfo } from '../network/network-info.ts'
import { agreementCodec } from './agreement.ts'

/** Bounded by the rules: what an account may ever revoke. */
const MAX_SEEN_REVOCATIONS = 2 * (MAX_RECORDS_PER_ACCOUNT + MAX_RECOVERIES_PER_ACCOUNT)
const MAX_REVOCATIONS_BYTES = 100 * MAX_SEEN_REVOCATIONS

const storedAccountCodec = struct({
  accountId: accountIdCodec,
  proof: bytesBetween(1, MAX_ACCOUNT_PROOF_BYTES),
  checkedAt: uint(),
  /** The last agreement of two operators on these records; null if they never agreed, or the records changed since. */
  agreement: agreementCodec,
  /** Two operators contradict each other about this account. */
  contradicted: bool,
  username: nullable(text(32)),
  displayName: nullable(displayNameCodec),
  /** What the person says the name is, until the record confirms it. */
  claimedName: nullable(text(32)),
  nameConfirmed: bool,
  /** Every REVOKE once seen, whose it was (null: the recovery key) and when: no other branch takes it back. */
  revoked: list(
    struct({ deviceId: deviceIdCodec, by: nullable(deviceIdCodec), recordId: recordIdCodec, at: uint() }),
    MAX_SEEN_REVOCATIONS
  )
})

/** The part of a known account that is stored. */
export type StoredAccount = TypeOf<typeof storedAccountCodec>

export const encodeStoredAccount = (account: StoredAccount): Uint8Array => encode(storedAccountCodec, account)
export const decodeStoredAccount = (bytes: Uint8Array): StoredAccount =>
  decode(storedAccountCodec, bytes, { maxBytes: MAX_ACCOUNT_PROOF_BYTES + MAX_REVOCATIONS_BYTES, maxDepth: 4 })

/** An account with its checked proof; immutable, replaced as a whole. */
export interface KnownAccount extends StoredAccount {
  checked: CheckedProof
  /** The account of the proof with every remembered revocation in force: what may be sealed to. */
  current: AccountState
  /** For `resolveRoster`. */
  view: AccountView
}

/** What is stored of an account of which perhaps no REVOKE was seen before. */
type Stored = Omit<StoredAccount, 'revoked'> & { revoked?: SeenRevocations }

/**
 * Checks a proof and joins it with what was known.
 * @throws ProtocolError as `checkProof`.
 */
export async function knowAccount(crypto: Crypto, info: NetworkInfo, stored: Stored): Promise<KnownAccount> {
  const checked = await checkAnswer(crypto, info, stored.accountId, stored.proof, stored.checkedAt)
  return joinAccount(stored, checked)
}

/**
 * Checks a proof. Pending records are judged at `now`, this device's time: the tip's time is one node's word, and with a time
 * of its choice a node could bring back the hours in which a revoked device may answer.
 *
 * @throws ProtocolError as `checkProof`.
 */
export function checkAnswer(
  crypto: Crypto,
  { id, genesis }: NetworkInfo,
  accountId: AccountId,
  proof: Uint8Array,
  now: number
): Promise<CheckedProof> {
  const decoded = decodeProof(proof)
  return checkProof(crypto, id, genesis.metadataLabel, accountId, decoded, now)
}

/** Joins a checked proof with what is stored beside it. Every REVOKE of both is in force. */
export function joinAccount(stored: Stored, checked: CheckedProof): KnownAccount {
  const revoked = joinRevoked(stored.revoked ?? [], checked.account, stored.checkedAt)
  return withRevoked(stored, checked, revoked)
}

/** The account with every REVOKE in force that was seen before, or that another view of the account shows `now`. */
export function unitedWith(
  known: KnownAccount,
  seen: SeenRevocations,
  views: readonly AccountState[],
  now: number
): KnownAccount {
  const before = uniteRevoked(known.revoked, seen)
  const revoked = views.reduce((united, view) => joinRevoked(united, view, now), before)
  return revoked.length === known.revoked.length ? known : withRevoked(known, known.checked, revoked)
}

function withRevoked(
  stored: Omit<StoredAccount, 'revoked'>,
  checked: CheckedProof,
  revoked: SeenRevocations
): KnownAccount {
  const current = withRevokeMemory(checked.account, memoryOf(stored.accountId, revoked))
  return { ...stored, revoked, checked, current, view: viewOf(checked.account, current, revoked) }
}

/** A fresh entry for a proof just fetched. */
export function storedAccount(proof: AccountProof, encoded: Uint8Array, checkedAt: number): StoredAccount {
  return {
    accountId: proof.accountId,
    proof: encoded,
    checkedAt,
    agreement: null,
    contradicted: false,
    username: null,
    displayName: null,
    claimedName: null,
    nameConfirmed: false,
    revoked: []
  }
}

type SeenRevocations = StoredAccount['revoked']

const memoryOf = (accountId: AccountId, revoked: SeenRevocations): RevokeMemory => ({
  accountId,
  seen: revoked.map(({ deviceId, by, recordId }) => ({ device: deviceId, by, recordId }))
})

/** Both lists, each REVOKE once: revocations only unite. */
function uniteRevoked(seen: SeenRevocations, others: SeenRevocations): SeenRevocations {
  const isIn = (entry: SeenRevocations[number]): boolean =>
    seen.some(({ deviceId, by }) => equalBytes(deviceId, entry.deviceId) && isSameSigner(by, entry.by))
  return [...seen, ...others.filter(entry => !isIn(entry))].slice(-MAX_SEEN_REVOCATIONS)
}

const isSameSigner = (a: DeviceId | null, b: DeviceId | null): boolean =>
  a === null || b === null ? a === b : equalBytes(a, b)

/**
 * What was seen before and what this proof shows, each with the time from which it counts: when this device saw it first. A
 * block's time is a node's word, and an early one would refuse messages that were sealed long before.
 */
function joinRevoked(seen: SeenRevocations, account: AccountState, now: number): SeenRevocations {
  const fresh = rememberRevokes(memoryOf(account.accountId, seen), account).seen.slice(seen.length)
  const joined = fresh.map(({ device, by, recordId }) => ({
    deviceId: device,
    by,
    recordId: recordId as RecordId,
    at: now
  }))
  return [...seen, ...joined].slice(-MAX_SEEN_REVOCATIONS)
}

/** When the revocation in force of a device took effect, milliseconds; undefined while it lives. */
function revokedAt(current: AccountState, revoked: SeenRevocations, deviceId: DeviceId): number | undefined {
  const revocation = deviceOf(current, deviceId)?.revocation
  if (!revocation) return undefined
  const seen = revoked.find(entry => equalBytes(entry.deviceId, deviceId) && isSameSigner(entry.by, revocation.by))
  return seen?.at ?? revocation.blockTime
}

/**
 * From when on nothing counts that a device sent. The time of its block stands where this device learned of the removal
 * later: otherwise a thief could write to everybody who was off in between.
 */
function removedSince(
  account: AccountState,
  current: AccountState,
  revoked: SeenRevocations,
  deviceId: DeviceId
): number | undefined {
  const seenAt = revokedAt(current, revoked, deviceId)
  // Of the record itself: a remembered REVOKE has no block of its own.
  const recordedAt = deviceOf(account, deviceId)?.revocation?.blockTime
  return seenAt === undefined ? undefined : Math.min(seenAt, recordedAt ?? seenAt)
}

const rosterDevice = ({ deviceId, keys, messagingKeyHash }: DeviceState): RosterDevice => ({
  deviceId,
  signingKey: keys.signingKey,
  messagingKeyHash
})

/** Live devices, without those once seen revoked. */
export function devicesToSealTo(account: KnownAccount): RosterDevice[] {
  return liveDevices(account.current).map(rosterDevice)
}

/** The account as a member of a roster that is opened now. */
export function rosterMemberOf(account: KnownAccount): RosterMember {
  return { accountId: account.accountId, head: account.checked.account.head, devices: devicesToSealTo(account) }
}

function viewOf(account: AccountState, current: AccountState, revoked: SeenRevocations): AccountView {
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
    revokedAt: deviceId => revokedAt(current, revoked, deviceId),
    removedSince: deviceId => removedSince(account, current, revoked, deviceId)
  }
}

/** Why nothing may be sent to an account; null if all is well. */
export function holdReason(account: KnownAccount): HoldReason | null {
  if (account.contradicted) return 'contradicted'
  return devicesToSealTo(account).length === 0 ? 'no-devices' : null
}

/**
 * Whether an account was checked less than `maxAgeMs` before `now`. Both are by the user's clock, because the time is stored
 * with the account and the monotonic clock may stop while the machine sleeps. A time in the future was noted before the clock
 * was put back: how long ago that is, is not known, so it does not count as fresh.
 */
export function isFresh({ checkedAt }: Pick<StoredAccount, 'checkedAt'>, now: number, maxAgeMs: number): boolean {
  return checkedAt <= now && now - checkedAt < maxAgeMs
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

/**
 * The rules by which an account accepts a record. Each rule looks at that account's records alone, gives the next
 * account state, and lists the signatures without which it must not be taken. Order of the checks is part of the
 * format, because it decides the reject code. Longer than most files: the rules are one table.
 */
import { equalBytes } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { deviceIdOf, type AccountId, type DeviceId, type DevicePublicKeys } from '../identity/device.ts'
import { nameCommitment } from '../identity/name-commitment.ts'
import type { DirectoryRecord, RecordOf } from '../identity/record.ts'
import {
  COUNTER_REVOKE_MS,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_NAMES_PER_ACCOUNT,
  MAX_OPEN_COMMITMENTS,
  MAX_RECORDS_PER_ACCOUNT,
  MAX_RECOVERIES_PER_ACCOUNT,
  NAME_REVEAL_MAX_BLOCKS,
  NAME_REVEAL_MIN_BLOCKS
} from '../limits.ts'
import type { NetworkId } from '../network.ts'
import {
  deviceOf,
  isLive,
  liveDevices,
  type AccountState,
  type AnnouncedNode,
  type DeviceState,
  type NameCommitment,
  type RecordMark
} from './account.ts'
import type { OrderKey } from './order.ts'
import type { ParsedEntry, ParsedRecord, SignatureCheck } from './parsed-record.ts'
import type { Effect, RejectCode } from './verdict.ts'

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

type AccountRecord = Exclude<DirectoryRecord, { kind: 'release' }>
type LinkedRecord = Exclude<AccountRecord, { kind: 'create' }>
/** Kinds signed by a live device in a plain line of records. */
type OrdinaryRecord = Exclude<LinkedRecord, { kind: 'revoke' | 'recover' }>

/** One record on its way into an account. */
interface Step<R extends AccountRecord> {
  readonly context: FoldContext
  readonly account: AccountState
  readonly record: R
  readonly mark: RecordMark
}

/** {@link Step} with the live device that signs. */
interface SignedStep<R extends AccountRecord> extends Step<R> {
  readonly signer: DeviceState
}

type Changes = Partial<Pick<AccountState, 'devices' | 'recoveryKey' | 'commitments' | 'names' | 'nodes'>>

/**
 * Decides what a record would do, without looking at its signatures.
 *
 * @param record - any record but RELEASE, which belongs to no account.
 */
export function planRecord(
  context: FoldContext,
  lookup: RecordLookup,
  { parsed, order, blockTime }: ParsedEntry,
  record: AccountRecord
): Plan {
  const mark: RecordMark = { recordId: parsed.id, order, blockTime }
  if (lookup.has(parsed.id)) return reject('DUPLICATE', lookup.accountOf(parsed.id))
  if (record.kind === 'create') return planCreate(context, record, mark)
  const account = lookup.accountOf(record.prev)
  if (!account) return reject('UNKNOWN_PREV')
  const step = { context, account, mark }
  // A thief with a live device could outrun or exhaust everything else, so these two wait for nothing.
  if (record.kind === 'revoke') return planRevoke({ ...step, record })
  if (record.kind === 'recover') return planRecover({ ...step, record })
  if (!equalBytes(record.prev, account.head)) return reject('STALE', account)
  if (account.limitedCount >= MAX_RECORDS_PER_ACCOUNT) return reject('RECORD_LIMIT', account)
  const signer = deviceOf(account, record.by)
  if (!signer) return reject('UNKNOWN_SIGNER', account)
  if (!isLive(signer)) return reject('SIGNER_REVOKED', account)
  return planOrdinary({ ...step, record, signer })
}

/** Whether every signature of a plan holds; verifies what was not verified before. */
export async function verifyPlan(context: FoldContext, parsed: ParsedRecord, plan: AcceptPlan): Promise<boolean> {
  for (const check of plan.checks) {
    if (!(await parsed.verify(context.crypto, context.network, check))) return false
  }
  return true
}

function reject(code: RejectCode, account?: AccountState): RejectPlan {
  return { kind: 'reject', code, accountId: account?.accountId ?? null }
}

function accept<R extends LinkedRecord>(
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

/** Shared by all that have none of something: a million accounts mostly have nothing. */
const NONE: readonly never[] = []

function newDevice(
  { crypto, network }: FoldContext,
  keys: DevicePublicKeys,
  seniority: number,
  added: RecordMark,
  addedBy: DeviceId | null
): DeviceState {
  const deviceId = deviceIdOf(crypto, network, keys)
  const { messagingKeyHash } = keys
  return { deviceId, keys, messagingKeyHash, seniority, added, addedBy, revocation: null, countered: NONE }
}

function planCreate(context: FoldContext, record: RecordOf<'create'>, mark: RecordMark): Plan {
  const device = newDevice(context, record.device, 0, mark, null)
  const account: AccountState = {
    accountId: mark.recordId as Uint8Array as AccountId,
    head: mark.recordId,
    history: { ...mark, kind: 'create', previous: null },
    devices: [device],
    recoveryKey: record.recoveryKey,
    recordCount: 1,
    limitedCount: 1,
    recoveryCount: 0,
    commitments: NONE,
    names: NONE,
    nodes: NONE
  }
  const checks = [{ index: 0, publicKey: record.device.signingKey }]
  return {
    kind: 'accept',
    account,
    checks,
    effects: [{ kind: 'accountCreated' }, { kind: 'deviceAdded', deviceId: device.deviceId }]
  }
}

function planOrdinary(step: SignedStep<OrdinaryRecord>): Plan {
  const { record } = step
  switch (record.kind) {
    case 'add':
      return planAdd({ ...step, record })
    case 'rotate':
      return planRotate({ ...step, record })
    case 'nameCommit':
      return planNameCommit({ ...step, record })
    case 'nameReveal':
      return planNameReveal({ ...step, record })
    case 'nameRelease':
      return planNameRelease({ ...step, record })
    case 'node':
      return planNode({ ...step, record })
    case 'vouch':
      return accept({ ...step, record }, {}, [signedBy(step)])
  }
}

/** The signature of device `by`, the only one of most kinds. */
function signedBy({ signer }: SignedStep<AccountRecord>, index = 0): SignatureCheck {
  return { index, publicKey: signer.keys.signingKey }
}

/** A device comes once: not under the signing key of one that was revoked, which may be in a thief's hands. */
function isKnownDevice(account: AccountState, device: DeviceState): boolean {
  return account.devices.some(
    known => equalBytes(known.deviceId, device.deviceId) || equalBytes(known.keys.signingKey, device.keys.signingKey)
  )
}

function planAdd(step: SignedStep<RecordOf<'add'>>): Plan {
  const { context, account, record, mark, signer } = step
  if (liveDevices(account).length >= MAX_DEVICES_PER_ACCOUNT) return reject('DEVICE_LIMIT', account)
  const device = newDevice(context, record.device, account.devices.length, mark, signer.deviceId)
  if (isKnownDevice(account, device)) return reject('DEVICE_KNOWN', account)
  const checks = [{ index: 0, publicKey: record.device.signingKey }, signedBy(step, 1)]
  return accept(step, { devices: [...account.devices, device] }, checks, [
    { kind: 'deviceAdded', deviceId: device.deviceId }
  ])
}

function replaceDevice(devices: readonly DeviceState[], ...changed: DeviceState[]): DeviceState[] {
  return devices.map(device => changed.find(other => other.seniority === device.seniority) ?? device)
}

function planRevoke(step: Step<RecordOf<'revoke'>>): Plan {
  const { account, record, mark } = step
  const signer = deviceOf(account, record.by)
  if (!signer) return reject('UNKNOWN_SIGNER', account)
  const target = deviceOf(account, record.device)
  if (!target) return reject('UNKNOWN_TARGET', account)
  if (!isLive(signer)) return planCounterRevoke(step, signer, target)
  const { reason } = record
  // An older device keeps the right to answer a younger one: one stolen young device must not evict everyone.
  const counterUntil = target.seniority < signer.seniority ? mark.blockTime + COUNTER_REVOKE_MS : null
  const right = target.revocation?.counterUntil ?? null
  // A second REVOKE counts only if it ends that right: signed by a device that is not younger than the target.
  const endsRight = right !== null && mark.blockTime <= right && counterUntil === null
  if (!isLive(target) && !endsRight) return reject('TARGET_REVOKED', account)
  const revoked = { ...target, revocation: { ...mark, by: signer.deviceId, reason, counterUntil } }
  return accept(
    step,
    { devices: replaceDevice(account.devices, revoked) },
    [{ index: 0, publicKey: signer.keys.signingKey }],
    [{ kind: 'deviceRevoked', deviceId: target.deviceId, by: signer.deviceId }]
  )
}

/** A revoked device revokes the younger one that revoked it, even if that one is revoked by now, and returns. */
function planCounterRevoke(step: Step<RecordOf<'revoke'>>, signer: DeviceState, target: DeviceState): Plan {
  const { account, record, mark } = step
  const { by, counterUntil } = signer.revocation!
  if (by === null || counterUntil === null || !equalBytes(by, target.deviceId)) return reject('SIGNER_REVOKED', account)
  if (mark.blockTime > counterUntil) return reject('COUNTER_EXPIRED', account)
  const { reason } = record
  const returned = { ...signer, revocation: null, countered: [...signer.countered, target.deviceId] }
  const revoked = { ...target, revocation: { ...mark, by: signer.deviceId, reason, counterUntil: null } }
  return accept(
    step,
    { devices: replaceDevice(account.devices, returned, revoked) },
    [{ index: 0, publicKey: signer.keys.signingKey }],
    [
      { kind: 'deviceRevoked', deviceId: target.deviceId, by: signer.deviceId },
      { kind: 'deviceRestored', deviceId: signer.deviceId }
    ]
  )
}

function planRecover(step: Step<RecordOf<'recover'>>): Plan {
  const { context, account, record, mark } = step
  if (account.recoveryKey === null) return reject('NO_RECOVERY_KEY', account)
  // Single use: a RECOVER that was signed and withheld dies with its key.
  if (record.recoveryKey !== null && equalBytes(record.recoveryKey, account.recoveryKey)) {
    return reject('RECOVERY_KEY_REUSED', account)
  }
  if (account.recoveryCount >= MAX_RECOVERIES_PER_ACCOUNT) return reject('RECOVERY_LIMIT', account)
  const device = newDevice(context, record.device, account.devices.length, mark, null)
  if (isKnownDevice(account, device)) return reject('DEVICE_KNOWN', account)
  const ended = account.devices.map((known): DeviceState => ({
    ...known,
    revocation: known.revocation
      ? { ...known.revocation, counterUntil: null }
      : { ...mark, by: null, reason: 'recovered', counterUntil: null }
  }))
  const effects = liveDevices(account).map(({ deviceId }): Effect => ({ kind: 'deviceRevoked', deviceId, by: null }))
  effects.push({ kind: 'deviceAdded', deviceId: device.deviceId })
  const checks = [
    { index: 0, publicKey: record.device.signingKey },
    { index: 1, publicKey: account.recoveryKey }
  ]
  return accept(step, { devices: [...ended, device], recoveryKey: record.recoveryKey }, checks, effects)
}

function planRotate(step: SignedStep<RecordOf<'rotate'>>): Plan {
  const { account, record, signer } = step
  const rotated = { ...signer, messagingKeyHash: record.messagingKeyHash }
  return accept(
    step,
    { devices: replaceDevice(account.devices, rotated) },
    [signedBy(step)],
    [{ kind: 'keyRotated', deviceId: signer.deviceId }]
  )
}

/** Blocks from one record to another; 0 when either is pending. */
function blocksBetween(from: OrderKey | null, to: OrderKey | null): number {
  return from && to ? to.blockHeight - from.blockHeight : 0
}

function planNameCommit(step: SignedStep<RecordOf<'nameCommit'>>): Plan {
  const { account, record, mark } = step
  const { commitment } = record
  const open = account.commitments.filter(({ order }) => blocksBetween(order, mark.order) <= NAME_REVEAL_MAX_BLOCKS)
  if (open.some(other => equalBytes(other.commitment, commitment))) return reject('COMMIT_KNOWN', account)
  if (open.length >= MAX_OPEN_COMMITMENTS) return reject('COMMIT_LIMIT', account)
  return accept(step, { commitments: [...open, { ...mark, commitment }] }, [signedBy(step)])
}

function planNameReveal(step: SignedStep<RecordOf<'nameReveal'>>): Plan {
  const { context, account, record, mark } = step
  const { nameTag, salt } = record
  const commitment = nameCommitment(context.crypto, context.network, nameTag, account.accountId, salt)
  const commit = account.commitments.find(other => equalBytes(other.commitment, commitment))
  if (!commit) return reject('COMMIT_UNKNOWN', account)
  const timing = judgeReveal(commit, mark)
  if (timing) return reject(timing, account)
  const others = account.names.filter(name => !equalBytes(name.nameTag, nameTag))
  if (others.length >= MAX_NAMES_PER_ACCOUNT) return reject('NAME_LIMIT', account)
  const changes = {
    commitments: account.commitments.filter(other => other !== commit),
    names: [...others, { ...mark, nameTag, commitOrder: commit.order }]
  }
  return accept(step, changes, [signedBy(step)])
}

/** A pending reveal is judged when it lands; one on chain needs its commitment on chain before it. */
function judgeReveal(commit: NameCommitment, mark: RecordMark): RejectCode | null {
  if (mark.order === null) return null
  const blocks = blocksBetween(commit.order, mark.order)
  if (blocks < NAME_REVEAL_MIN_BLOCKS) return 'REVEAL_TOO_EARLY'
  return blocks > NAME_REVEAL_MAX_BLOCKS ? 'REVEAL_TOO_LATE' : null
}

function planNameRelease(step: SignedStep<RecordOf<'nameRelease'>>): Plan {
  const { account, record } = step
  const names = account.names.filter(name => !equalBytes(name.nameTag, record.nameTag))
  if (names.length === account.names.length) return reject('NAME_UNCLAIMED', account)
  return accept(step, { names }, [signedBy(step)])
}

const isPrintable = (byte: number): boolean => byte > 0x20 && byte < 0x7f

/** Joins the pieces of an address; `null` unless all is printable ASCII without spaces. */
function addressOf(pieces: Uint8Array[]): string | null {
  let address = ''
  for (const piece of pieces) {
    if (!piece.every(isPrintable)) return null
    address += String.fromCharCode(...piece)
  }
  return address
}

/** No addresses withdraw the node. */
function planNode(step: SignedStep<RecordOf<'node'>>): Plan {
  const { account, record, mark } = step
  const { nodeKey } = record
  const addresses = record.addresses.map(addressOf)
  if (addresses.includes(null)) return reject('BAD_ADDRESS', account)
  const nodes: AnnouncedNode[] = account.nodes.filter(node => !equalBytes(node.nodeKey, nodeKey))
  if (addresses.length > 0) nodes.push({ ...mark, nodeKey, addresses: addresses as string[] })
  return accept(step, { nodes }, [{ index: 0, publicKey: nodeKey }, signedBy(step, 1)])
}

/** Rules of the records that change the devices of an account: CREATE, ADD, REVOKE, RECOVER and ROTATE. */
import { equalBytes } from '../../bytes.ts'
import { deviceIdOf, type AccountId, type DeviceId, type DevicePublicKeys } from '../../identity/device.ts'
import type { RecordOf } from '../../identity/record.ts'
import { COUNTER_REVOKE_MS, MAX_DEVICES_PER_ACCOUNT, MAX_RECOVERIES_PER_ACCOUNT } from '../../limits.ts'
import { deviceOf, isLive, liveDevices, type AccountState, type DeviceState, type RecordMark } from '../account.ts'
import type { Effect } from '../verdict.ts'
import { accept, NONE, reject, signedBy, type FoldContext, type Plan, type SignedStep, type Step } from './plan.ts'

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

/** CREATE makes an account with its first device. */
export function planCreate(context: FoldContext, record: RecordOf<'create'>, mark: RecordMark): Plan {
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

/** A device comes once: not under the signing key of one that was revoked, which may be in a thief's hands. */
function isKnownDevice(account: AccountState, device: DeviceState): boolean {
  return account.devices.some(
    known => equalBytes(known.deviceId, device.deviceId) || equalBytes(known.keys.signingKey, device.keys.signingKey)
  )
}

/** ADD brings a device; both devices sign. */
export function planAdd(step: SignedStep<RecordOf<'add'>>): Plan {
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

/** REVOKE removes a device; a live device signs, or one that answers its own revocation. */
export function planRevoke(step: Step<RecordOf<'revoke'>>): Plan {
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

/** RECOVER revokes all devices and brings a new one; the recovery key signs. */
export function planRecover(step: Step<RecordOf<'recover'>>): Plan {
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

/** ROTATE replaces the messaging key of the device that signs. */
export function planRotate(step: SignedStep<RecordOf<'rotate'>>): Plan {
  const { account, record, signer } = step
  const rotated = { ...signer, messagingKeyHash: record.messagingKeyHash }
  return accept(
    step,
    { devices: replaceDevice(account.devices, rotated) },
    [signedBy(step)],
    [{ kind: 'keyRotated', deviceId: signer.deviceId }]
  )
}

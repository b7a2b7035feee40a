/** Rules of the records that change the devices of an account: CREATE, ADD, REVOKE and ROTATE. */
import { equalBytes } from '../../bytes.ts'
import type { AccountId } from '../../identity/device.ts'
import type { RecordOf } from '../../identity/record.ts'
import { COUNTER_REVOKE_MS, MAX_DEVICES_PER_ACCOUNT } from '../../limits.ts'
import { deviceOf, isLive, liveDevices, type AccountState, type DeviceState, type RecordMark } from '../account.ts'
import { isKnownDevice, newDevice } from './new-device.ts'
import { recoveryWithout } from './recovery-rules.ts'
import { accept, NONE, reject, signedBy, type FoldContext, type Plan, type SignedStep, type Step } from './plan.ts'

/** CREATE makes an account with its first device. */
export function planCreate(context: FoldContext, record: RecordOf<'create'>, mark: RecordMark): Plan {
  const device = newDevice(context, record.device, 0, mark, null)
  const account: AccountState = {
    accountId: mark.recordId as Uint8Array as AccountId,
    head: mark.recordId,
    history: { ...mark, kind: 'create', previous: null },
    devices: [device],
    recoveryKey: record.recoveryKey,
    waitingRecovery: null,
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
    { devices: replaceDevice(account.devices, revoked), ...recoveryWithout(step, target) },
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
    { devices: replaceDevice(account.devices, returned, revoked), ...recoveryWithout(step, target) },
    [{ index: 0, publicKey: signer.keys.signingKey }],
    [
      { kind: 'deviceRevoked', deviceId: target.deviceId, by: signer.deviceId },
      { kind: 'deviceRestored', deviceId: signer.deviceId }
    ]
  )
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

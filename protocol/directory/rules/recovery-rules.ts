/**
 * Rules of the recovery key: SETRECOVERY and RECOVER. Why they are so: docs/decisions/0013-recovery-key.md.
 */
import { equalBytes } from '../../bytes.ts'
import type { RecordOf } from '../../identity/record.ts'
import { MAX_RECOVERIES_PER_ACCOUNT, RECOVERY_DELAY_MS } from '../../limits.ts'
import { deviceOf, liveDevices, recoveryAt, type AccountState, type DeviceState } from '../account.ts'
import type { Effect } from '../verdict.ts'
import { isKnownDevice, newDevice } from './new-device.ts'
import { accept, reject, signedBy, type AccountRecord, type Plan, type SignedStep, type Step } from './plan.ts'

/**
 * SETRECOVERY sets the recovery key. It counts at once if the account has none and its oldest live device signs. Otherwise
 * it waits for `RECOVERY_DELAY_MS` of block time, in which the key so far counts, and every older device can replace the
 * waiting key, take it back, or revoke the device that set it.
 */
export function planSetRecovery(step: SignedStep<RecordOf<'setRecovery'>>): Plan {
  const { account, record, mark, signer } = step
  const { recoveryKey, waitingRecovery } = recoveryAt(account, mark.blockTime)
  const setter = waitingRecovery && deviceOf(account, waitingRecovery.by)
  if (setter && setter.seniority < signer.seniority) return reject('RECOVERY_WAITING', account)
  const checks = [signedBy(step)]
  if (record.recoveryKey === null) {
    // A key that counts is not taken away: it is what is left against a thief of the oldest device.
    if (!waitingRecovery) return reject('NO_RECOVERY_KEY', account)
    return accept(step, { recoveryKey, waitingRecovery: null }, checks)
  }
  if (recoveryKey && equalBytes(record.recoveryKey, recoveryKey)) return reject('RECOVERY_KEY_REUSED', account)
  const isOldest = liveDevices(account)[0]!.seniority === signer.seniority
  if (recoveryKey === null && isOldest) {
    return accept(step, { recoveryKey: record.recoveryKey, waitingRecovery: null }, checks)
  }
  const from = mark.blockTime + RECOVERY_DELAY_MS
  const waiting = { ...mark, key: record.recoveryKey, by: signer.deviceId, from }
  return accept(step, { recoveryKey, waitingRecovery: waiting }, checks)
}

/** The recovery keys after a device was revoked: what it has set, and what does not count yet, goes with it. */
export function recoveryWithout(
  { account, mark }: Step<AccountRecord>,
  { deviceId }: DeviceState
): Pick<AccountState, 'recoveryKey' | 'waitingRecovery'> {
  const { recoveryKey, waitingRecovery } = recoveryAt(account, mark.blockTime)
  const isOfRevoked = waitingRecovery !== null && equalBytes(waitingRecovery.by, deviceId)
  return { recoveryKey, waitingRecovery: isOfRevoked ? null : waitingRecovery }
}

/** RECOVER revokes all devices and brings a new one; the recovery key signs. */
export function planRecover(step: Step<RecordOf<'recover'>>): Plan {
  const { context, account, record, mark } = step
  const { recoveryKey } = recoveryAt(account, mark.blockTime)
  if (recoveryKey === null) return reject('NO_RECOVERY_KEY', account)
  // Single use: a RECOVER that was signed and withheld dies with its key.
  if (record.recoveryKey !== null && equalBytes(record.recoveryKey, recoveryKey)) {
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
    { index: 1, publicKey: recoveryKey }
  ]
  const changes = { devices: [...ended, device], recoveryKey: record.recoveryKey, waitingRecovery: null }
  return accept(step, changes, checks, effects)
}

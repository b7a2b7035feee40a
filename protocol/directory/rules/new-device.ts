/** A device on its way into an account. */
import { equalBytes } from '../../bytes.ts'
import { deviceIdOf, type DeviceId, type DevicePublicKeys } from '../../identity/device.ts'
import type { AccountState, DeviceState, RecordMark } from '../account.ts'
import { NONE, type FoldContext } from './plan.ts'

/** A device as a record brings it. */
export function newDevice(
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

/** A device comes once: not under the signing key of one that was revoked, which may be in a thief's hands. */
export function isKnownDevice(account: AccountState, device: DeviceState): boolean {
  return account.devices.some(
    known => equalBytes(known.deviceId, device.deviceId) || equalBytes(known.keys.signingKey, device.keys.signingKey)
  )
}

/**
 * What a client remembers about revoked devices. The fold follows the chain, and a rollback may take a REVOKE out of it
 * for a while; a client that has seen a valid one never seals to that device again, on any branch.
 */
import { equalBytes } from '../bytes.ts'
import { decode, encode, list, nullable, struct } from '../codec.ts'
import { accountIdCodec, deviceIdCodec, recordIdCodec, type AccountId, type DeviceId } from '../identity/device.ts'
import { MAX_RECORDS_PER_ACCOUNT, MAX_RECOVERIES_PER_ACCOUNT } from '../limits.ts'
import { deviceOf, type AccountState, type DeviceState, type Revocation } from './account.ts'

/** Devices that one account can ever have had. */
const MAX_DEVICES_EVER = MAX_RECORDS_PER_ACCOUNT + MAX_RECOVERIES_PER_ACCOUNT

/** A revocation that was seen as valid on some branch; `by` is `null` when the recovery key signed. */
const seenRevocationCodec = struct({ device: deviceIdCodec, by: nullable(deviceIdCodec), recordId: recordIdCodec })
const memoryCodec = struct({ accountId: accountIdCodec, seen: list(seenRevocationCodec, 2 * MAX_DEVICES_EVER) })

/** All revocations of one account that a client has seen. Immutable; keep its bytes with the account. */
export interface RevokeMemory {
  readonly accountId: AccountId
  readonly seen: readonly { readonly device: DeviceId; readonly by: DeviceId | null; readonly recordId: Uint8Array }[]
}

/** Bytes to be kept with the account. */
export function encodeRevokeMemory(memory: RevokeMemory): Uint8Array {
  return encode(memoryCodec, memory as Parameters<typeof memoryCodec.toCbor>[0])
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeRevokeMemory(bytes: Uint8Array): RevokeMemory {
  return decode(memoryCodec, bytes, { maxBytes: 256 * 1024, maxDepth: 4 })
}

/** Adds the revocations of an account as it was just folded, from any branch, pending ones included. */
export function rememberRevokes(memory: RevokeMemory | undefined, account: AccountState): RevokeMemory {
  const known = memory?.seen ?? []
  const fresh = account.devices.flatMap(({ deviceId, revocation }) => {
    if (!revocation) return []
    const { by, recordId } = revocation
    const isKnown = known.some(seen => isSame(seen.device, deviceId) && isSame(seen.by, by))
    return isKnown ? [] : [{ device: deviceId, by, recordId }]
  })
  return fresh.length === 0 && memory ? memory : { accountId: account.accountId, seen: [...known, ...fresh] }
}

/**
 * The account with every remembered revocation in force. Only one thing lifts a revocation by a younger device: that
 * device having been revoked, in the chain as it is now, by the one that it had revoked (see DESIGN: counter-revoke).
 */
export function withRevokeMemory(account: AccountState, memory: RevokeMemory | undefined): AccountState {
  const bound = (memory?.seen ?? []).filter(({ device, by }) => {
    const state = deviceOf(account, device)
    return state?.revocation === null && !isLifted(account, state, by)
  })
  if (bound.length === 0) return account
  const devices = account.devices.map((device): DeviceState => {
    const seen = bound.find(other => isSame(other.device, device.deviceId))
    if (!seen) return device
    const revocation: Revocation = {
      recordId: seen.recordId as Revocation['recordId'],
      order: null,
      blockTime: device.added.blockTime,
      by: seen.by,
      reason: seen.by === null ? 'recovered' : 'unspecified',
      counterUntil: null
    }
    return { ...device, revocation }
  })
  return { ...account, devices }
}

function isLifted(account: AccountState, device: DeviceState, by: DeviceId | null): boolean {
  if (by === null) return false
  if (device.countered.some(signer => equalBytes(signer, by))) return true
  const signer = deviceOf(account, by)
  return (
    signer !== undefined &&
    device.seniority < signer.seniority &&
    isSame(signer.revocation?.by ?? null, device.deviceId)
  )
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b)
}

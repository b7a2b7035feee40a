import { equalBytes } from '../bytes.ts'
import { rosterDevices, type Roster } from '../roster/roster.ts'
import type { DeviceId } from '../identity/device.ts'
import { selectSealTargets, type KeySources, type Unsealed } from './conversation-keys.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import type { Environment } from '../environment.ts'
import { noteReopened, type OpenDelivery } from './open-delivery.ts'
import { sealParts, type DevicePart } from './seal-parts.ts'

/**
 * Seals an Open again, as it was, for devices named by `devicesToReopen`. Those that have left the roster since get
 * nothing.
 */
export async function reopenSession(
  env: Environment,
  signingKey: SigningKey,
  delivery: OpenDelivery,
  roster: Roster,
  devices: DeviceId[],
  sources: KeySources
): Promise<{ delivery: OpenDelivery; parts: DevicePart[]; unsealed: Unsealed[] }> {
  const isIn = (ids: DeviceId[], id: DeviceId) => ids.some(other => equalBytes(other, id))
  const waiting = delivery.waiting.map(({ deviceId }) => deviceId)
  const listed = rosterDevices(roster).map(({ device }) => device)
  const wanted = listed.filter(({ deviceId }) => isIn(devices, deviceId) && isIn(waiting, deviceId))
  const selected = await selectSealTargets(env, wanted, sources)
  const { parts, unsealed } = await sealParts(env, signingKey, delivery, selected.targets)
  const attempted = wanted.map(({ deviceId }) => deviceId)
  const ids = listed.map(({ deviceId }) => deviceId)
  return {
    delivery: noteReopened(delivery, ids, attempted, parts, env.now()),
    parts,
    unsealed: [...selected.unsealed, ...unsealed]
  }
}

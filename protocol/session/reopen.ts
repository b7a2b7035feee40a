import { equalBytes } from '../bytes.ts'
import { rosterDevices, type Roster } from '../conversation/roster.ts'
import type { DeviceId } from '../identity/device.ts'
import { selectSealTargets, type KeySources } from './conversation-keys.ts'
import type { Environment } from './environment.ts'
import { noteReopened, type OpenDelivery } from './open-delivery.ts'
import { sealParts, type DevicePart } from './open.ts'

/**
 * Seals an Open again, as it was, for devices named by `devicesToReopen`. Those that have left the roster since get
 * nothing.
 *
 * @throws ProtocolError as `selectSealTargets`.
 */
export async function reopenSession(
  env: Environment,
  delivery: OpenDelivery,
  roster: Roster,
  devices: DeviceId[],
  sources: KeySources
): Promise<{ delivery: OpenDelivery; parts: DevicePart[] }> {
  const listed = rosterDevices(roster).map(({ device }) => device)
  const wanted = listed.filter(
    ({ deviceId }) =>
      [...devices].some(id => equalBytes(id, deviceId)) &&
      delivery.waiting.some(entry => equalBytes(entry.deviceId, deviceId))
  )
  const targets = await selectSealTargets(env, wanted, sources)
  const parts = await sealParts(env, delivery.openBody, delivery.commitment, delivery.secret, targets)
  const ids = listed.map(({ deviceId }) => deviceId)
  return { delivery: noteReopened(delivery, ids, targets, env.now()), parts }
}

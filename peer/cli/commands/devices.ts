/** `devices` and `revoke`. */
import { commandError } from '../errors.ts'
import { deviceJson, deviceLine } from '../output.ts'
import {
  EXIT,
  LOOK_UP_TIMEOUT_MS,
  orTimeout,
  requireLive,
  requireRegistered,
  SEND_TIMEOUT_MS,
  type Run
} from './runnable.ts'

export const devices: Run<'devices'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await peer.account.refresh(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  for (const device of await peer.devices.list()) await output.print(deviceJson(device), deviceLine(device))
  return EXIT.done
}

export const revoke: Run<'revoke'> = async (peer, command, output) => {
  await requireLive(peer)
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  const removed = await orTimeout(signal, 'remove-device', async () => {
    if (!(await peer.online(timeoutMs))) throw commandError('no-node-in-time', {})
    await peer.account.refresh(LOOK_UP_TIMEOUT_MS)
    const named = (await peer.devices.list()).filter(({ deviceId }) => deviceId.startsWith(command.device))
    const [device, ...more] = named
    if (!device) throw commandError('device-unknown', { device: command.device })
    if (more.length > 0) throw commandError('device-ambiguous', { device: command.device, matches: named.length })
    if (device.isThis && !command.yes && device.removed === null) {
      throw commandError('device-is-this', {})
    }
    return peer.devices.revoke(device.deviceId)
  })
  await output.print(deviceJson(removed), deviceLine(removed))
  return EXIT.done
}

/** `devices`, `devices rename`, `devices remove` (also `revoke`) and `history status`. */
import type { NodePeer } from '../../node-peer.ts'
import type { DeviceRecord, HistoryStatus } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { deviceJson, deviceLine } from '../output.ts'
import { historyComing } from './history-coming.ts'
import {
  EXIT,
  LOOK_UP_TIMEOUT_MS,
  SEND_TIMEOUT_MS,
  orTimeout,
  requireLive,
  requireRegistered,
  soonCaughtUp,
  type Run
} from './runnable.ts'

export const devices: Run<'devices'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await peer.account.refresh(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  // Other devices may have given names meanwhile.
  await soonCaughtUp(peer)
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
    const device = await deviceNamed(peer, command.device)
    if (device.isThis && !command.yes && device.removed === null) {
      throw commandError('device-is-this', {})
    }
    return peer.devices.revoke(device.deviceId)
  })
  await output.print(deviceJson(removed), deviceLine(removed))
  return EXIT.done
}

export const rename: Run<'rename'> = async (peer, command, output) => {
  await requireLive(peer)
  // Without a node it is told to the other devices later.
  await peer.online(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  const { deviceId } = await deviceNamed(peer, command.device)
  const renamed = await peer.devices.rename(deviceId, command.name)
  await output.print(deviceJson(renamed), deviceLine(renamed))
  return EXIT.done
}

export const historyStatus: Run<'historyStatus'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await peer.caughtUp(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  await historyComing(peer, output)
  const status = await peer.history.status()
  await output.print(status, historyWords(status))
  return EXIT.done
}

/** @param named - `this`, or the beginning of an id. */
async function deviceNamed(peer: NodePeer, named: string): Promise<DeviceRecord> {
  const all = await peer.devices.list()
  const found = all.filter(({ deviceId, isThis }) => (named === 'this' ? isThis : deviceId.startsWith(named)))
  const [device, ...more] = found
  if (!device) throw commandError('device-unknown', { device: named })
  if (more.length > 0) throw commandError('device-ambiguous', { device: named, matches: found.length })
  return device
}

function historyWords({ state, chats, chatsTotal, messages, shipping }: HistoryStatus): string {
  const own = {
    none: 'This device was not added by another one: it has no history to wait for.',
    waiting: 'Nothing has come yet; the device that added this one may be off.',
    receiving: `Chats ${chats} of ${chatsTotal}, ${messages} messages so far.`,
    done: `All ${chatsTotal} chats are here, ${messages} messages.`,
    stopped: `The device that sent the history was removed: chats ${chats} of ${chatsTotal}, ${messages} messages. The rest does not come.`
  }[state]
  const others = shipping.map(
    ({ deviceId, isDone, ...sent }) =>
      `To ${deviceId}: chats ${sent.chats} of ${sent.chatsTotal}${isDone ? ', done' : ''}.`
  )
  return [own, ...others].join('\n')
}

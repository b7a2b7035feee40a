import { fromHex } from '../../protocol/bytes.ts'
import { type DeviceId } from '../../protocol/identity/device.ts'
import { signFile } from '../../protocol/signing/file-signature.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { DeviceRecord, DevicesApi, Me } from '../peer-api.ts'
import type { PublicRecords } from '../people/public-record.ts'
import type { OwnDevices } from '../own-devices/own-devices.ts'
import type { DeviceRemoval } from './device-removal.ts'

export interface DeviceCallsComponents {
  context: Pick<EngineContext, 'device'>
  /** The own account as screens show it. */
  me: () => Pick<Me, 'deviceState' | 'username'>
  publicRecords: Pick<PublicRecords, 'ownDevices'>
  deviceRemoval: DeviceRemoval
  ownDevices: Pick<OwnDevices, 'nameOf' | 'rename' | 'presence'>
  /** Called when a screen has something else to show. */
  onChange: () => void
}

/** The calls about the devices of the own account. */
export class DeviceCalls implements DevicesApi {
  readonly #components: DeviceCallsComponents

  constructor(components: DeviceCallsComponents) {
    this.#components = components
  }

  async list(): Promise<DeviceRecord[]> {
    const { publicRecords, ownDevices } = this.#components
    const devices = await publicRecords.ownDevices()
    return devices.map(device => ({
      ...device,
      name: device.name ?? ownDevices.nameOf(device.deviceId),
      lastSeen: ownDevices.presence.lastSeen(device.deviceId)
    }))
  }

  async rename(deviceId: string, name: string): Promise<DeviceRecord> {
    if (!(await this.list()).some(device => device.deviceId === deviceId)) throw new PeerError('no-device')
    await this.#components.ownDevices.rename(deviceId, name)
    this.#components.onChange()
    return (await this.list()).find(device => device.deviceId === deviceId)!
  }

  async revoke(deviceId: string): Promise<DeviceRecord> {
    if (!/^[0-9a-f]{32}$/.test(deviceId)) throw new PeerError('malformed-call')
    await this.#components.deviceRemoval.remove(fromHex(deviceId) as DeviceId)
    this.#components.onChange()
    return (await this.list()).find(device => device.deviceId === deviceId)!
  }

  async signFile(sha512: string): Promise<string> {
    const { context, me } = this.#components
    if (!/^[0-9a-f]{128}$/.test(sha512)) throw new PeerError('malformed-call')
    // It would be a signature that says nothing.
    if (me().deviceState !== 'live') throw new PeerError('held', { reason: 'device-removed', username: me().username })
    return signFile(context.device().signingKey, fromHex(sha512))
  }
}

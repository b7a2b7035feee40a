import type { DeviceRecord, HistoryStatus, PeerApi } from '../../../peer/peer-api.ts'
import { isMoving, watchRecord } from '../state/record-watch.ts'

/** A device that gets the history of this one. */
export type ShippedTo = HistoryStatus['shipping'][number]

/** The devices of the own account on a screen: loaded, kept up to date, renamed and removed. */
export class OwnDeviceList {
  /** Oldest first, removed ones included; null until they are known. */
  devices = $state.raw<DeviceRecord[] | null>(null)
  shipping = $state.raw<ShippedTo[]>([])
  /** How much of its history this device has, if the rest does not come; else null. */
  stopped = $state.raw<HistoryStatus | null>(null)
  failed = $state(false)
  /** Device that is being removed right now. */
  removing = $state<string | null>(null)
  readonly #api: PeerApi
  readonly #accountId: string

  constructor(api: PeerApi, accountId: string) {
    this.#api = api
    this.#accountId = accountId
  }

  get live(): DeviceRecord[] {
    return this.devices?.filter(({ removed }) => removed === null) ?? []
  }

  get removed(): DeviceRecord[] {
    return this.devices?.filter(({ removed }) => removed !== null) ?? []
  }

  /** How a device is called; null if that is not known here. @param deviceId - lower-case hex. */
  nameOf(deviceId: string): string | null {
    return this.devices?.find(device => device.deviceId === deviceId)?.name ?? null
  }

  /** How much of the history a device has; null if it gets none from here. */
  shippedTo({ deviceId }: DeviceRecord): ShippedTo | null {
    return this.shipping.find(each => each.deviceId === deviceId) ?? null
  }

  /** Reads what this device knows. */
  async load(): Promise<void> {
    try {
      this.devices = await this.#api.devices.list()
      const history = await this.#api.history.status()
      this.shipping = history.shipping
      this.stopped = history.state === 'stopped' ? history : null
      this.failed = false
    } catch {
      this.failed = this.devices === null
    }
  }

  /** Asks the network from time to time, until the returned function is called. */
  watch(): () => void {
    return watchRecord({
      look: async () => {
        await this.#api.people.refresh(this.#accountId).catch(() => undefined)
        await this.load()
      },
      isMoving: () => this.#isMoving
    })
  }

  get #isMoving(): boolean {
    const places = this.devices?.map(({ added, removed }) => removed ?? added)
    const isShipping = this.shipping.some(({ isDone }) => !isDone)
    return !places || isShipping || places.some(({ state }) => isMoving(state))
  }

  /** Gives a device another name. @throws PeerError as the call of the peer does. */
  async rename({ deviceId }: DeviceRecord, name: string): Promise<void> {
    await this.#api.devices.rename(deviceId, name)
    await this.load()
  }

  /** Removes a device. @throws PeerError as the call of the peer does. */
  async remove({ deviceId }: DeviceRecord): Promise<void> {
    this.removing = deviceId
    try {
      await this.#api.devices.revoke(deviceId)
      await this.load()
    } finally {
      this.removing = null
    }
  }
}

import type { DeviceRecord, PeerApi, PublicRecord } from '../../../peer/peer-api.ts'
import { isMoving, watchRecord } from './record-watch.ts'

/** The public record of one account on a screen: loaded, kept up to date, and the removal of own devices. */
export class PublicRecordView {
  record = $state.raw<PublicRecord | null>(null)
  failed = $state(false)
  /** Device that is being removed right now. */
  removing = $state<string | null>(null)
  readonly #api: PeerApi
  readonly #accountId: string

  constructor(api: PeerApi, accountId: string) {
    this.#api = api
    this.#accountId = accountId
  }

  /** Reads what this device knows. */
  async load(): Promise<void> {
    try {
      this.record = await this.#api.record.of(this.#accountId)
      this.failed = false
    } catch {
      this.failed = this.record === null
    }
  }

  /** Asks again from time to time, until the returned function is called. */
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
    const { record } = this
    if (!record) return true
    const places = record.devices.map(({ added, removed }) => removed ?? added)
    const { state } = record.person.record
    return (state !== 'removed' && isMoving(state)) || places.some(place => isMoving(place.state))
  }

  /** Removes a device of the own account. @throws PeerError as the call of the peer does. */
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

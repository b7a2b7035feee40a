import type { PeerApi, PublicRecord } from '../../../peer/peer-api.ts'
import { isMoving, watchRecord } from './record-watch.ts'

/** The public record of one account on a screen: loaded and kept up to date. */
export class PublicRecordView {
  record = $state.raw<PublicRecord | null>(null)
  failed = $state(false)
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
}

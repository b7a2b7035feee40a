import type { DeviceRecord, PeerApi, PeerSnapshot, RecoveryState } from '../../../peer/peer-api.ts'

/** The public record is asked for a recovery code that waits at least this often, while the app is open. */
const LOOK_MS = 10 * 60_000

/** A code that another device of the account has made, and that this one may refuse. */
export interface WaitingCode {
  /** Name of the device; null if it is not known here. */
  deviceName: string | null
  /** Milliseconds since 1970. */
  countsFrom: number
}

/** Whether the account has a recovery code, as far as it is known. */
export class RecoveryStatus {
  /** Null until it is known. */
  state = $state.raw<RecoveryState | null>(null)
  #devices = $state.raw<DeviceRecord[]>([])
  readonly #api: PeerApi
  #lookedAt = 0
  #lookedFor = ''

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** Set while another device's code waits. */
  get waitingCode(): WaitingCode | null {
    const waiting = this.state?.waiting
    if (!waiting || waiting.isByThis) return null
    const device = this.#devices.find(({ deviceId }) => deviceId === waiting.byDevice)
    return { deviceName: device?.name ?? null, countsFrom: waiting.countsFrom }
  }

  /** Takes the state of the app as it is now; asks when the own record has changed, or the last look was long ago. */
  take({ me, status }: Pick<PeerSnapshot, 'me' | 'status'>): void {
    if (!me || me.deviceState !== 'live') {
      this.state = null
      return
    }
    const { state, transactionId } = me.record
    const key = `${me.accountId} ${state} ${transactionId}`
    const isDue = key !== this.#lookedFor || Date.now() - this.#lookedAt >= LOOK_MS
    if (status.connection !== 'online' || !isDue) return
    this.#lookedFor = key
    void this.look()
  }

  /** Asks now. Never rejects: what is not known stays as it was. */
  async look(): Promise<void> {
    this.#lookedAt = Date.now()
    try {
      const state = await this.#api.recovery.state()
      if (state.waiting) this.#devices = await this.#api.devices.list()
      this.state = state
    } catch (error) {
      console.warn('The recovery code was not asked for.', error)
    }
  }

  /** Takes back the code that waits. @throws PeerError as the call of the peer does. */
  async refuse(): Promise<void> {
    this.state = await this.#api.recovery.refuse()
  }

  /** Makes a code the account's own. @throws PeerError as the call of the peer does. */
  async set(code: string): Promise<void> {
    this.state = await this.#api.recovery.set(code)
  }
}

import type { Me, PeerStatus } from '../../../peer/peer-api.ts'
import type { StatusProblem } from '../../../peer/problems.ts'

/** The strip does not mention a connection that is lost for less than this. */
const GRACE_MS = 1_500
/** Good news stays on the screen this long. */
const GOOD_NEWS_MS = 5_000

/** What the strip says about the connection. */
export type ConnectionNotice = { kind: 'offline' } | { kind: 'connecting' } | { kind: 'sent'; count: number } | null

/** What the strip says about the user's own entry in the public record. */
export type RecordNotice = 'adding' | 'name-taken' | 'device-removed' | null

/** Turns the peer's state into the few things that a strip mentions, and lets good news fade. */
export class StatusNotice {
  connection = $state.raw<ConnectionNotice>(null)
  record = $state<RecordNotice>(null)
  /** Set while the clock of this device is the reason that nodes do not let it in, or that dates are wrong. */
  clock = $state.raw<StatusProblem | null>(null)
  #waitedOffline = 0
  #grace: ReturnType<typeof setTimeout> | undefined
  #latest: PeerStatus['connection'] = 'online'

  /** Takes the state as it is now. */
  take(status: PeerStatus, me: Me | null): void {
    this.clock = status.problem?.code === 'clock-wrong' ? status.problem : null
    // No node lets a removed device in, so its lost connection is not worth a line.
    if (me && me.deviceState !== 'live') {
      this.connection = null
      this.record = 'device-removed'
      return
    }
    this.#takeConnection(status)
    if (me) this.#takeRecord(me)
  }

  #takeConnection({ connection, waiting }: PeerStatus): void {
    this.#latest = connection
    if (connection !== 'online') {
      this.#waitedOffline = Math.max(this.#waitedOffline, waiting)
      if (this.connection?.kind === 'offline' || this.connection?.kind === 'connecting') this.#showConnection()
      else this.#grace ??= setTimeout(() => this.#showConnection(), GRACE_MS)
      return
    }
    clearTimeout(this.#grace)
    this.#grace = undefined
    if (this.connection?.kind !== 'sent') this.connection = null
    if (this.#waitedOffline > 0 && waiting === 0) this.#showSent(this.#waitedOffline)
  }

  #showConnection(): void {
    this.#grace = undefined
    if (this.#latest !== 'online' && this.record !== 'device-removed') this.connection = { kind: this.#latest }
  }

  #showSent(count: number): void {
    const notice: ConnectionNotice = { kind: 'sent', count }
    this.#waitedOffline = 0
    this.connection = notice
    setTimeout(() => {
      if (this.connection === notice) this.connection = null
    }, GOOD_NEWS_MS)
  }

  #takeRecord({ nameState, record }: Me): void {
    if (nameState === 'taken') this.record = 'name-taken'
    else if (record.state === 'pending' || nameState === 'reserving') this.record = 'adding'
    // Good news needs no strip.
    else this.record = null
  }
}

import type { HistoryStatus, PeerApi, PeerSnapshot } from '../../../peer/peer-api.ts'

/** While chats arrive, how far they are is asked for this often. */
const LOOK_MS = 1_000
/** A device that has just joined has no history for a moment: it is looked for so often. */
const LOOKS_AFTER_JOINING = 30

/** The chats from before this device was added, while they arrive. */
export class ArrivingHistory {
  /** Null until it is known. */
  status = $state.raw<HistoryStatus | null>(null)
  /** This device has just joined, and its history has not been asked for yet. */
  #isAwaited = $state(false)
  /** Chats were on their way while this screen was there. */
  #wasComing = $state(false)
  readonly #api: PeerApi
  #isReady = false
  #isOver = false
  #isLooking = false
  #looks = 0

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** Whether there is more to come. */
  get isComing(): boolean {
    return this.#isAwaited || this.status?.state === 'waiting' || this.status?.state === 'receiving'
  }

  /** Whether the chats stopped coming before the eyes of the user, because the other device was removed. */
  get hasStopped(): boolean {
    return this.#wasComing && this.status?.state === 'stopped'
  }

  /** Takes the state of the app as it is now. Begins to look once there is an account, until all chats are here. */
  take({ stage, linking }: Pick<PeerSnapshot, 'stage' | 'linking'>): void {
    const hasJustJoined = linking?.side === 'new'
    if (stage !== 'ready') {
      this.#isOver = this.#isAwaited = this.#wasComing = false
      this.status = null
    }
    this.#isReady = stage === 'ready'
    if (this.#isReady && hasJustJoined && this.status === null) this.#isAwaited = true
    if (this.#isReady && !this.#isOver && !this.#isLooking) void this.#look(hasJustJoined)
  }

  async #look(hasJustJoined: boolean): Promise<void> {
    this.#isLooking = true
    for (this.#looks = 1; this.#isReady && !this.#isOver; this.#looks++) {
      const status = await this.#api.history.status().catch(() => null)
      if (!this.#isReady) break
      if (status) this.status = status
      if (this.isComing) this.#wasComing = true
      this.#isOver = this.#isOverWith(status, hasJustJoined)
      if (this.#isOver || (status && status.state !== 'none')) this.#isAwaited = false
      if (!this.#isOver) await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
    this.#isLooking = false
  }

  #isOverWith(status: HistoryStatus | null, hasJustJoined: boolean): boolean {
    if (status?.state === 'done' || status?.state === 'stopped') return true
    return status?.state === 'none' && (!hasJustJoined || this.#looks >= LOOKS_AFTER_JOINING)
  }
}

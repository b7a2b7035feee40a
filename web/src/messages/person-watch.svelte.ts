import type { PeerApi, PresenceNotice } from '../../../peer/peer-api.ts'

/** The devices of the person are asked again after this, while the chat is on the screen. */
const ASK_EVERY_MS = 2 * 60_000 + 5_000

/** Where the person of an open chat is, as far as they tell. */
export class PersonWatch {
  isHere = $state(false)
  /** The last minute in which they were here; null if they never told. */
  seenAt = $state<number | null>(null)
  readonly #api: Pick<PeerApi, 'people' | 'on'>
  readonly #accountId: string
  #stop: (() => void) | undefined
  #until: ReturnType<typeof setTimeout> | undefined

  constructor(api: Pick<PeerApi, 'people' | 'on'>, accountId: string) {
    this.#api = api
    this.#accountId = accountId
  }

  /** The chat is on the screen. */
  open(): void {
    if (this.#stop) return
    const stopListening = this.#api.on('presence', notice => notice.accountId === this.#accountId && this.#take(notice))
    const look = (): void => void (document.visibilityState === 'visible' && this.#ask())
    const timer = setInterval(look, ASK_EVERY_MS)
    document.addEventListener('visibilitychange', look)
    this.#stop = () => {
      stopListening()
      clearInterval(timer)
      clearTimeout(this.#until)
      document.removeEventListener('visibilitychange', look)
    }
    look()
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #ask(): void {
    this.#api.people.presence(this.#accountId).then(
      presence => this.#take(presence),
      error => console.warn(error)
    )
  }

  #take({ state, seenAt, until }: Omit<PresenceNotice, 'accountId'>): void {
    clearTimeout(this.#until)
    this.isHere = state === 'here'
    this.seenAt = seenAt
    if (this.isHere && until !== null) {
      this.#until = setTimeout(() => {
        this.isHere = false
      }, until - Date.now())
    }
  }
}

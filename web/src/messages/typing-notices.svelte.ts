import type { PeerApi, TypingNotice } from '../../../peer/peer-api.ts'

/** That the user types is said again after this, while they do. */
const REPEAT_MS = 4_000
/** Who has pressed no key for so long does not type any more. */
const REST_MS = 5_000

/** Who types in one open conversation; and tells the others while the user does. */
export class TypingNotices {
  /** Accounts that type now, the longest first. */
  typing = $state.raw<readonly string[]>([])
  readonly #api: PeerApi
  readonly #conversationId: string
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- timers are not shown
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  #stopListening: (() => void)[] = []
  #saidAt = -Infinity
  #rest: ReturnType<typeof setTimeout> | undefined

  constructor(api: PeerApi, conversationId: string) {
    this.#api = api
    this.#conversationId = conversationId
  }

  open(): void {
    if (this.#stopListening.length > 0) return
    this.#stopListening = [
      this.#api.on('typing', notice => this.#take(notice)),
      // Whose message has come has written it.
      this.#api.on(
        'message',
        ({ conversationId, from }) => conversationId === this.#conversationId && this.stopped(from)
      )
    ]
  }

  /** The conversation leaves the screen. */
  close(): void {
    for (const stop of this.#stopListening.splice(0)) stop()
    this.rested()
    for (const from of [...this.#timers.keys()]) this.stopped(from)
  }

  /** The user has pressed a key. */
  typed(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => this.rested(), REST_MS)
    if (Date.now() - this.#saidAt < REPEAT_MS) return
    this.#saidAt = Date.now()
    this.#tell(true)
  }

  /** The user has sent the text, or does not write on. */
  rested(): void {
    clearTimeout(this.#rest)
    if (this.#saidAt === -Infinity) return
    this.#saidAt = -Infinity
    this.#tell(false)
  }

  /** A person has stopped: they said so, their message came, or nothing was heard for a while. */
  stopped(from: string): void {
    if (!this.#timers.has(from)) return
    clearTimeout(this.#timers.get(from))
    this.#timers.delete(from)
    this.typing = this.typing.filter(each => each !== from)
  }

  #take({ conversationId, from, isTyping, until }: TypingNotice): void {
    const left = until - Date.now()
    if (conversationId !== this.#conversationId) return
    if (!isTyping || left <= 0) return this.stopped(from)
    clearTimeout(this.#timers.get(from))
    this.#timers.set(
      from,
      setTimeout(() => this.stopped(from), left)
    )
    if (!this.typing.includes(from)) this.typing = [...this.typing, from]
  }

  #tell(isTyping: boolean): void {
    this.#api.messages.tellTyping(this.#conversationId, isTyping).catch(error => console.warn(error))
  }
}

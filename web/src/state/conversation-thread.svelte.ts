import type { ChatMessage, PeerApi } from '../../../peer/peer-api.ts'
import { countsUnread, firstUnreadId } from './thread-rows.ts'

/** Messages fetched at once. */
const PAGE = 60
/** Messages fetched at once while the first unread one is looked for; the peer gives no more. */
const UNREAD_PAGE = 500
/** When a conversation opens, the first unread message is looked for among at most this many. */
const MAX_OPENED = 5_000
/** A message that is jumped to is looked for among at most this many. */
const MAX_JUMPED = 50_000

/**
 * The messages of one open conversation. The order is the peer's: a message that is new here makes the newest page be
 * fetched again, so that one that fills a gap lands where it belongs.
 */
export class ConversationThread {
  messages = $state.raw<ChatMessage[]>([])
  state = $state<'loading' | 'ready' | 'failed'>('loading')
  loadingOlder = $state(false)
  hasOlder = $state(false)
  /** Whether the last change put messages before the others; the list then holds its place. */
  grewAtStart = $state(false)
  /** Where the divider stands; stays there while the conversation is open. */
  firstUnread = $state<string | null>(null)
  /** The newest message that was on the screen; null before any was. */
  lastSeen = $state<string | null>(null)
  /** The message that the reader asked for, once it is among the messages; null for the end. */
  target = $state<string | null>(null)

  /** Pinned messages, oldest first. */
  pinned = $state.raw<ChatMessage[]>([])
  /** Messages that are quoted and not among the messages: null for one that is not on this device. */
  #quoted = $state.raw<Readonly<Record<string, ChatMessage | null>>>({})

  readonly conversationId: string
  readonly #api: PeerApi
  readonly #unread: number
  #stopListening: (() => void)[] = []
  #refreshing = false
  #refreshAgain = false

  /** @param unread - how many messages are unread at this moment. */
  constructor(api: PeerApi, conversationId: string, unread: number) {
    this.#api = api
    this.conversationId = conversationId
    this.#unread = unread
  }

  /** Loads the newest page and follows what happens. */
  async open(): Promise<void> {
    if (this.#stopListening.length === 0) {
      this.#stopListening = [
        this.#api.on('message', message => this.#take(message)),
        this.#api.on('resumed', () => this.#resume())
      ]
    }
    this.state = 'loading'
    this.#refreshAgain = false
    try {
      const { messages, hasOlder } = await this.#newest()
      this.messages = messages
      this.hasOlder = hasOlder
      this.firstUnread = firstUnreadId(messages, this.#unread)
      this.state = 'ready'
      void this.#readPinned()
      if (this.#refreshAgain) void this.#refresh()
    } catch (error) {
      console.error(error)
      this.state = 'failed'
    }
  }

  /** A message that another one answers; null if it is not here, or not read yet. */
  quoted(id: string): ChatMessage | null {
    return this.messages.find(message => message.id === id) ?? this.#quoted[id] ?? null
  }

  /** Reads a message that is quoted and lies further back. */
  async readQuoted(id: string): Promise<void> {
    if (id in this.#quoted || this.messages.some(message => message.id === id)) return
    this.#quoted = { ...this.#quoted, [id]: null }
    const found = await this.#api.messages.find(id).catch(() => null)
    if (found) this.#quoted = { ...this.#quoted, [id]: found }
  }

  async #readPinned(): Promise<void> {
    try {
      this.pinned = await this.#api.messages.pinned(this.conversationId)
    } catch (error) {
      console.warn(error)
    }
  }

  /** The newest page, and as many before it as hold unread messages, so that the divider stands before the first. */
  async #newest(): Promise<{ messages: ChatMessage[]; hasOlder: boolean }> {
    const limit = Math.min(UNREAD_PAGE, Math.max(PAGE, this.#unread + 10))
    let messages = await this.#api.messages.page(this.conversationId, { limit })
    let hasOlder = messages.length >= limit
    while (hasOlder && countsUnread(messages) < this.#unread && messages.length < MAX_OPENED) {
      const older = await this.#api.messages.page(this.conversationId, { before: messages[0]!.id, limit: UNREAD_PAGE })
      messages = [...older, ...messages]
      hasOlder = older.length >= UNREAD_PAGE
    }
    return { messages, hasOlder }
  }

  /** A message, and with it all before it, was on the screen. */
  seen(id: string): void {
    const at = this.messages.findIndex(each => each.id === id)
    if (at > this.messages.findIndex(each => each.id === this.lastSeen)) this.lastSeen = id
  }

  /** Goes to one message: fetches what lies before, until it is there. One that is not on this device changes nothing. */
  async jump(id: string): Promise<void> {
    try {
      while (!this.messages.some(message => message.id === id)) {
        const [oldest] = this.messages
        if (!oldest || !this.hasOlder || this.messages.length >= MAX_JUMPED) return
        const older = await this.#api.messages.page(this.conversationId, { before: oldest.id, limit: UNREAD_PAGE })
        this.hasOlder = older.length >= UNREAD_PAGE
        this.grewAtStart = true
        this.messages = [...older, ...this.messages]
      }
      this.target = id
    } catch (error) {
      // The reader stays where they are.
      console.warn(error)
    }
  }

  /** Stops following. */
  close(): void {
    for (const stop of this.#stopListening.splice(0)) stop()
  }

  /** Fetches the page before the oldest message here; does nothing while one is on its way. */
  async loadOlder(): Promise<void> {
    const [oldest] = this.messages
    if (!oldest || !this.hasOlder || this.loadingOlder) return
    this.loadingOlder = true
    try {
      const older = await this.#api.messages.page(this.conversationId, { before: oldest.id, limit: PAGE })
      this.hasOlder = older.length >= PAGE
      this.grewAtStart = true
      this.messages = [...older, ...this.messages]
    } catch (error) {
      // Scrolling up again repeats the request.
      console.error(error)
    } finally {
      this.loadingOlder = false
    }
  }

  #take(message: ChatMessage): void {
    if (message.conversationId !== this.conversationId) return
    const wasPinned = this.pinned.some(({ id }) => id === message.id)
    if (wasPinned || message.isPinned) void this.#readPinned()
    if (message.id in this.#quoted) this.#quoted = { ...this.#quoted, [message.id]: message }
    if (this.state !== 'ready') {
      // The page under way may have been read before it.
      this.#refreshAgain = true
      return
    }
    const index = this.messages.findIndex(each => each.id === message.id)
    this.grewAtStart = false
    if (message.kind === 'removed') {
      this.messages = this.messages.filter(({ id }) => id !== message.id)
      return
    }
    if (index >= 0) this.messages = this.messages.with(index, message)
    else void this.#refresh()
  }

  /** Reads the newest page again: people are called otherwise than when it was read. */
  renew(): void {
    if (this.state === 'ready') void this.#refresh()
    else this.#refreshAgain = true
  }

  #resume(): void {
    if (this.state === 'ready') void this.#refresh()
    else if (this.state === 'failed') void this.open()
  }

  /** Fetches the newest page; what arrives meanwhile leads to one more fetch. */
  async #refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#refreshAgain = true
      return
    }
    this.#refreshing = true
    try {
      do {
        this.#refreshAgain = false
        this.#joinNewest(await this.#api.messages.page(this.conversationId, { limit: PAGE }))
      } while (this.#refreshAgain)
    } catch (error) {
      console.error(error)
    } finally {
      this.#refreshing = false
    }
  }

  #joinNewest(newest: ChatMessage[]): void {
    const [first] = newest
    if (!first) return
    const start = this.messages.findIndex(each => each.id === first.id)
    this.grewAtStart = false
    // More than a page arrived at once: older messages are fetched again when the reader scrolls up to them.
    if (start < 0) this.hasOlder = newest.length >= PAGE
    this.messages = start < 0 ? newest : [...this.messages.slice(0, start), ...newest]
  }
}

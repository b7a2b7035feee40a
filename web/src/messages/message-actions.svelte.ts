import type { ChatMessage, PeerApi } from '../../../peer/peer-api.ts'

/** Emojis that are one key press away. */
export const QUICK_EMOJIS = ['👍', '❤️', '😂', '🎉', '😮', '😢'] as const

/** Whether something can be said about a message: not about one that is gone, and not about a line of Volo itself. */
export const canBeAmended = ({ kind }: ChatMessage): boolean => kind === 'text' || kind === 'file' || kind === 'poll'

/** Whether a message has a text that can be sent on. */
export const canBeForwarded = ({ kind }: ChatMessage): boolean => kind === 'text'

/** What the user does with the messages of one open conversation. A failure is told, and changes nothing. */
export class MessageActions {
  /** Ids of the messages that are selected; null while none can be. */
  selected = $state.raw<ReadonlySet<string> | null>(null)
  /** Messages that the user is about to delete. */
  deleting = $state.raw<readonly ChatMessage[]>([])
  /** Messages that the user is about to forward, oldest first. */
  forwarding = $state.raw<readonly ChatMessage[]>([])
  /** The message of another person that the user is about to report. */
  reporting = $state.raw<ChatMessage | null>(null)

  readonly #api: PeerApi
  readonly #onFailure: (error: unknown) => void

  /** @param onFailure - tells the user that nothing was changed. */
  constructor(api: PeerApi, onFailure: (error: unknown) => void) {
    this.#api = api
    this.#onFailure = onFailure
  }

  /** Gives a message an emoji; the one that the user gave before is taken back. */
  async react(message: ChatMessage, emoji: string): Promise<void> {
    const isMine = message.reactions.some(each => each.emoji === emoji && each.isMine)
    await this.#try(() => this.#api.amendments.react(message.id, isMine ? null : emoji))
  }

  async pin(message: ChatMessage): Promise<void> {
    await this.#try(() => this.#api.amendments.pin(message.id, !message.isPinned))
  }

  async star(message: ChatMessage): Promise<void> {
    await this.#try(() => this.#api.amendments.star(message.id, !message.isStarred))
  }

  /** Chooses an answer of a poll, or takes it back. */
  async vote({ id, poll }: ChatMessage, option: number): Promise<void> {
    if (!poll) return
    const mine = poll.options.flatMap(({ isMine }, i) => (isMine ? [i] : []))
    const others = poll.isMultiple ? mine.filter(each => each !== option) : []
    const choices = mine.includes(option) ? mine.filter(each => each !== option) : [...others, option]
    await this.#try(() => this.#api.amendments.vote(id, choices))
  }

  /** Forwards the messages that are about to be forwarded, in their order; the first failure ends it. */
  async forward(to: string): Promise<boolean> {
    const messages = this.forwarding
    this.forwarding = []
    this.selected = null
    for (const { id } of messages) if (!(await this.#try(() => this.#api.messages.forward(id, to)))) return false
    return true
  }

  /** Deletes the messages that are about to be deleted. @param forAll - only those that the user wrote. */
  async delete(forAll: boolean): Promise<void> {
    const messages = this.deleting
    this.deleting = []
    this.selected = null
    if (!forAll) return void (await this.#try(() => this.#api.amendments.deleteForMe(messages.map(({ id }) => id))))
    for (const { id } of messages) await this.#try(() => this.#api.amendments.deleteForAll(id))
  }

  /** Selects a message, or not any more. */
  toggle({ id }: ChatMessage): void {
    const others = [...(this.selected ?? [])].filter(each => each !== id)
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- a new set each time, never changed
    this.selected = new Set(this.selected?.has(id) ? others : [...others, id])
  }

  async #try(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      this.#onFailure(error)
      return false
    }
  }
}

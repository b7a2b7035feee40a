import type { ConversationSummary } from '../../../peer/peer-api.ts'
import { findChats } from './chat-search.ts'

/** The Ctrl/⌘K list: type a few letters, choose with the arrows. */
export class ChatSwitcher {
  isOpen = $state(false)
  text = $state('')
  chosen = $state(0)
  readonly #conversations: () => ConversationSummary[]

  /** @param conversations - as they are now, newest first. */
  constructor(conversations: () => ConversationSummary[]) {
    this.#conversations = conversations
  }

  get results(): ConversationSummary[] {
    return findChats(this.#conversations(), this.text).slice(0, 8)
  }

  get chosenChat(): ConversationSummary | undefined {
    return this.results[this.chosen]
  }

  open(): void {
    this.type('')
    this.isOpen = true
  }

  close(): void {
    this.isOpen = false
  }

  type(text: string): void {
    this.text = text
    this.chosen = 0
  }

  /** Moves the choice, around the ends. */
  move(steps: 1 | -1): void {
    const count = this.results.length
    if (count > 0) this.chosen = (this.chosen + steps + count) % count
  }
}

import type { ChatMessage } from '../../../peer/peer-api.ts'
import { cutText } from '../../../protocol/graphemes.ts'
import type { Catalogue } from '../i18n/catalogue.ts'

/** Messages that arrive within this time are read out together. */
const BATCH_MS = 1_000
/** So much of a message is read out by itself, in UTF-16 units; the rest is in the thread. */
const READ_OUT = 500
/** How many messages are remembered as read out. */
const REMEMBERED = 500

/** What a screen reader is told: new messages in batches, so that a busy chat does not talk without end. */
export class Announcer {
  /** The text of the polite live region. */
  text = $state('')
  readonly #words: () => Catalogue
  #told: string[] = []
  #batch: ChatMessage[] = []

  /** @param words - those of the language that is spoken now. */
  constructor(words: () => Catalogue) {
    this.#words = words
  }

  /** Says one thing now, such as a change of the connection. */
  say(text: string): void {
    this.text = text
  }

  /** Takes a message that arrived. A message that was read out and has only changed is not read out again. */
  arrived(message: ChatMessage): void {
    if (this.#told.includes(message.id)) return
    this.#told = [...this.#told, message.id].slice(-REMEMBERED)
    this.#batch.push(message)
    if (this.#batch.length === 1) setTimeout(() => this.#tell(), BATCH_MS)
  }

  #tell(): void {
    const batch = this.#batch
    const first = batch[0]
    this.#batch = []
    if (!first) return
    const { message, messages, newMessages } = this.#words().announce
    if (batch.length === 1) this.text = message(first.fromName, cutText(first.text, READ_OUT))
    else if (batch.every(each => each.from === first.from)) this.text = messages(batch.length, first.fromName)
    else this.text = newMessages(batch.length)
  }
}

import { PeerError } from '../../../peer/errors.ts'
import type { ChatMessage, PeerApi } from '../../../peer/peer-api.ts'
import { MAX_TEXT_UNITS } from '../../../protocol/limits.ts'

/** A draft is kept this long after the last key press. */
const SAVE_AFTER_MS = 400

/**
 * The text that the user writes in one conversation. It is kept on this device, and comes back when sending fails. While the user
 * changes a message, its text stands in the box, and the draft waits.
 */
export class ComposerDraft {
  text = $state('')
  /** Error of the last attempt to keep the draft; null once it is kept. */
  keepFailure = $state.raw<unknown>(null)
  /** Error of the last attempt to send; null once the user tries again. */
  failure = $state.raw<unknown>(null)
  /** The message that the text answers. */
  answering = $state.raw<ChatMessage | null>(null)
  /** The message whose text is changed. */
  editing = $state.raw<ChatMessage | null>(null)

  /** The draft from before a message was changed. */
  #setAside = ''
  readonly #api: PeerApi
  readonly #conversationId: string
  #saved: string
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param draft - the draft as the peer has it. */
  constructor(api: PeerApi, conversationId: string, draft: string) {
    this.#api = api
    this.#conversationId = conversationId
    this.#saved = draft
    this.text = draft
  }

  get isTooLong(): boolean {
    // As it is sent: without blanks at its ends.
    return this.text.trim().length > MAX_TEXT_UNITS
  }

  /** Whether the last attempt to keep the draft failed because of its length: it is lost when the page closes. */
  get isUnkept(): boolean {
    return this.keepFailure instanceof PeerError && this.keepFailure.code === 'message-too-long'
  }

  get canSend(): boolean {
    return this.text.trim() !== '' && !this.isTooLong
  }

  /** From now on the text answers a message. */
  answer(message: ChatMessage): void {
    this.leave()
    this.answering = message
  }

  /** Puts the text of an own message into the box. */
  edit(message: ChatMessage): void {
    this.leave()
    void this.keep()
    this.#setAside = this.text
    this.text = message.text
    this.editing = message
  }

  /** The text is a message of its own again. */
  leave(): void {
    if (this.editing) this.text = this.#setAside
    this.answering = null
    this.editing = null
  }

  write(text: string): void {
    this.text = text
    clearTimeout(this.#timer)
    if (this.editing) return
    this.#timer = setTimeout(() => void this.keep(), SAVE_AFTER_MS)
  }

  /** Keeps the draft now, because the user leaves the conversation or the page. */
  async keep(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.editing || this.text === this.#saved) return
    const { text } = this
    this.#saved = text
    try {
      await this.#api.conversations.saveDraft(this.#conversationId, text)
      this.keepFailure = null
    } catch (error) {
      // The text is still on the screen; the next key press tries again.
      this.#saved = ''
      this.keepFailure = error
      console.warn('The draft could not be kept.', error)
    }
  }

  /** Hands the text to the peer and empties the box at once; a refusal puts the text back. @returns whether it was taken. */
  async send(): Promise<boolean> {
    if (!this.canSend) return false
    const { text, answering, editing } = this
    this.failure = null
    if (editing) this.leave()
    else this.text = ''
    this.answering = null
    try {
      await this.#hand(text.trim(), answering, editing)
      void this.keep()
      return true
    } catch (error) {
      if (editing) this.edit({ ...editing, text })
      else this.text = this.text ? `${text}\n${this.text}` : text
      this.answering = answering
      this.failure = error
      // If the user has left the chat meanwhile, the text is there when the chat opens again.
      void this.keep()
      return false
    }
  }

  async #hand(text: string, answering: ChatMessage | null, editing: ChatMessage | null): Promise<void> {
    const { messages, amendments } = this.#api
    if (editing) await amendments.edit(editing.id, text)
    else if (answering) await messages.reply(this.#conversationId, answering.id, text)
    else await messages.sendText(this.#conversationId, text)
  }
}

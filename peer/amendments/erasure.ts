/**
 * Takes a message that was deleted, removed or whose time is over off the disk: besides its row, the sender has it where it waits
 * to be sealed and where it is kept for those who miss it. What the database still has of old entries in its files goes a moment
 * later. The keys that opened a message are gone since it was read.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeMessage, type MessageId } from '../../protocol/conversation/message.ts'
import type { EngineContext } from '../engine-context.ts'
import type { Erasing } from '../history/message-log.ts'
import type { UnsentQueue } from '../sending/unsent-queue.ts'
import type { MessageFile } from '../store/file-entry.ts'
import type { MessageRow } from '../store/conversation-entries.ts'
import { sentEntry, slots, unsentEntry } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'

/** Erased messages wait so long for others, so that many of them cost one pass. */
export const COMPACT_DELAY_MS = 2_000
/** Spaces that have texts, or keys of files. Those of the secrets are sealed under a key that is destroyed within a day as well. */
const CONTENT_SPACES = [
  'message',
  'sent',
  'text-version',
  'unsent',
  'awaited-amendments',
  'search-block',
  'local-copy',
  'sent-file'
] as const
/** Of those, the ones whose entries belong to a conversation. */
const OF_CONVERSATION: readonly string[] = ['message', 'sent', 'awaited-amendments']

export class Erasure implements Erasing {
  readonly #context: EngineContext
  readonly #queue: UnsentQueue
  readonly #eraseFile: (unit: UnitOfWork, file: MessageFile) => Promise<void>
  /** Conversations with something to drop. */
  readonly #due = new Set<string>()
  #cancelTimer: (() => void) | undefined
  #running: Promise<void> | undefined
  #stopped = false

  /** @param eraseFile - takes away the copy and the key of a file. */
  constructor(
    context: EngineContext,
    queue: UnsentQueue,
    eraseFile: (unit: UnitOfWork, file: MessageFile) => Promise<void>
  ) {
    this.#context = context
    this.#queue = queue
    this.#eraseFile = eraseFile
  }

  /** Drops at once what is due: a process that ends must not leave it. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
    await this.#compact()
  }

  async erase(
    unit: UnitOfWork,
    { conversationId, mine, messageId }: MessageRow,
    { file }: Pick<MessageRow, 'file'>
  ): Promise<void> {
    const conversation = toHex(conversationId)
    if (file) await this.#eraseFile(unit, file)
    if (mine) await this.#eraseSent(unit, conversation, messageId)
    unit.after(() => {
      this.#due.add(conversation)
      this.#schedule()
    })
  }

  /** The text and its edits. The order to delete it stays, for devices that have not heard of it. */
  async #eraseSent(unit: UnitOfWork, conversation: string, id: MessageId): Promise<void> {
    for (const { value } of await unit.range('sent', conversation, sentEntry)) {
      if (isTextOf(value.content, id)) unit.remove(slots.sent(conversation, value.sequence))
    }
    for (const { order, value } of await unit.range('unsent', undefined, unsentEntry)) {
      if (toHex(value.conversationId) !== conversation || !isTextOf(value.content, id)) continue
      this.#queue.remove(unit, { order, conversationId: value.conversationId })
    }
  }

  #schedule(): void {
    if (this.#stopped || this.#cancelTimer) return
    this.#cancelTimer = this.#context.timers.after(COMPACT_DELAY_MS, () => {
      this.#cancelTimer = undefined
      this.#running = this.#compact().finally(() => (this.#running = undefined))
    })
  }

  async #compact(): Promise<void> {
    const { store, log } = this.#context
    for (const conversation of [...this.#due]) {
      this.#due.delete(conversation)
      for (const space of CONTENT_SPACES) {
        const id = OF_CONVERSATION.includes(space) ? conversation : undefined
        await store
          .compact(space, id)
          .catch((error: unknown) => log.warn('old entries were not dropped', { reason: String(error) }))
      }
    }
  }
}

/** Whether an encoded message is a text of this id, or an edit of it. */
function isTextOf(content: Uint8Array, id: MessageId): boolean {
  const { messageId, body } = decodeMessage(content)
  return equalBytes(messageId, id) || (body.kind === 'edit' && equalBytes(body.target, id))
}

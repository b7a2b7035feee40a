/** The calls about conversations, and the summaries kept in memory for the list of conversations. */
import type { SerialQueue } from '../../protocol/serial-queue.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_DRAFT_UNITS } from '../../protocol/limits.ts'
import type { ConversationsApi, ConversationSummary } from '../peer-api.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { FirstWords } from '../people/first-words.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { MessageLog } from '../history/message-log.ts'
import { requireLength } from '../history/message-text.ts'
import type { PartnerLook } from './partner-look.ts'
import type { Sealer } from '../sending/sealer.ts'
import { PeerError } from '../errors.ts'
import type { ReadMarks } from '../history/read-marks.ts'
import type { PersonViews } from '../people/person-views.ts'
import { shownIdOf } from '../history/shown-id.ts'
import { conversationEntry, type Conversation, type MessageRow } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

export interface ConversationsComponents {
  context: EngineContext
  states: StateStore
  /** The turns of what the user writes; see `OwnMessages`. */
  writing: SerialQueue
  directory: DirectoryClient
  history: MessageLog
  roster: ConversationRoster
  rows: ConversationRows
  marks: PersonMarksBook
  readMarks: ReadMarks
  sealer: Pick<Sealer, 'enqueue'>
  words: Pick<FirstWords, 'proofFor'>
  people: PersonViews
  partners: PartnerLook
  onChange: () => void
}

interface Entry {
  conversation: Conversation
  last: MessageRow | undefined
}

export class Conversations implements ConversationsApi {
  readonly #components: ConversationsComponents
  readonly #entries = new Map<string, Entry>()
  readonly #opened = new Set<string>()

  constructor(components: ConversationsComponents) {
    this.#components = components
  }

  /** Reads all conversations, and the accounts in them, from the store. */
  async load(): Promise<Conversation[]> {
    const { states, directory, roster } = this.#components
    for (const conversation of await states.all('conversation', conversationEntry)) {
      for (const accountId of roster.membersOf(conversation)) await directory.load(accountId)
      this.#entries.set(toHex(conversation.conversationId), { conversation, last: await this.#lastOf(conversation) })
    }
    return this.all()
  }

  async #lastOf({ conversationId, lastOrder }: Conversation): Promise<MessageRow | undefined> {
    if (lastOrder === null) return undefined
    return this.#components.states.read(slots.message(toHex(conversationId), lastOrder))
  }

  all(): Conversation[] {
    return [...this.#entries.values()].map(({ conversation }) => conversation)
  }

  get(conversationId: string): Conversation | undefined {
    return this.#entries.get(conversationId)?.conversation
  }

  /** The accounts that there are conversations with, our own among them if we keep notes. One may come twice. */
  partners(): AccountId[] {
    return this.all().flatMap(conversation => this.#components.roster.partnersOf(conversation))
  }

  /** Whether there is a conversation with an account. */
  isPartner(accountId: AccountId): boolean {
    return this.partners().some(partner => equalBytes(partner, accountId))
  }

  /** Newest first. What a blocked person began is not among them. */
  summaries(): ConversationSummary[] {
    return [...this.#entries.values()]
      .filter(({ conversation }) => this.#isShown(conversation))
      .map(({ conversation, last }) => this.#components.people.conversation(conversation, last))
      .sort((a, b) => b.updatedAt - a.updatedAt)
  }

  /** Own devices talk in the notes, too: those show once the user has opened them, or they hold something. */
  #isShown({ kind, lastOrder, draft, conversationId, accountId }: Conversation): boolean {
    if (lastOrder === null && this.#components.marks.isBlocked(accountId)) return false
    return kind !== 'notes' || lastOrder !== null || draft !== '' || this.#opened.has(toHex(conversationId))
  }

  /** A message appeared or changed. */
  noteMessage(row: MessageRow): void {
    const entry = this.#entries.get(toHex(row.conversationId))
    const { context } = this.#components
    if (entry?.last && shownIdOf(context, entry.last) === shownIdOf(context, row)) entry.last = row
  }

  /** A conversation appeared or changed. */
  noteConversation(conversation: Conversation): void {
    const key = toHex(conversation.conversationId)
    this.#entries.set(key, { conversation, last: this.#entries.get(key)?.last })
    const take = (last: MessageRow | undefined): void => {
      const entry = this.#entries.get(key)
      if (!last || entry?.conversation.lastOrder !== conversation.lastOrder) return
      entry.last = last
      this.#components.onChange()
    }
    // It may meet the store being closed; the line stays as it was.
    this.#lastOf(conversation).then(take, (error: unknown) =>
      this.#components.context.log.debug('a last message could not be read', { reason: String(error) })
    )
  }

  async open(accountId: string): Promise<ConversationSummary> {
    const { states, rows, context, people } = this.#components
    const other = accountIdFromHex(accountId)
    const conversation = await states.unit(unit => rows.rowFor(unit, [context.accountId(), other]))
    this.#opened.add(toHex(conversation.conversationId))
    this.#components.onChange()
    return people.conversation(conversation, this.#entries.get(toHex(conversation.conversationId))?.last)
  }

  async look(conversationId: string): Promise<void> {
    const conversation = this.get(conversationId)
    if (conversation) await this.#components.partners.look(conversation)
  }

  async sayWord(conversationId: string, word: string): Promise<void> {
    const { states, sealer, words } = this.#components
    const conversation = this.get(conversationId)
    if (conversation?.kind !== 'direct') throw new PeerError('no-conversation')
    const proof = words.proofFor(conversation.accountId, word)
    await states.unit(unit => sealer.enqueue(unit, conversation.conversationId, { kind: 'firstWord', proof }))
  }

  async markRead(conversationId: string, upTo?: string): Promise<void> {
    await this.#components.readMarks.mark(conversationId, upTo)
  }

  /** @throws PeerError `message-too-long` past {@link MAX_DRAFT_UNITS}: what was saved before stays. */
  async saveDraft(conversationId: string, text: string): Promise<void> {
    requireLength(text, MAX_DRAFT_UNITS)
    const { states, writing, history } = this.#components
    const save = async (unit: UnitOfWork): Promise<void> => {
      const conversation = await unit.read(slots.conversation(conversationId))
      if (conversation) history.saveConversation(unit, { ...conversation, draft: text.toWellFormed() })
    }
    // Who writes sends soon.
    if (text !== '') void this.look(conversationId)
    // After a message that was sent before: it empties the draft.
    await writing.run(() => states.unit(save))
  }
}

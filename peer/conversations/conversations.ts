/** The calls about conversations and their messages, and the summaries kept in memory for the list of conversations. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import {
  createMessageId,
  decodeMessage,
  type MessageBody,
  type MessageId
} from '../../protocol/conversation/message.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { MAX_DRAFT_UNITS, MAX_TEXT_UNITS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import type {
  ChatMessage,
  ConversationsApi,
  ConversationSummary,
  MessagesApi,
  PageOptions,
  SentReceipt
} from '../peer-api.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import { bodyOfFile } from '../files/file-message.ts'
import type { SendHolds } from '../directory/send-holds.ts'
import { linePerson } from '../groups/group-lines.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { MessageLog, NewMessage } from '../history/message-log.ts'
import type { ReadMarks } from '../history/read-marks.ts'
import { replicasOf } from '../network/network-info.ts'
import { sentReceipt, type PersonViews } from '../people/person-views.ts'
import type { Outbox } from '../sending/outbox.ts'
import type { Sealer } from '../sending/sealer.ts'
import type { SealingPlan } from '../sending/sealing-plan.ts'
import { shownIdOf } from '../history/shown-id.ts'
import {
  conversationEntry,
  receiptsEntry,
  slots,
  type Conversation,
  type MessageRow,
  type ShownId
} from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { SystemLine } from '../system-line.ts'

/** Messages of a page, unless asked otherwise. */
const DEFAULT_PAGE = 50
const MAX_PAGE = 500

export interface ConversationsComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  holds: SendHolds
  history: MessageLog
  roster: ConversationRoster
  rows: ConversationRows
  marks: PersonMarksBook
  /** Notes that the user takes part in a group. */
  groups: { accept(unit: UnitOfWork, groupId: ConversationId): void }
  sealer: Sealer
  outbox: Outbox
  readMarks: ReadMarks
  people: PersonViews
  /** Takes up the upload of a file whose message failed. @returns false if only the message is to be sent again. */
  retryFile: (unit: UnitOfWork, row: MessageRow) => Promise<boolean>
  onChange: () => void
}

/** A text before it has its row. */
interface OwnText {
  messageId: MessageId
  sentAt: number
  text: string
}

interface Entry {
  conversation: Conversation
  last: MessageRow | undefined
}

export class Conversations implements ConversationsApi, MessagesApi {
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

  async page(conversationId: string, options: PageOptions = {}): Promise<ChatMessage[]> {
    const { states, history, people } = this.#components
    const limit = Math.max(1, Math.min(options.limit ?? DEFAULT_PAGE, MAX_PAGE))
    const before = options.before === undefined ? undefined : await states.read(slots.place(options.before as ShownId))
    return (await history.page(conversationId, before?.order, limit)).map(row => people.message(row))
  }

  /** Takes a text; it is on disk, and in the queue, when this resolves. */
  async sendText(conversationId: string, written: string): Promise<ChatMessage> {
    if (written.trim() === '') throw new PeerError('message-empty')
    requireLength(written, MAX_TEXT_UNITS)
    // As the receiver will have it: half a surrogate pair cannot be encoded.
    const text = written.toWellFormed()
    const { context, sealer, people } = this.#components
    const message: OwnText = { messageId: createMessageId(context.random), sentAt: context.timers.now(), text }
    const plan = await sealer.readyPlan(conversationId)
    const row = await this.#addAndSeal(conversationId, message, plan).catch((error: unknown) => {
      if (!plan || error instanceof PeerError) throw error
      // It could not be sealed at once: taken it can be all the same.
      return this.#addAndSeal(conversationId, message, undefined)
    })
    return people.message(row)
  }

  #addAndSeal(conversationId: string, message: OwnText, plan: SealingPlan | undefined): Promise<MessageRow> {
    const { states, sealer } = this.#components
    return states.unit(async unit => {
      const row = await this.#addText(unit, conversationId, message)
      if (plan) await sealer.sealAtOnce(unit, plan)
      return row
    })
  }

  async #addText(unit: UnitOfWork, conversationId: string, { messageId, sentAt, text }: OwnText): Promise<MessageRow> {
    const row = await this.add(unit, conversationId, this.#ownText(messageId, text, sentAt), { draft: '' })
    const options = { messageId, shown: true, sentAt }
    await this.#components.sealer.enqueue(unit, row.conversationId, { kind: 'text', text }, options)
    return row
  }

  /** Whether one may write in a conversation now. @throws PeerError `no-conversation`, `blocked`, `held`. */
  async requireOpen(conversationId: string): Promise<void> {
    const conversation = await this.#components.states.read(slots.conversation(conversationId))
    if (!conversation) throw new PeerError('no-conversation')
    this.#requireUnheld(conversation)
  }

  #requireUnheld(conversation: Conversation): void {
    const { directory, roster, holds, marks } = this.#components
    if (!roster.mayWrite(conversation)) throw new PeerError('not-in-group')
    const isGroup = conversation.kind === 'group'
    for (const accountId of roster.partnersOf(conversation)) {
      const known = directory.peek(toHex(accountId))
      if (!isGroup && marks.isBlocked(accountId)) throw new PeerError('blocked', { username: known?.username ?? null })
      const reason = known && holds.reason(known)
      // What waits for a second operator needs no decision of the user: it is kept, and sent once operators agree.
      if (reason && reason !== 'not-agreed') throw new PeerError('held', { reason, username: known.username })
    }
  }

  /** Shows an own message. Who writes to a person accepts them; who writes in a group takes part in it. @throws PeerError as {@link requireOpen}. */
  async add(
    unit: UnitOfWork,
    conversationId: string,
    message: NewMessage,
    change: Partial<Pick<Conversation, 'draft'>> = {}
  ): Promise<MessageRow> {
    const { roster, marks, history } = this.#components
    const conversation = await unit.read(slots.conversation(conversationId))
    if (!conversation) throw new PeerError('no-conversation')
    this.#requireUnheld(conversation)
    if (conversation.kind === 'group') this.#components.groups.accept(unit, conversation.conversationId)
    else for (const accountId of roster.othersOf(conversation)) await marks.set(unit, accountId, { answer: 'accepted' })
    return history.appendNew(unit, { ...conversation, ...change }, message)
  }

  /** Asks a person to be added to a group, with the secret of a link: who asks accepts the person. @returns the line of it. */
  askToJoin(accountId: AccountId, secret: Uint8Array): Promise<MessageRow> {
    const { states, rows, context, marks, history, sealer } = this.#components
    return states.unit(async unit => {
      const conversation = await rows.rowFor(unit, [context.accountId(), accountId])
      await marks.set(unit, accountId, { answer: 'accepted' })
      const messageId = createMessageId(context.random)
      const sentAt = context.timers.now()
      const line: SystemLine = { kind: 'group', what: 'asked', by: linePerson(context.accountId()), who: [], text: '' }
      const row = await history.appendNew(unit, conversation, {
        ...this.#ownText(messageId, '', sentAt),
        kind: 'system',
        line
      })
      const options = { messageId, shown: true, sentAt }
      await sealer.enqueue(unit, conversation.conversationId, { kind: 'groupJoin', secret }, options)
      return row
    })
  }

  #ownText(messageId: MessageId, text: string, sentAt: number): NewMessage {
    const { context } = this.#components
    const own = { from: context.accountId(), device: context.device().deviceId, mine: true }
    return { ...own, messageId, kind: 'text', text, line: null, sentAt, state: 'waiting', problem: null }
  }

  view(row: MessageRow): ChatMessage {
    return this.#components.people.message(row)
  }

  /** Tries a failed message again, with its old place if it had one. */
  async retry(id: string): Promise<void> {
    const { states, history, sealer, outbox, retryFile } = this.#components
    await states.unit(async unit => {
      const row = await history.update(unit, id as ShownId, current =>
        current.mine && current.state === 'failed' ? { ...current, state: 'waiting', problem: null } : undefined
      )
      if (!row) return
      const { conversationId, messageId, text, file, sentAt } = row
      if (file && (await retryFile(unit, row))) return
      const sent = await this.#sentBefore(toHex(conversationId), messageId)
      if (!sent) {
        const options = { messageId, shown: true, sentAt }
        const body: MessageBody = file ? bodyOfFile(file, text) : { kind: 'text', text }
        return sealer.enqueue(unit, conversationId, body, options)
      }
      const { sequence, predecessor, content } = sent
      const again = { sequence, predecessor }
      await sealer.enqueueAgain(unit, { conversationId, messageId, content, sequenced: true, again })
    })
    outbox.kick(true)
  }

  async #sentBefore(conversationId: string, messageId: MessageId) {
    const sent = await this.#components.states.range('sent', conversationId, slots.sent('', 0).codec)
    return sent.find(({ value }) => equalBytes(decodeMessage(value.content).messageId, messageId))?.value
  }

  async markRead(conversationId: string, upTo?: string): Promise<void> {
    await this.#components.readMarks.mark(conversationId, upTo)
  }

  /** @throws PeerError `message-too-long` past {@link MAX_DRAFT_UNITS}: what was saved before stays. */
  async saveDraft(conversationId: string, text: string): Promise<void> {
    requireLength(text, MAX_DRAFT_UNITS)
    const { states, history } = this.#components
    await states.unit(async unit => {
      const conversation = await unit.read(slots.conversation(conversationId))
      if (conversation) history.saveConversation(unit, { ...conversation, draft: text.toWellFormed() })
    })
  }

  /** The signed receipts of a message, of all mailboxes it went to. */
  async receipts(shownId: string): Promise<SentReceipt[]> {
    const { states, context } = this.#components
    const info = context.network()
    const entries = await states.range('receipts', shownId, receiptsEntry)
    return entries
      .flatMap(({ value }) => value)
      .flatMap(({ mailbox, id, receipts }) => {
        const replicas = replicasOf(context.crypto, info, mailbox)
        return receipts.map(proof => {
          const replica = replicas.find(node => equalBytes(node.key, proof.receipt.node))
          return sentReceipt(replica?.operator ?? new Uint8Array(), mailbox, id, proof)
        })
      })
  }
}

/** Never cuts: the writer decides what to leave out. @throws PeerError `message-too-long`. */
function requireLength({ length }: string, limit: number): void {
  if (length > limit) throw new PeerError('message-too-long', { length, limit })
}

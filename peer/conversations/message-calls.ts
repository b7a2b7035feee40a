/** The calls about the messages of a conversation. */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { MAX_OPTION_UNITS, MAX_POLL_OPTIONS, MAX_QUESTION_UNITS } from '../../protocol/conversation/message-kinds.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { MessageLog } from '../history/message-log.ts'
import { requireLength, writtenText } from '../history/message-text.ts'
import { replicasOf } from '../network/network-info.ts'
import type { ChatMessage, HeardBy, MessagesApi, NewPoll, PageOptions, SentReceipt, TextVersion } from '../peer-api.ts'
import { sentReceipt, type PersonViews } from '../people/person-views.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { heardEntry, namedMessageEntry, receiptsEntry, slots } from '../store/store-layout.ts'
import { textVersionEntry } from '../store/amendment-slots.ts'
import type { StateStore } from '../store/state-store.ts'
import type { OwnMessages } from './own-messages.ts'
import type { Typing } from './typing.ts'

/** Messages of a page, unless asked otherwise. */
const DEFAULT_PAGE = 50
const MAX_PAGE = 500
const MIN_POLL_OPTIONS = 2

export interface MessageCallsComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  own: OwnMessages
  /** Names of own messages that the network does not keep yet. */
  waiting: () => Promise<ShownId[]>
  people: PersonViews
  typing: Typing
}

export class MessageCalls implements MessagesApi {
  readonly #components: MessageCallsComponents

  constructor(components: MessageCallsComponents) {
    this.#components = components
  }

  async page(conversationId: string, options: PageOptions = {}): Promise<ChatMessage[]> {
    const { states, history, people } = this.#components
    const limit = Math.max(1, Math.min(options.limit ?? DEFAULT_PAGE, MAX_PAGE))
    const before = options.before === undefined ? undefined : await states.read(slots.place(options.before as ShownId))
    return (await history.page(conversationId, before?.order, limit)).map(row => people.message(row))
  }

  async find(id: string): Promise<ChatMessage | null> {
    const row = await this.#row(id)
    return row && row.kind !== 'removed' ? this.#components.people.message(row) : null
  }

  async unsent(): Promise<ChatMessage[]> {
    const ids = await this.#components.waiting()
    const found = await Promise.all([...new Set(ids)].map(id => this.find(id)))
    return found
      .filter(message => message?.mine && (message.state === 'waiting' || message.state === 'failed'))
      .map(message => message!)
      .sort((a, b) => a.sentAt - b.sentAt)
  }

  async #row(id: string): Promise<MessageRow | undefined> {
    const { states } = this.#components
    const place = await states.read(slots.place(id as ShownId))
    return place && states.read(slots.message(toHex(place.conversationId), place.order))
  }

  async pinned(conversationId: string): Promise<ChatMessage[]> {
    const entries = await this.#components.states.range('pin', conversationId, namedMessageEntry)
    const found = await Promise.all(entries.map(({ value }) => this.find(toHex(value.name))))
    return found.filter(message => message !== null).sort((a, b) => a.sentAt - b.sentAt)
  }

  async versions(id: string): Promise<TextVersion[]> {
    const entries = await this.#components.states.range('text-version', id, textVersionEntry)
    return entries
      .map(({ value }) => value)
      .sort((a, b) => a.version - b.version)
      .map(({ text, at }) => ({ text, at }))
  }

  async heardBy(id: string): Promise<HeardBy[]> {
    const entries = await this.#components.states.range('heard', id, heardEntry)
    return entries
      .map(({ value }) => ({ ...value, accountId: toHex(value.accountId), deviceId: toHex(value.deviceId) }))
      .sort((a, b) => (a.deliveredAt ?? 0) - (b.deliveredAt ?? 0))
  }

  async sendText(conversationId: string, written: string): Promise<ChatMessage> {
    return this.#send(conversationId, { kind: 'text', text: writtenText(written) })
  }

  async reply(conversationId: string, replyTo: string, written: string): Promise<ChatMessage> {
    const text = writtenText(written)
    const row = await this.#row(replyTo)
    if (!row || toHex(row.conversationId) !== conversationId) throw new PeerError('no-message')
    return this.#send(conversationId, { kind: 'reply', target: fromHex(replyTo, 32), text })
  }

  async forward(id: string, conversationId: string): Promise<ChatMessage> {
    const row = await this.#row(id)
    if (row?.kind !== 'text') throw new PeerError('no-message')
    return this.#send(conversationId, { kind: 'forward', text: row.text })
  }

  async createPoll(conversationId: string, { question, options, isMultiple }: NewPoll): Promise<ChatMessage> {
    const asked = question.trim().toWellFormed()
    const given = options.map(option => option.trim().toWellFormed())
    const isCount = given.length >= MIN_POLL_OPTIONS && given.length <= MAX_POLL_OPTIONS
    if (asked === '' || given.includes('') || new Set(given).size < given.length || !isCount)
      throw new PeerError('poll')
    requireLength(asked, MAX_QUESTION_UNITS)
    for (const option of given) requireLength(option, MAX_OPTION_UNITS)
    return this.#send(conversationId, { kind: 'poll', question: asked, options: given, isMultiple })
  }

  async #send(...[conversationId, body]: Parameters<OwnMessages['send']>): Promise<ChatMessage> {
    return this.#components.people.message(await this.#components.own.send(conversationId, body))
  }

  tellTyping(conversationId: string, isTyping: boolean): Promise<void> {
    return this.#components.typing.tell(conversationId, isTyping)
  }

  retry(id: string): Promise<void> {
    return this.#components.own.retry(id as ShownId)
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

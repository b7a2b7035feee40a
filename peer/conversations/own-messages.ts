/** Messages that the user writes: each is on disk, and on its way, once it was taken. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { createMessageId, decodeMessage, type MessageId } from '../../protocol/conversation/message.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { SerialQueue } from '../../protocol/serial-queue.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { bodyOfFile } from '../files/file-message.ts'
import { linePerson } from '../groups/group-lines.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { NewMessage } from '../store/new-message.ts'
import type { MessageLog } from '../history/message-log.ts'
import { bodyOfRow, fieldsOfBody, type ShownBody } from '../history/shown-bodies.ts'
import type { ChatMessage } from '../peer-api.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { PersonViews } from '../people/person-views.ts'
import type { Outbox } from '../sending/outbox.ts'
import type { Sealer } from '../sending/sealer.ts'
import type { SealingPlan } from '../sending/sealing-plan.ts'
import type { SendPermission } from '../sending/send-permission.ts'
import type { Conversation, MessageRow, ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { SystemLine } from '../system-line.ts'

export interface OwnMessagesComponents {
  context: EngineContext
  states: StateStore
  /** The turns of what the user writes: a call looks things up before it writes, and a later one must not pass it. */
  writing: SerialQueue
  rows: ConversationRows
  marks: PersonMarksBook
  history: MessageLog
  permission: SendPermission
  sealer: Sealer
  outbox: Outbox
  people: PersonViews
  /** Takes up the upload of a file whose message failed. @returns false if only the message is to be sent again. */
  retryFile: (unit: UnitOfWork, row: MessageRow) => Promise<boolean>
}

/** A message before it has its row. */
interface Written {
  messageId: MessageId
  sentAt: number
  body: ShownBody
}

export class OwnMessages {
  readonly #components: OwnMessagesComponents

  constructor(components: OwnMessagesComponents) {
    this.#components = components
  }

  /**
   * Takes a message; it is on disk, and in the queue, when this resolves.
   * @throws PeerError `no-conversation`, `blocked`, `held`.
   */
  send(conversationId: string, body: ShownBody): Promise<MessageRow> {
    const { context, writing } = this.#components
    const written = { messageId: createMessageId(context.random), sentAt: context.timers.now(), body }
    return writing.run(() => this.#send(conversationId, written))
  }

  async #send(conversationId: string, written: Written): Promise<MessageRow> {
    const { sealer } = this.#components
    const plan = await sealer.readyPlan(conversationId)
    return this.#addAndSeal(conversationId, written, plan).catch((error: unknown) => {
      if (!plan || error instanceof PeerError) throw error
      // It could not be sealed at once: taken it can be all the same.
      return this.#addAndSeal(conversationId, written, undefined)
    })
  }

  #addAndSeal(conversationId: string, written: Written, plan: SealingPlan | undefined): Promise<MessageRow> {
    const { states, sealer } = this.#components
    return states.unit(async unit => {
      const row = await this.#add(unit, conversationId, written)
      if (plan) await sealer.sealAtOnce(unit, plan)
      return row
    })
  }

  async #add(unit: UnitOfWork, conversationId: string, { messageId, sentAt, body }: Written): Promise<MessageRow> {
    const row = await this.add(unit, conversationId, this.#own({ messageId, sentAt, body }), { draft: '' })
    const { expiresAfter } = row
    const options = { messageId, shown: true, sentAt, expiresAfter }
    await this.#components.sealer.enqueue(unit, row.conversationId, body, options)
    return row
  }

  #own({ messageId, sentAt, body }: Written): NewMessage {
    const { context } = this.#components
    const own = { from: context.accountId(), device: context.device().deviceId, mine: true }
    return { ...own, ...fieldsOfBody(body), messageId, line: null, sentAt, state: 'waiting', problem: null }
  }

  /** Whether one may write in a conversation now. @throws PeerError `no-conversation`, `blocked`, `held`. */
  async requireOpen(conversationId: string): Promise<void> {
    const conversation = await this.#components.states.read(slots.conversation(conversationId))
    if (!conversation) throw new PeerError('no-conversation')
    this.#components.permission.check(conversation)
  }

  /** Shows an own message. Who writes to a person accepts them. @throws PeerError as {@link requireOpen}. */
  async add(
    unit: UnitOfWork,
    conversationId: string,
    message: NewMessage,
    change: Partial<Pick<Conversation, 'draft'>> = {}
  ): Promise<MessageRow> {
    const { permission, history } = this.#components
    const conversation = await unit.read(slots.conversation(conversationId))
    if (!conversation) throw new PeerError('no-conversation')
    await permission.require(unit, conversation)
    const expiresAfter = conversation.timer?.seconds ?? null
    return history.appendNew(unit, { ...conversation, ...change }, { ...message, expiresAfter })
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
      const own = this.#own({ messageId, sentAt, body: { kind: 'text', text: '' } })
      const row = await history.appendNew(unit, conversation, { ...own, kind: 'system', line })
      const options = { messageId, shown: true, sentAt }
      await sealer.enqueue(unit, conversation.conversationId, { kind: 'groupJoin', secret }, options)
      return row
    })
  }

  /** A message as screens see it. */
  view(row: MessageRow): ChatMessage {
    return this.#components.people.message(row)
  }

  /** Tries a failed message again, with its old place if it had one. */
  async retry(id: ShownId): Promise<void> {
    const { states, history, sealer, outbox, retryFile } = this.#components
    await states.unit(async unit => {
      const row = await history.update(unit, id, current =>
        current.mine && current.state === 'failed' ? { ...current, state: 'waiting', problem: null } : undefined
      )
      if (!row) return
      const { conversationId, messageId, text, file, sentAt, expiresAfter } = row
      if (file && (await retryFile(unit, row))) return
      const sent = await this.#sentBefore(conversationId, messageId)
      if (!sent) {
        const options = { messageId, shown: true, sentAt, expiresAfter }
        return sealer.enqueue(unit, conversationId, file ? bodyOfFile(file, text) : bodyOfRow(row), options)
      }
      const { sequence, predecessor, content } = sent
      const again = { sequence, predecessor }
      await sealer.enqueueAgain(unit, { conversationId, messageId, content, sequenced: true, again })
    })
    outbox.kick(true)
  }

  async #sentBefore(conversationId: ConversationId, messageId: MessageId) {
    const sent = await this.#components.states.range('sent', toHex(conversationId), slots.sent('', 0).codec)
    return sent.find(({ value }) => equalBytes(decodeMessage(value.content).messageId, messageId))?.value
  }
}

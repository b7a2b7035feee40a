/** Writes into the history what a packet shows: messages under a date that can be defended, gaps, and lines of Volo itself. */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { amendmentsOf, isAmending } from '../../protocol/conversation/amendments.ts'
import type { PacketOrigin, Row } from '../../protocol/conversation/packet-effects.ts'
import { MESSAGE_ID_BYTES, type Message, type MessageId } from '../../protocol/conversation/message.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { labelled, type Purpose } from '../../protocol/labels.ts'
import type { EngineContext } from '../engine-context.ts'
import { fileOfBody } from '../files/file-message.ts'
import { timerLine, type ConversationTimer } from '../history/conversation-timer.ts'
import { eventOf, targetOf } from '../history/amendment-target.ts'
import type { NewMessage } from '../store/new-message.ts'
import type { MessageLog } from '../history/message-log.ts'
import { fieldsOfBody, shownBody } from '../history/shown-bodies.ts'
import { shownIdOf } from '../history/shown-id.ts'
import type { LateHistory } from '../own-devices/late-history.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import { shownDate } from './shown-date.ts'

/** Notes that the user accepts a person. */
export interface Acceptance {
  set(unit: UnitOfWork, accountId: AccountId, marks: { answer: 'accepted' }): Promise<unknown>
}

export interface RowWriterComponents {
  context: EngineContext
  history: MessageLog
  marks: Acceptance
  timer: ConversationTimer
  /** Keeps what a new device of the account does not get by itself. */
  late: Pick<LateHistory, 'noteRow'>
  groups: { accept(unit: UnitOfWork, groupId: ConversationId): void }
  /** A gap is shown now. */
  onGap: (conversationId: string) => void
}

export class RowWriter {
  readonly #components: RowWriterComponents
  /** The latest date under which a message of each device is shown; see {@link shownDate}. */
  readonly #shownUntil = new Map<string, number>()
  #unreadable = 0

  constructor(components: RowWriterComponents) {
    this.#components = components
  }

  /** Messages whose content could not be read. */
  get unreadable(): number {
    return this.#unreadable
  }

  /** @param storedAt - when a node had it, milliseconds; left out for what was held back here. */
  async write(unit: UnitOfWork, origin: PacketOrigin, row: Row, storedAt: number | undefined): Promise<void> {
    const { history, onGap } = this.#components
    const conversation = await unit.read(slots.conversation(toHex(origin.conversationId)))
    // A session is accepted together with the row of its conversation.
    if (!conversation) throw new Error('a packet of a conversation that has no row')
    const { senderAccount: account, senderDevice: device } = origin
    switch (row.kind) {
      case 'gap':
        await history.appendGap(unit, conversation, { account, device, from: row.from, to: row.to })
        unit.after(() => onGap(toHex(origin.conversationId)))
        return
      case 'gone':
        return history.markGone(unit, conversation, { account, device, from: row.from, to: row.to })
      case 'not-linked':
        await history.append(unit, conversation, this.#line(origin))
        return
      case 'removed-device':
        return this.#tellRemoved(unit, conversation, origin)
      default:
        return this.#message(unit, conversation, origin, row, storedAt)
    }
  }

  async #message(
    unit: UnitOfWork,
    found: Conversation,
    origin: PacketOrigin,
    row: Extract<Row, { kind: 'message' | 'unreadable' }>,
    storedAt: number | undefined
  ): Promise<void> {
    const { context, history, late, marks, groups } = this.#components
    const conversation = row.kind === 'message' ? await this.#amend(unit, found, origin, row.message) : found
    const shown = row.kind === 'message' ? this.#shownForm(origin, row.message) : this.#unreadableForm(origin, row)
    if (shown) await this.#setDate(unit, origin, conversation, shown, { isLate: row.late, storedAt })
    // The user wrote to this person on another own device.
    if (shown?.mine && conversation.kind === 'direct') {
      await marks.set(unit, conversation.accountId, { answer: 'accepted' })
    }
    if (shown?.mine && conversation.kind === 'group') groups.accept(unit, conversation.conversationId)
    if (row.late) await history.fill(unit, conversation, origin.senderDevice, row.sequence, shown)
    else if (shown) await history.append(unit, conversation, shown)
    const name = shown
      ? shownIdOf(context, { ...shown, conversationId: origin.conversationId })
      : row.kind === 'message' && isAmending(row.message.body)
        ? targetOf(context, origin.conversationId, row.message.body, origin.senderAccount)
        : undefined
    await late.noteRow(unit, origin, row, name)
  }

  /** Takes in what a message says about another one, or about the conversation. @returns the conversation after it. */
  async #amend(
    unit: UnitOfWork,
    conversation: Conversation,
    origin: PacketOrigin,
    { body, sentAt }: Message
  ): Promise<Conversation> {
    const { context, history, timer } = this.#components
    const { senderAccount: from, senderDevice: deviceId } = origin
    const mine = equalBytes(from, context.accountId())
    if (body.kind === 'timer') {
      const changed = timer.taken(conversation, origin, body)
      if (changed === conversation) return conversation
      history.saveConversation(unit, changed)
      const event = { from, sentAt, message: null, what: { kind: 'timer' as const, seconds: body.seconds } }
      if (!mine) await history.noteEvent(unit, conversation, event)
      return changed
    }
    // A star belongs to the own devices, and comes on their way.
    if (!isAmending(body) || body.kind === 'star') return conversation
    const id = targetOf(context, conversation.conversationId, body, from)
    const said = amendmentsOf(body, { accountId: from, deviceId, sentAt })
    if (!(await history.amend(unit, toHex(conversation.conversationId), id, said))) return conversation
    const event = { from, sentAt, message: fromHex(id, 32), what: eventOf(body) }
    if (!mine) await history.noteEvent(unit, conversation, event)
    // It may have counted as unread, or have been the last one.
    return (await unit.read(slots.conversation(toHex(conversation.conversationId))))!
  }

  /** How a message is shown; undefined for one that only changes others. */
  #shownForm(origin: PacketOrigin, { messageId, sentAt, expiresAfter, body }: Message): NewMessage | undefined {
    const shown = { ...this.#ofSender(origin, messageId, sentAt), expiresAfter }
    const read = shownBody(body)
    if (read) return { ...shown, ...fieldsOfBody(read) }
    switch (body.kind) {
      case 'timer':
        return timerLine(shown, body.seconds)
      case 'attachment':
        return { ...shown, kind: 'file', text: body.caption, file: fileOfBody(body) }
      case 'voiceNote':
        return { ...shown, kind: 'file', file: fileOfBody(body) }
      case 'unsupported':
        return { ...shown, kind: 'unsupported' }
      default:
        return undefined
    }
  }

  /** What its sender signed and nobody can read is seen all the same: it was acknowledged as sent. */
  #unreadableForm(origin: PacketOrigin, row: Extract<Row, { kind: 'unreadable' }>): NewMessage {
    this.#unreadable++
    const id = this.#fixedId('unreadable-line', origin, row.sequence)
    return { ...this.#ofSender(origin, id, this.#components.context.timers.now()), kind: 'unsupported' }
  }

  #ofSender(origin: PacketOrigin, messageId: MessageId, sentAt: number): NewMessage {
    const mine = equalBytes(origin.senderAccount, this.#components.context.accountId())
    return {
      messageId,
      from: origin.senderAccount,
      device: origin.senderDevice,
      mine,
      kind: 'text',
      text: '',
      line: null,
      sentAt,
      state: mine ? 'sent' : null,
      problem: null
    }
  }

  /** Keeps the date that a sender claims within what can be defended. What fills a gap may be older than what is there. */
  async #setDate(
    unit: UnitOfWork,
    origin: PacketOrigin,
    conversation: Conversation,
    shown: NewMessage,
    { isLate, storedAt }: { isLate: boolean; storedAt: number | undefined }
  ): Promise<void> {
    const now = this.#components.context.timers.now()
    const key = `${toHex(origin.conversationId)}/${toHex(origin.senderDevice)}`
    const previous = this.#shownUntil.get(key) ?? (await lastDateOf(unit, conversation, origin))
    const bounds = { storedAt: storedAt ?? now, now, previous: isLate ? undefined : previous }
    shown.sentAt = shownDate(shown.sentAt, bounds)
    this.#shownUntil.set(key, Math.max(shown.sentAt, previous ?? 0))
  }

  /** The chain of a sender's messages is broken: others may have been shown something else. */
  #line(origin: PacketOrigin): NewMessage {
    const { random, timers } = this.#components.context
    const line = this.#ofSender(origin, random(MESSAGE_ID_BYTES) as MessageId, timers.now())
    return { ...line, mine: false, state: null, kind: 'system', line: { kind: 'not-linked' } }
  }

  /** Says in a conversation, once for each device, that something is not shown: nothing vanishes without a sign. */
  async #tellRemoved(unit: UnitOfWork, conversation: Conversation, origin: PacketOrigin): Promise<void> {
    const { context, history } = this.#components
    context.log.warn('what a removed device sent is not shown', { device: toHex(origin.senderDevice) })
    // The same id each time, so that the line is there once; of our account, so that the device cannot take the id first.
    const own = { ...origin, senderAccount: context.accountId(), senderDevice: context.device().deviceId }
    const line = this.#ofSender(own, this.#fixedId('removed-device-line', origin), context.timers.now())
    const mine = equalBytes(origin.senderAccount, context.accountId())
    await history.append(unit, conversation, {
      ...line,
      mine: false,
      state: null,
      kind: 'system',
      line: { kind: 'removed-device', mine }
    })
  }

  #fixedId(purpose: Purpose, { conversationId, senderDevice }: PacketOrigin, ...more: number[]): MessageId {
    const { context } = this.#components
    const name = labelled(purpose, context.network().id, conversationId, senderDevice, ...more)
    return context.crypto.sha256(name).slice(0, MESSAGE_ID_BYTES) as MessageId
  }
}

/** The date of the last message shown, if it is of this device. */
async function lastDateOf(
  unit: UnitOfWork,
  { conversationId, lastOrder }: Conversation,
  { senderDevice }: PacketOrigin
): Promise<number | undefined> {
  const row = lastOrder === null ? undefined : await unit.read(slots.message(toHex(conversationId), lastOrder))
  return row && equalBytes(row.device, senderDevice) ? row.sentAt : undefined
}

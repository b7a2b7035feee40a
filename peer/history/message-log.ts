/**
 * The messages of a conversation as they are shown. A message gets the next place when it is shown; a gap takes a place
 * too, and what fills it later is shown there, in its sender's order.
 */
import { toHex } from '../../protocol/bytes.ts'
import { createMessageId } from '../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { DeliveryState } from '../peer-api.ts'
import type { SystemLine } from '../system-line.ts'
import type { MessageProblem } from '../problems.ts'
import type { EngineContext } from '../engine-context.ts'
import { shownIdOf } from './shown-id.ts'
import type { TextIndex } from './text-index.ts'
import {
  gapEntry,
  messageEntry,
  nextOrder,
  orderOf,
  slots,
  type Conversation,
  type GapEntry,
  type MessageRow,
  type ShownId
} from '../store/store-layout.ts'
import { ownDeviceSlots } from '../store/own-device-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** A message before it has its place. */
export type NewMessage = Omit<MessageRow, 'conversationId' | 'receivedAt' | 'readTold' | 'file'> &
  Partial<Pick<MessageRow, 'file'>>

export interface MessageLogInit {
  /** Called after the commit for each message that appeared or changed. */
  onMessage: (row: MessageRow) => void
  onConversation: (conversation: Conversation) => void
  /** Hears of each row that appears, and of each text that changes. */
  index: TextIndex
  /** Whether received messages are kept in line for `listen`. */
  keepUnheard: boolean
}

/** How far an own message got; it never goes back. */
const RANK: Record<DeliveryState, number> = { failed: 0, waiting: 1, sent: 2, delivered: 3, read: 4 }

export class MessageLog {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #init: MessageLogInit

  constructor(context: EngineContext, states: StateStore, init: MessageLogInit) {
    this.#context = context
    this.#states = states
    this.#init = init
  }

  /** Writes a conversation and tells who watches. */
  saveConversation(unit: UnitOfWork, conversation: Conversation): void {
    unit.write(slots.conversation(toHex(conversation.conversationId)), conversation)
    unit.tell(() => this.#init.onConversation(conversation))
  }

  /** Shows a message at the end. @returns the row, or undefined if this message is there already. */
  async append(unit: UnitOfWork, conversation: Conversation, message: NewMessage): Promise<MessageRow | undefined> {
    if (await this.#isShown(unit, conversation, message)) return undefined
    return this.appendNew(unit, conversation, message)
  }

  /** Shows a message at the end whose id was made just now, so that nothing has to be looked up. */
  appendNew(unit: UnitOfWork, conversation: Conversation, message: NewMessage): Promise<MessageRow> {
    const order = orderOf(conversation.nextPlace)
    return this.#show(
      unit,
      { ...conversation, nextPlace: conversation.nextPlace + 1, lastOrder: order },
      order,
      message
    )
  }

  async #isShown(unit: UnitOfWork, { conversationId }: Conversation, message: NewMessage): Promise<boolean> {
    return (await unit.read(slots.place(shownIdOf(this.#context, { ...message, conversationId })))) !== undefined
  }

  /** Shows that messages of a device are missing. */
  async appendGap(unit: UnitOfWork, conversation: Conversation, gap: GapOf): Promise<void> {
    const conversationId = toHex(conversation.conversationId)
    const missing = gap.to - gap.from + 1
    const order = orderOf(conversation.nextPlace)
    const { device, from, to } = gap
    unit.write(slots.gap(conversationId, toHex(device), from), { device, from, to, missing, gone: 0, order })
    const row = this.#gapRow(gap, missing)
    await this.#show(unit, { ...conversation, nextPlace: conversation.nextPlace + 1, lastOrder: order }, order, row)
  }

  /**
   * Puts a late message where it was missing.
   * @param message - undefined for one that is not shown itself, but closes the gap.
   */
  async fill(
    unit: UnitOfWork,
    conversation: Conversation,
    device: DeviceId,
    sequence: number,
    message: NewMessage | undefined
  ): Promise<void> {
    const conversationId = toHex(conversation.conversationId)
    const gap = await this.#gapOf(unit, conversationId, device, sequence)
    if (message) {
      // Without its gap (it was given up) the message still has to be seen.
      if (!gap) await this.append(unit, conversation, message)
      else if (!(await this.#isShown(unit, conversation, message)))
        await this.#show(unit, conversation, `${gap.order}.${orderOf(sequence)}`, message)
    }
    if (gap) await this.#shrink(unit, conversationId, gap)
  }

  async #gapOf(
    unit: UnitOfWork,
    conversationId: string,
    device: DeviceId,
    sequence: number
  ): Promise<GapEntry | undefined> {
    const key = toHex(device)
    const gaps = await unit.range('gap', conversationId, gapEntry)
    return gaps.find(({ value: { device, from, to } }) => toHex(device) === key && from <= sequence && sequence <= to)
      ?.value
  }

  async #shrink(unit: UnitOfWork, conversationId: string, gap: GapEntry): Promise<void> {
    const slot = slots.gap(conversationId, toHex(gap.device), gap.from)
    const rowSlot = slots.message(conversationId, gap.order)
    const row = await unit.read(rowSlot)
    const missing = gap.missing - 1
    if (missing > 0) unit.write(slot, { ...gap, missing })
    else unit.remove(slot)
    if (!row) return
    // A closed gap stays as an empty line of its kind: what stood before and after it keeps its place.
    const changed = { ...row, line: missing > 0 ? missingLine(missing, gap.gone) : null }
    unit.write(rowSlot, changed)
    unit.tell(() => this.#init.onMessage(changed))
  }

  /** Says in the line of a gap that its sender does not have some of the messages any more. */
  async markGone(unit: UnitOfWork, conversation: Conversation, { device, from, to }: GapOf): Promise<void> {
    const conversationId = toHex(conversation.conversationId)
    const key = toHex(device)
    for (const { value: gap } of await unit.range('gap', conversationId, gapEntry)) {
      if (toHex(gap.device) !== key || gap.to < from || to < gap.from) continue
      const overlap = Math.min(to, gap.to) - Math.max(from, gap.from) + 1
      const changed = { ...gap, gone: Math.min(gap.gone + overlap, gap.missing) }
      unit.write(slots.gap(conversationId, key, gap.from), changed)
      const rowSlot = slots.message(conversationId, gap.order)
      const row = await unit.read(rowSlot)
      if (!row) continue
      const told = { ...row, line: missingLine(gap.missing, changed.gone) }
      unit.write(rowSlot, told)
      unit.tell(() => this.#init.onMessage(told))
    }
  }

  #gapRow({ device, account }: GapOf, missing: number): NewMessage {
    return {
      messageId: createMessageId(this.#context.random),
      from: account,
      device,
      mine: false,
      kind: 'gap',
      text: '',
      line: missingLine(missing, 0),
      sentAt: this.#context.timers.now(),
      state: null,
      problem: null
    }
  }

  async #show(unit: UnitOfWork, conversation: Conversation, order: string, message: NewMessage): Promise<MessageRow> {
    const { conversationId } = conversation
    const placeSlot = slots.place(shownIdOf(this.#context, { ...message, conversationId }))
    const now = this.#context.timers.now()
    const isSeen =
      !message.mine && (await this.#wasSeenElsewhere(unit, shownIdOf(this.#context, { ...message, conversationId })))
    const row: MessageRow = { file: null, ...message, conversationId, receivedAt: now, readTold: isSeen }
    const counts = !message.mine && !isSeen && isUnreadKind(message.kind)
    unit.write(slots.message(toHex(conversationId), order), row)
    await this.#init.index.rowAppeared(unit, toHex(conversationId), order)
    unit.write(placeSlot, { conversationId, order })
    this.saveConversation(unit, { ...conversation, updatedAt: now, unread: conversation.unread + (counts ? 1 : 0) })
    if (counts && this.#init.keepUnheard) {
      unit.write(slots.unheard(await nextOrder(unit)), { conversationId, order })
    }
    unit.tell(() => this.#init.onMessage(row))
    return row
  }

  /** Whether another own device said that it was read, before it came here. */
  async #wasSeenElsewhere(unit: UnitOfWork, id: ShownId): Promise<boolean> {
    const slot = ownDeviceSlots.awaitedMark(id)
    const isSeen = (await unit.read(slot)) !== undefined
    if (isSeen) unit.remove(slot)
    return isSeen
  }

  /** Changes a message's row. @returns the new row, or undefined if there is none or `change` gave nothing. */
  async update(
    unit: UnitOfWork,
    id: ShownId,
    change: (row: MessageRow) => MessageRow | undefined
  ): Promise<MessageRow | undefined> {
    const place = await unit.read(slots.place(id))
    if (!place) return undefined
    const slot = slots.message(toHex(place.conversationId), place.order)
    const row = await unit.read(slot)
    const changed = row && change(row)
    if (!changed) return undefined
    unit.write(slot, changed)
    if (changed.text !== row.text || changed.kind !== row.kind) {
      await this.#init.index.textChanged(unit, toHex(place.conversationId), place.order)
    }
    unit.tell(() => this.#init.onMessage(changed))
    return changed
  }

  /** Moves an own message's state forward, never back. */
  advance(unit: UnitOfWork, id: ShownId, state: DeliveryState): Promise<MessageRow | undefined> {
    return this.update(unit, id, row =>
      row.mine && row.state !== null && RANK[state] > RANK[row.state] ? { ...row, state, problem: null } : undefined
    )
  }

  /** Says why an own message still waits. */
  notProgressing(unit: UnitOfWork, id: ShownId, problem: MessageProblem | null): Promise<MessageRow | undefined> {
    return this.update(unit, id, row =>
      row.state === 'waiting' && row.problem !== problem ? { ...row, problem } : undefined
    )
  }

  /** Messages in display order, newest last; closed gaps are left out. */
  async page(conversationId: string, before: string | undefined, limit: number): Promise<MessageRow[]> {
    return (await this.pageWithOrder(conversationId, before, limit)).rows
  }

  /** A {@link page}, with the order before which the next page ends; undefined at the beginning of the conversation. */
  async pageWithOrder(
    conversationId: string,
    before: string | undefined,
    limit: number
  ): Promise<{ rows: MessageRow[]; order: string | undefined }> {
    const rows: { row: MessageRow; order: string }[] = []
    let bound = before
    while (rows.length < limit) {
      const entries = await this.#states.range('message', conversationId, messageEntry, {
        ...(bound === undefined ? {} : { before: bound }),
        reverse: true,
        limit
      })
      rows.push(
        ...entries.filter(({ value }) => !isClosedGap(value)).map(({ value, order }) => ({ row: value, order }))
      )
      if (entries.length < limit) break
      bound = entries.at(-1)!.order
    }
    const page = rows.slice(0, limit)
    return { rows: page.map(({ row }) => row).reverse(), order: page.at(-1)?.order }
  }
}

/** Messages that are missing, and whose they are. */
export interface GapOf {
  account: AccountId
  device: DeviceId
  from: number
  to: number
}

const missingLine = (missing: number, gone: number): SystemLine => ({ kind: 'missing', missing, gone })

/** Whether a message of this kind counts as unread until it was on a screen. */
export const isUnreadKind = (kind: MessageRow['kind']): boolean =>
  kind === 'text' || kind === 'file' || kind === 'unsupported'

/** Whether a row is what is left of a gap that was filled. */
export const isClosedGap = (row: MessageRow): boolean => row.kind === 'gap' && row.line === null

/**
 * The messages of a conversation as they are shown. A message gets the next place when it is shown; a gap takes a place
 * too, and what fills it later is shown there, in its sender's order.
 */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Amendments } from '../../protocol/conversation/amendments.ts'
import { createMessageId } from '../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { DeliveryState } from '../peer-api.ts'
import type { SystemLine } from '../system-line.ts'
import type { MessageProblem } from '../problems.ts'
import type { EngineContext } from '../engine-context.ts'
import { amendedRow } from './amended-row.ts'
import { awaitAmendments, isErased, leaveTraces } from './amendment-traces.ts'
import { NO_BODY } from './shown-bodies.ts'
import { shownIdOf } from './shown-id.ts'
import type { TextIndex } from './text-index.ts'
import { isUnread, UnreadCounts } from './unread-counts.ts'
import {
  messageEntry,
  orderOf,
  type Conversation,
  type MessageRow,
  type ShownId
} from '../store/conversation-entries.ts'
import { amendmentSlots } from '../store/amendment-slots.ts'
import { gapEntry, heardEntry, nextOrder, slots, type ChatEventEntry, type GapEntry } from '../store/store-layout.ts'
import type { NewMessage, OftenEmpty } from '../store/new-message.ts'
import { ownDeviceSlots } from '../store/own-device-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

const EMPTY: Pick<MessageRow, OftenEmpty> = { ...NO_BODY, file: null, expiresAfter: null }

/** Takes away the copies of a message that this device keeps elsewhere, as part of a unit of work. */
export interface Erasing {
  /** @param before - the row before its content was taken away. */
  erase(unit: UnitOfWork, row: MessageRow, before: MessageRow): Promise<void>
}

export interface MessageLogInit {
  /** Called after the commit for each message that appeared or changed. */
  onMessage: (row: MessageRow) => void
  onConversation: (conversation: Conversation) => void
  /** Hears of each row that appears, and of each text that changes. */
  index: TextIndex
  /** A person did something that `listen` prints. */
  onEvent: () => void
  /** A message will disappear at this time. */
  onExpiry: (at: number) => void
  /** Whether received messages are kept in line for `listen`. */
  keepUnheard: boolean
  erasing: Erasing
  /** The username of this account, without the @; null while it has none. */
  ownName: () => string | null
}

/** Messages that are looked at in one go. */
const PAGE = 100

/** How far an own message got; it never goes back. */
const RANK: Record<DeliveryState, number> = { failed: 0, waiting: 1, sent: 2, delivered: 3, read: 4 }

export class MessageLog {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #init: MessageLogInit
  /** What waits to be read, as messages come and are read. */
  readonly unread: UnreadCounts

  constructor(context: EngineContext, states: StateStore, init: MessageLogInit) {
    this.#context = context
    this.#states = states
    this.#init = init
    this.unread = new UnreadCounts(init.ownName)
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
    return this.#show(unit, { ...conversation, nextPlace: conversation.nextPlace + 1 }, order, message, true)
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
    await this.#show(unit, { ...conversation, nextPlace: conversation.nextPlace + 1 }, order, row, true)
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
        await this.#show(unit, conversation, `${gap.order}.${orderOf(sequence)}`, message, false)
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

  /** @param isLast - whether it stands at the end. */
  async #show(
    unit: UnitOfWork,
    conversation: Conversation,
    order: string,
    message: NewMessage,
    isLast: boolean
  ): Promise<MessageRow> {
    const { conversationId } = conversation
    const now = this.#context.timers.now()
    const isSeen =
      !message.mine && (await this.#wasSeenElsewhere(unit, shownIdOf(this.#context, { ...message, conversationId })))
    const { expiresAfter = null, mine, sentAt } = message
    const isTimed = expiresAfter !== null && (mine || isSeen)
    const expiresAt = isTimed ? (mine ? sentAt : now) + expiresAfter * 1000 : null
    const isNew = { receivedAt: now, readTold: isSeen, expiresAt, amendments: null }
    const row = await this.insert(unit, order, { ...EMPTY, ...message, conversationId, ...isNew })
    const counts = isUnread(row)
    this.saveConversation(unit, {
      ...conversation,
      updatedAt: now,
      ...this.unread.with(conversation, row),
      lastOrder: isLast && isVisible(row) ? order : conversation.lastOrder
    })
    // An alarm is no message of a person, and a script must hear it all the same.
    if ((counts || row.line?.kind === 'differs') && this.#init.keepUnheard) {
      unit.write(slots.unheard(await nextOrder(unit)), { conversationId, order, event: null })
    }
    unit.tell(() => this.#init.onMessage(row))
    return row
  }

  /** Writes the row of a message that is new here. @returns the row, with what was said about it before it came. */
  async insert(unit: UnitOfWork, order: string, row: MessageRow): Promise<MessageRow> {
    const { conversationId } = row
    const id = shownIdOf(this.#context, row)
    const slot = amendmentSlots.awaited(toHex(conversationId), id)
    const awaited = await unit.read(slot)
    const amended = awaited ? amendedRow(row, awaited) : row
    if (awaited) unit.remove(slot)
    unit.write(slots.message(toHex(conversationId), order), amended)
    unit.write(slots.place(id), { conversationId, order })
    await this.#init.index.rowAppeared(unit, toHex(conversationId), order)
    if (amended.expiresAt !== null) await this.#noteExpiry(unit, id, amended.expiresAt)
    if (awaited || amended.amendments) await leaveTraces(unit, id, row, amended)
    if (isErased(amended)) await this.#init.erasing.erase(unit, amended, row)
    return amended
  }

  async #noteExpiry(unit: UnitOfWork, id: ShownId, at: number): Promise<void> {
    unit.write(slots.expiry(`${orderOf(at)}.${await nextOrder(unit)}`), { name: fromHex(id, 32) })
    unit.after(() => this.#init.onExpiry(at))
  }

  /**
   * Takes in what is said in a conversation about one of its messages, whether or not that has come. The order in which things
   * are said makes no difference.
   * @returns whether it says anything new.
   */
  async amend(unit: UnitOfWork, conversationId: string, id: ShownId, said: Amendments): Promise<boolean> {
    const place = await unit.read(slots.place(id))
    if (!place) return awaitAmendments(unit, conversationId, id, said)
    const before = await unit.read(slots.message(conversationId, place.order))
    // Who is in this conversation need not be in the one that the message is in.
    if (!before || toHex(place.conversationId) !== conversationId) return false
    const after = amendedRow(before, said)
    await leaveTraces(unit, id, before, after, said)
    if (after === before) return false
    await this.update(unit, id, () => after)
    if (!isErased(after)) return true
    for (const { order } of await unit.range('heard', id, heardEntry)) unit.remove(slots.heard(id, order))
    await this.#noteErased(unit, place.order, before, after)
    await this.#init.erasing.erase(unit, after, before)
    return true
  }

  /** What is erased counts as unread no longer, and a removed message is not the last one. */
  async #noteErased(unit: UnitOfWork, order: string, before: MessageRow, after: MessageRow): Promise<void> {
    const id = toHex(after.conversationId)
    const conversation = await unit.read(slots.conversation(id))
    if (!conversation) return
    const counts = this.unread.without(conversation, isUnread(before) ? [before] : [])
    const isLast = conversation.lastOrder === order && !isVisible(after)
    const lastOrder = isLast ? await this.#lastBefore(unit, id, order) : conversation.lastOrder
    this.saveConversation(unit, { ...conversation, ...counts, lastOrder })
  }

  /** Order of the last message before another one that is shown; null if there is none. */
  async #lastBefore(unit: UnitOfWork, conversationId: string, order: string): Promise<string | null> {
    let before = order
    for (;;) {
      const options = { before, reverse: true, limit: PAGE }
      const entries = await this.#states.range('message', conversationId, messageEntry, options)
      for (const entry of entries) {
        // The unit may have erased it.
        const row = await unit.read(slots.message(conversationId, entry.order))
        if (row && isVisible(row)) return entry.order
      }
      if (entries.length < PAGE) return null
      before = entries.at(-1)!.order
    }
  }

  /** Counts a message as read; one that disappears begins to. @returns the new row, or undefined if it was read before. */
  async markSeen(unit: UnitOfWork, id: ShownId): Promise<MessageRow | undefined> {
    const now = this.#context.timers.now()
    const seen = await this.update(unit, id, row => {
      if (row.readTold) return undefined
      const expiresAt = row.expiresAfter === null || row.mine ? row.expiresAt : now + row.expiresAfter * 1000
      return { ...row, readTold: true, expiresAt }
    })
    if (seen && !seen.mine && seen.expiresAt !== null) await this.#noteExpiry(unit, id, seen.expiresAt)
    return seen
  }

  /** Lets a message disappear at another time. */
  async expireAt(unit: UnitOfWork, id: ShownId, expiresAt: number): Promise<void> {
    if (await this.update(unit, id, row => ({ ...row, expiresAt }))) await this.#noteExpiry(unit, id, expiresAt)
  }

  /** Puts what a person did into the line of `listen`. */
  async noteEvent(unit: UnitOfWork, { conversationId }: Conversation, event: ChatEventEntry): Promise<void> {
    if (!this.#init.keepUnheard) return
    unit.write(slots.unheard(await nextOrder(unit)), { conversationId, order: '', event })
    unit.tell(() => this.#init.onEvent())
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
      rows.push(...entries.filter(({ value }) => isVisible(value)).map(({ value, order }) => ({ row: value, order })))
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

/** False for what only keeps a place: a gap that was filled, a message that the user removed. */
export const isVisible = ({ kind, line }: MessageRow): boolean =>
  kind !== 'removed' && (kind !== 'gap' || line !== null)

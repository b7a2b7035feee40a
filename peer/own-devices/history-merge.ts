/**
 * Merges history of another own device into the message log of this one. A message that is here already stays as it is, so a
 * piece can be merged any number of times. Shipped messages keep their order, before everything that this device has received
 * itself: an order of place 0, which the log never gives out. Only what follows a message that came here by itself, in the
 * order of the other device, stands behind that one.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { EngineContext } from '../engine-context.ts'
import { conversationOf } from '../groups/conversation-roster.ts'
import { isUnreadKind, type MessageLog } from '../history/message-log.ts'
import { shownIdOf } from '../history/shown-id.ts'
import type { TextIndex } from '../history/text-index.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import { PROFILE_REVISION } from '../sending/profile.ts'
import { ownDeviceSlots } from '../store/own-device-slots.ts'
import { MAX_ORDER_LENGTH, orderOf, slots, type Conversation, type MessageRow } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { HistoryPiece, ShippedConversation } from './history-piece.ts'
import type { OwnSync } from './own-sync.ts'

/** What shipped messages are ordered under. */
const SHIPPED = `${orderOf(0)}.`

export interface HistoryMergeComponents {
  marks: Pick<PersonMarksBook, 'set'>
  context: EngineContext
  history: MessageLog
  index: Pick<TextIndex, 'rowAppeared'>
  tokens: DeliveryTokens
  sync: Pick<OwnSync, 'takeItems'>
  /** A person whom this device may not know yet. The listener looks them up outside of the unit of work. */
  onPerson: (accountId: AccountId, profile: { username: string | null; displayName: string }) => void
}

export class HistoryMerge {
  readonly #components: HistoryMergeComponents

  constructor(components: HistoryMergeComponents) {
    this.#components = components
  }

  /** @returns how many messages were new. */
  async merge(unit: UnitOfWork, piece: HistoryPiece): Promise<number> {
    const { sync, tokens, context } = this.#components
    if (piece.items.length > 0) await sync.takeItems(unit, piece.items)
    if (piece.ownToken) {
      const { token, revision } = piece.ownToken
      await tokens.learn(unit, context.accountId(), token, revision + PROFILE_REVISION)
    }
    let added = 0
    for (const shipped of piece.conversations) added += await this.#conversation(unit, shipped)
    return added
  }

  async #conversation(unit: UnitOfWork, shipped: ShippedConversation): Promise<number> {
    const { context, history, marks, tokens, onPerson } = this.#components
    const before = await this.#rowOf(unit, shipped)
    if (!before) return 0
    const { accountId, username, displayName, deliveryToken } = shipped
    let conversation = before
    let added = 0
    let own = ''
    for (const { order, row } of shipped.rows.toReversed()) {
      const here = await unit.read(slots.place(shownIdOf(context, { ...row, conversationId: shipped.conversationId })))
      if (here && !here.order.startsWith(SHIPPED) && here.order > own) own = here.order
      // What this device will get itself, too, and the other one had first, keeps its place behind what came before it.
      const place = own === '' ? `${SHIPPED}${order}` : `${own}.${order}`
      const next = here ? undefined : await this.#row(unit, conversation, place, shipped.isRead ? asRead(row) : row)
      if (!next) continue
      conversation = next
      added++
    }
    if (deliveryToken && !(await unit.read(slots.deliveryToken(toHex(accountId))))) {
      await tokens.learn(unit, accountId, deliveryToken, 0)
    }
    const { kind } = before
    // The user wrote to this person on another own device.
    if (kind === 'direct' && shipped.rows.some(({ row }) => equalBytes(row.from, context.accountId()))) {
      await marks.set(unit, accountId, { answer: 'accepted' })
    }
    history.saveConversation(unit, conversation)
    if (before.kind === 'direct') unit.after(() => onPerson(accountId, { username, displayName: displayName ?? '' }))
    return added
  }

  /** The conversation here; undefined if what was shipped does not fit together. */
  async #rowOf(unit: UnitOfWork, shipped: ShippedConversation): Promise<Conversation | undefined> {
    const { context } = this.#components
    const participants = conversationOf(context, [context.accountId(), shipped.accountId])
    if (!equalBytes(participants.conversationId, shipped.conversationId)) return undefined
    const existing = await unit.read(slots.conversation(toHex(shipped.conversationId)))
    const { updatedAt } = shipped
    if (existing) {
      return existing.lastOrder === null ? { ...existing, updatedAt } : existing
    }
    const empty = { draft: '', unread: 0, nextPlace: 1, readPlace: 0, lastOrder: null, profileGiven: 0 }
    return { ...participants, ...empty, updatedAt }
  }

  /** @returns the conversation with the message in it; undefined if it is there already. */
  async #row(
    unit: UnitOfWork,
    conversation: Conversation,
    order: string,
    shipped: MessageRow
  ): Promise<Conversation | undefined> {
    const { context, index } = this.#components
    const { conversationId } = conversation
    const id = shownIdOf(context, { ...shipped, conversationId })
    if (order.length > MAX_ORDER_LENGTH || (await unit.read(slots.place(id)))) return undefined
    const awaited = ownDeviceSlots.awaitedMark(id)
    const isAwaited = (await unit.read(awaited)) !== undefined
    if (isAwaited) unit.remove(awaited)
    const mine = equalBytes(shipped.from, context.accountId())
    const readTold = shipped.readTold || isAwaited
    unit.write(slots.message(toHex(conversationId), order), { ...shipped, conversationId, mine, readTold })
    unit.write(slots.place(id), { conversationId, order })
    await index.rowAppeared(unit, toHex(conversationId), order)
    const isUnread = !mine && isUnreadKind(shipped.kind) && !readTold
    const { lastOrder, unread } = conversation
    return {
      ...conversation,
      unread: unread + (isUnread ? 1 : 0),
      lastOrder: lastOrder === null || order > lastOrder ? order : lastOrder
    }
  }
}

const asRead = (row: MessageRow): MessageRow => ({ ...row, readTold: true })

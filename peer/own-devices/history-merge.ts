/**
 * Merges history of another own device into the message log of this one. A piece can be merged any number of times: a message
 * that is here already stays where it is, and only gets further (delivered, read). Where the others stand: shipped-place.ts.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { EngineContext } from '../engine-context.ts'
import { conversationOf } from '../groups/conversation-roster.ts'
import { amendmentsIn } from '../history/amended-row.ts'
import { isVisible, type MessageLog } from '../history/message-log.ts'
import { shownIdOf } from '../history/shown-id.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import { PROFILE_REVISION } from '../sending/profile.ts'
import { ownDeviceSlots } from '../store/own-device-slots.ts'
import { EMPTY_CONVERSATION, type Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { HistoryPiece, ShippedConversation, ShippedRow } from './history-piece.ts'
import type { LateHistory } from './late-history.ts'
import type { OwnSync } from './own-sync.ts'
import { ShippedPlaces } from './shipped-place.ts'

export interface HistoryMergeComponents {
  marks: Pick<PersonMarksBook, 'set'>
  context: EngineContext
  states: StateStore
  history: MessageLog
  tokens: DeliveryTokens
  late: Pick<LateHistory, 'noteShipped' | 'noteItems'>
  sync: Pick<OwnSync, 'takeItems' | 'markSeen'>
  /** A person whom this device may not know yet. The listener looks them up outside of the unit of work. */
  onPerson: (accountId: AccountId, profile: { username: string | null; displayName: string }) => void
}

export class HistoryMerge {
  readonly #components: HistoryMergeComponents
  /** Several pieces may be merged in one unit. */
  readonly #places = new WeakMap<UnitOfWork, ShippedPlaces>()

  constructor(components: HistoryMergeComponents) {
    this.#components = components
  }

  /** @returns how many messages were new. */
  async merge(unit: UnitOfWork, piece: HistoryPiece): Promise<number> {
    const { sync, tokens, context, late } = this.#components
    if (piece.items.length > 0) {
      await sync.takeItems(unit, piece.items)
      await late.noteItems(
        unit,
        piece.items.map(({ name }) => name)
      )
    }
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
    const here: ShippedRow[] = []
    let conversation = before.timer ? before : { ...before, timer: shipped.timer }
    let added = 0
    for (const each of shipped.rows.toReversed()) {
      const next = await this.#row(unit, conversation, each, shipped.isRead)
      if (next) added++
      else here.push(each)
      conversation = next ?? conversation
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
    for (const each of here) await this.#advance(unit, conversation, each)
    if (before.kind === 'direct') unit.after(() => onPerson(accountId, { username, displayName: displayName ?? '' }))
    return added
  }

  /** The conversation here; undefined if what was shipped does not fit together. */
  async #rowOf(unit: UnitOfWork, shipped: ShippedConversation): Promise<Conversation | undefined> {
    const { context } = this.#components
    const { conversationId, accountId, kind } = shipped
    const participants =
      kind === 'group' ? { conversationId, accountId, kind } : conversationOf(context, [context.accountId(), accountId])
    if (!equalBytes(participants.conversationId, shipped.conversationId)) return undefined
    const existing = await unit.read(slots.conversation(toHex(shipped.conversationId)))
    const { updatedAt } = shipped
    if (existing) {
      return existing.lastOrder === null ? { ...existing, updatedAt } : existing
    }
    return { ...participants, ...EMPTY_CONVERSATION, updatedAt }
  }

  /** @returns the conversation with the message in it; undefined if it is there already. */
  async #row(
    unit: UnitOfWork,
    conversation: Conversation,
    shipped: ShippedRow,
    isRead: boolean
  ): Promise<Conversation | undefined> {
    const { context, history, late } = this.#components
    const { conversationId } = conversation
    const { row, behind } = shipped
    const id = shownIdOf(context, { ...row, conversationId })
    if (await unit.read(slots.place(id))) return undefined
    const order = await this.#placesOf(unit).orderFor(unit, conversation, shipped)
    const awaited = ownDeviceSlots.awaitedMark(id)
    const isAwaited = (await unit.read(awaited)) !== undefined
    if (isAwaited) unit.remove(awaited)
    const mine = equalBytes(row.from, context.accountId())
    const readTold = row.readTold || isRead || isAwaited
    const inserted = await history.insert(unit, order, { ...row, conversationId, mine, readTold })
    await late.noteShipped(unit, id, behind !== null)
    const { lastOrder } = conversation
    const isLast = isVisible(inserted) && (lastOrder === null || order > lastOrder)
    const counts = history.unread.with(conversation, inserted)
    return { ...conversation, ...counts, lastOrder: isLast ? order : lastOrder }
  }

  /** A message that is here may have got further at the other device, and more may have been said about it there. */
  async #advance(unit: UnitOfWork, { conversationId }: Conversation, { row, behind }: ShippedRow): Promise<void> {
    const { context, history, sync } = this.#components
    const id = shownIdOf(context, { ...row, conversationId })
    if (row.amendments) await history.amend(unit, toHex(conversationId), id, amendmentsIn(row))
    if (behind === null) return
    if (row.state !== null) await history.advance(unit, id, row.state)
    if (row.readTold && !row.mine) await sync.markSeen(unit, toHex(conversationId), id)
  }

  #placesOf(unit: UnitOfWork): ShippedPlaces {
    const places = this.#places.get(unit) ?? new ShippedPlaces(this.#components.states)
    this.#places.set(unit, places)
    return places
  }
}

/**
 * Ships the history of this device to a new one that it has added, piece by piece, as the new one asks.
 *
 * The new device may ask because it has a grant. The grant is made when a person adds the device at this one, before the
 * account's record shows it. A piece is made from the message log when it is asked for: nothing is kept here for a transfer
 * but the grant. Pieces travel between the two devices alone, outside of the sessions of any roster.
 *
 *     items ──▶ newest messages of each chat, newest chat first ──▶ all other messages ──▶ done ──▶ what comes late
 *
 * All but the last is what was here at the moment of the grant. What came later is sent to the new device by its sender; what
 * its sender did not send there stands in line, see {@link LateHistory}.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { BodyOf, MessageBody } from '../../protocol/conversation/message.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { Outbox } from '../sending/outbox.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import {
  MAX_SHIPPED_CONVERSATIONS,
  historyGrantEntry,
  ownDeviceSlots,
  type HistoryGrant
} from '../store/own-device-slots.ts'
import { conversationEntry, messageEntry, orderOf, type Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import {
  decodeCursor,
  encodeCursor,
  encodePiece,
  FIRST_CURSOR,
  LATE_CURSOR,
  rowBytes,
  type HistoryCursor,
  type ShippedRow
} from './history-piece.ts'
import type { LateHistory } from './late-history.ts'
import { fillLate } from './late-piece.ts'
import { fitting, isShipped, shippedConversation, type Filling } from './shipped-conversation.ts'
import type { SyncItems } from './sync-items.ts'

/** Bytes of messages in one piece; a single longer message gets a piece of its own. */
const PIECE_BYTES = 40 * 1024
/** Messages of each conversation that come before the rest of any. */
const NEWEST_ROWS = 30
const PAGE = 200
/** Of what a conversation gets by itself. */
const FIRST_PLACE = 1
const ITEMS_OF_PIECE = 24
const CONVERSATIONS_OF_PIECE = 32

export interface HistorySourceComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  tokens: DeliveryTokens
  items: SyncItems
  late: LateHistory
  /** Says what was sealed before the device was there. */
  outbox: Pick<Outbox, 'waitingMessages'>
  /** Whether this device is getting history itself. */
  isGetting: () => boolean
  /** A device asks for more: it is told of what comes from now on. */
  onAsked: (device: string) => void
  /** Something that a screen shows has changed. */
  onChange: () => void
}

export class HistorySource {
  readonly #components: HistorySourceComponents

  constructor(components: HistorySourceComponents) {
    this.#components = components
  }

  /** Lets a device ask: a person adds it here. Doing it twice does no harm. */
  async grant(unit: UnitOfWork, deviceId: DeviceId): Promise<void> {
    const { context, late, outbox } = this.#components
    const slot = ownDeviceSlots.historyGrant(toHex(deviceId))
    if (await unit.read(slot)) return
    const all = await this.#shown()
    const conversations = all.map(({ conversationId, nextPlace }) => ({ conversationId, before: nextPlace }))
    unit.write(slot, { deviceId, grantedAt: context.timers.now(), conversations, chats: 0, isDone: false })
    await late.begin(unit, deviceId, outbox.waitingMessages())
  }

  /** Conversations with messages, newest first. */
  async #shown(): Promise<Conversation[]> {
    const all = await this.#components.states.all('conversation', conversationEntry)
    return all
      .filter(({ lastOrder }) => lastOrder !== null)
      .sort((a, b) => b.updatedAt - a.updatedAt)
      .slice(0, MAX_SHIPPED_CONVERSATIONS)
  }

  /** Ends it: the device was removed from the account. */
  async end(unit: UnitOfWork, deviceId: DeviceId): Promise<void> {
    unit.remove(ownDeviceSlots.historyGrant(toHex(deviceId)))
    await this.#components.late.end(unit, toHex(deviceId))
  }

  /** Devices that this one has shipped its history to, or is shipping it to. */
  grants(): Promise<HistoryGrant[]> {
    return this.#components.states.all('history-grant', historyGrantEntry)
  }

  /**
   * Answers one request.
   * @returns the pieces; none for a device without a grant, or for a cursor that this version does not know.
   */
  async answer(unit: UnitOfWork, deviceId: DeviceId, request: BodyOf<'historyRequest'>): Promise<MessageBody[]> {
    const slot = ownDeviceSlots.historyGrant(toHex(deviceId))
    let grant = await unit.read(slot)
    if (!grant || !equalBytes(grant.deviceId, deviceId)) return []
    const bodies: MessageBody[] = []
    let cursor = decodeCursor(request.cursor)
    const { late, isGetting } = this.#components
    // The device asks from where it has everything.
    if (cursor.stage === 'late') {
      await late.forget(unit, toHex(deviceId), orderOf(cursor.at))
      if (!isGetting() && (await late.beginsAgain(unit, toHex(deviceId), request.transferId)))
        return this.#beginAgain(unit, grant, request)
    }
    for (let i = 0; i < request.count; i++) {
      const made = await this.#piece(unit, grant, cursor)
      const { transferId } = request
      bodies.push({ kind: 'historyChunk', transferId, index: request.index + i, last: made.last, data: made.data })
      const chats = Math.max(grant.chats, made.chats)
      grant = { ...grant, chats, isDone: grant.isDone || made.last }
      cursor = made.next
      if (made.last) break
    }
    unit.write(slot, grant)
    unit.after(() => this.#components.onAsked(toHex(deviceId)))
    unit.tell(() => this.#components.onChange())
    return bodies
  }

  /** One empty piece that leads back to the beginning. Chats that were not here at the grant are shipped as well. */
  async #beginAgain(
    unit: UnitOfWork,
    grant: HistoryGrant,
    { transferId, index, cursor }: BodyOf<'historyRequest'>
  ): Promise<MessageBody[]> {
    const listed = new Set(grant.conversations.map(({ conversationId }) => toHex(conversationId)))
    const added = (await this.#shown()).filter(({ conversationId }) => !listed.has(toHex(conversationId)))
    // Of those only what was shipped: what came here by itself goes to the new device as to any.
    const conversations = [
      ...grant.conversations,
      ...added.map(({ conversationId }) => ({ conversationId, before: FIRST_PLACE }))
    ].slice(0, MAX_SHIPPED_CONVERSATIONS)
    unit.write(ownDeviceSlots.historyGrant(toHex(grant.deviceId)), { ...grant, conversations })
    const { chats } = grant
    const data = encodePiece({
      from: cursor,
      next: encodeCursor(FIRST_CURSOR),
      chats,
      chatsTotal: conversations.length,
      items: [],
      ownToken: null,
      conversations: [],
      groupLogs: []
    })
    return [{ kind: 'historyChunk', transferId, index, last: false, data }]
  }

  async #piece(
    unit: UnitOfWork,
    grant: HistoryGrant,
    from: HistoryCursor
  ): Promise<{ data: Uint8Array; next: HistoryCursor; chats: number; last: boolean }> {
    const filling: Filling = { room: PIECE_BYTES, conversations: [], items: [] }
    const isLate = from.stage === 'late'
    const late = isLate ? await fillLate(this.#components, unit, toHex(grant.deviceId), from.at, filling) : undefined
    const next = late ? { ...from, at: late.at } : await this.#fill(unit, grant, from, filling)
    const chats = next.stage === 'rest' ? next.at : next.stage === 'late' ? grant.conversations.length : 0
    const { conversations, items } = filling
    const data = encodePiece({
      from: encodeCursor(from),
      next: encodeCursor(next),
      chats,
      chatsTotal: grant.conversations.length,
      items,
      ownToken: from.stage === 'items' ? ((await this.#components.tokens.own(unit)) ?? null) : null,
      conversations,
      groupLogs: []
    })
    return { data, next, chats, last: late ? late.isEnd : next.stage === 'late' }
  }

  /** Puts what was here at the grant into a piece. @returns where the next piece begins; {@link LATE_CURSOR} at the end. */
  async #fill(unit: UnitOfWork, grant: HistoryGrant, from: HistoryCursor, filling: Filling): Promise<HistoryCursor> {
    if (from.stage === 'items') {
      const all = this.#components.items.all()
      const end = from.at + ITEMS_OF_PIECE
      filling.items = all.slice(from.at, end)
      return { stage: end >= all.length ? 'newest' : 'items', at: end >= all.length ? 0 : end, before: null }
    }
    const list = grant.conversations
    let { at, before } = from
    while (at < list.length && filling.room > 0 && filling.conversations.length < CONVERSATIONS_OF_PIECE) {
      const { conversationId, before: first } = list[at]!
      const bound = before ?? orderOf(first)
      const rest = await this.#conversation(unit, toHex(conversationId), { stage: from.stage, before: bound }, filling)
      if (rest === undefined) at++
      before = rest ?? null
    }
    if (at < list.length) return { stage: from.stage, at, before }
    return from.stage === 'newest' ? { stage: 'rest', at: 0, before: null } : LATE_CURSOR
  }

  /** Ships messages of one conversation. @returns before which order the rest of it ends; undefined if none is left. */
  async #conversation(
    unit: UnitOfWork,
    id: string,
    { stage, before }: { stage: HistoryCursor['stage']; before: string },
    filling: Filling
  ): Promise<string | undefined> {
    const conversation = await unit.read(slots.conversation(id))
    if (!conversation) return undefined
    const limit = stage === 'newest' ? NEWEST_ROWS : PAGE
    const page = await this.#components.states.range('message', id, messageEntry, { reverse: true, limit, before })
    const rows: ShippedRow[] = []
    let isCut = false
    for (const { order, value: row } of page) {
      if (!isShipped(row)) continue
      const shipped = fitting({ order, row, behind: null })
      const bytes = rowBytes(shipped)
      isCut = bytes > filling.room && filling.room < PIECE_BYTES
      if (isCut) break
      rows.push(shipped)
      filling.room -= bytes
    }
    if (isCut) filling.room = 0
    if (rows.length > 0)
      filling.conversations.push(await shippedConversation(this.#components, unit, conversation, rows))
    if (isCut && stage !== 'newest') return rows.at(-1)?.order ?? before
    const isEnd = stage === 'newest' || page.length < limit
    return isEnd ? undefined : page.at(-1)!.order
  }
}

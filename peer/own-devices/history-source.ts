/**
 * Ships the history of this device to a new one that it has added, piece by piece, as the new one asks.
 *
 * Whoever may ask has a grant, which is made when the device is added by a person at this one. The pieces are made anew from
 * the message log for each request, so nothing is kept here for a transfer but the grant; and they travel between the two
 * devices alone, outside of the sessions of any roster.
 *
 *     items ──▶ newest messages of each chat, newest chat first ──▶ all other messages ──▶ done
 *                                                                   what came late ◀── asked for now and then
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { BodyOf, MessageBody } from '../../protocol/conversation/message.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import {
  MAX_SHIPPED_CONVERSATIONS,
  historyGrantEntry,
  ownDeviceSlots,
  type HistoryGrant
} from '../store/own-device-slots.ts'
import { conversationEntry, messageEntry, slots, type Conversation, type MessageRow } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import {
  decodeCursor,
  encodeCursor,
  encodePiece,
  LATE_CURSOR,
  rowBytes,
  type HistoryCursor,
  type ShippedConversation,
  type ShippedRow
} from './history-piece.ts'
import type { SyncItems } from './sync-items.ts'

/** Bytes of messages in one piece; a single longer message gets a piece of its own. */
const PIECE_BYTES = 40 * 1024
/** Messages of each conversation that come before the rest of any. */
const NEWEST_ROWS = 30
const PAGE = 200
const ITEMS_OF_PIECE = 24
const CONVERSATIONS_OF_PIECE = 32
/** Clocks of nodes and devices differ by less. */
const LATE_MARGIN_MS = 10 * 60_000

export interface HistorySourceComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  tokens: DeliveryTokens
  items: SyncItems
  /** Something that a screen shows has changed. */
  onChange: () => void
}

/** What a piece is filled with. */
interface Filling {
  room: number
  conversations: ShippedConversation[]
}

export class HistorySource {
  readonly #components: HistorySourceComponents

  constructor(components: HistorySourceComponents) {
    this.#components = components
  }

  /** Lets a device ask: a person has just added it here. */
  async grant(unit: UnitOfWork, deviceId: DeviceId): Promise<void> {
    const { context, states } = this.#components
    const all = await states.all('conversation', conversationEntry)
    const conversations = all
      .filter(({ lastOrder }) => lastOrder !== null)
      .sort((a, b) => b.updatedAt - a.updatedAt)
      .slice(0, MAX_SHIPPED_CONVERSATIONS)
      .map(({ conversationId }) => conversationId)
    const grant = { deviceId, grantedAt: context.timers.now(), conversations, chats: 0, isDone: false }
    unit.write(ownDeviceSlots.historyGrant(toHex(deviceId)), grant)
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
    unit.tell(() => this.#components.onChange())
    return bodies
  }

  async #piece(
    unit: UnitOfWork,
    grant: HistoryGrant,
    from: HistoryCursor
  ): Promise<{ data: Uint8Array; next: HistoryCursor; chats: number; last: boolean }> {
    const { items } = this.#components
    const filling: Filling = { room: PIECE_BYTES, conversations: [] }
    const shipped = from.stage === 'items' ? items.all().slice(from.at, from.at + ITEMS_OF_PIECE) : []
    const next = await this.#fill(unit, grant, from, filling)
    const last = from.stage !== 'late' ? next.stage === 'late' : next.at === 0
    const chats = next.stage === 'rest' ? next.at : next.stage === 'late' ? grant.conversations.length : 0
    const { conversations } = filling
    const data = encodePiece({
      from: encodeCursor(from),
      next: encodeCursor(next),
      chats,
      chatsTotal: grant.conversations.length,
      items: shipped,
      ownToken: from.stage === 'items' ? ((await this.#components.tokens.own(unit)) ?? null) : null,
      conversations
    })
    return { data, next, chats, last }
  }

  /** Puts messages into a piece. @returns where the next piece begins; {@link LATE_CURSOR} at the end. */
  async #fill(unit: UnitOfWork, grant: HistoryGrant, from: HistoryCursor, filling: Filling): Promise<HistoryCursor> {
    if (from.stage === 'items') {
      const isEnd = from.at + ITEMS_OF_PIECE >= this.#components.items.all().length
      return isEnd
        ? { stage: 'newest', at: 0, before: null }
        : { stage: 'items', at: from.at + ITEMS_OF_PIECE, before: null }
    }
    const list = from.stage === 'late' ? await this.#changedSince(grant) : grant.conversations.map(toHex)
    let { at, before } = from
    while (at < list.length && filling.room > 0 && filling.conversations.length < CONVERSATIONS_OF_PIECE) {
      const rest = await this.#conversation(unit, list[at]!, { from, before, grant }, filling)
      if (rest === undefined) at++
      before = rest?.before ?? null
    }
    if (at < list.length) return { stage: from.stage, at, before }
    return from.stage === 'newest' ? { stage: 'rest', at: 0, before: null } : LATE_CURSOR
  }

  async #changedSince({ grantedAt }: HistoryGrant): Promise<string[]> {
    const all = await this.#components.states.all('conversation', conversationEntry)
    return all
      .filter(({ updatedAt, lastOrder }) => lastOrder !== null && updatedAt >= grantedAt - LATE_MARGIN_MS)
      .map(({ conversationId }) => toHex(conversationId))
      .sort()
  }

  /** Ships messages of one conversation. @returns where the rest of it begins; undefined if none is left. */
  async #conversation(
    unit: UnitOfWork,
    id: string,
    { from, before, grant }: { from: HistoryCursor; before: string | null; grant: HistoryGrant },
    filling: Filling
  ): Promise<Pick<HistoryCursor, 'before'> | undefined> {
    const conversation = await unit.read(slots.conversation(id))
    if (!conversation) return undefined
    const limit = from.stage === 'newest' ? NEWEST_ROWS : PAGE
    const bounds = { reverse: true, limit, ...(before === null ? {} : { before }) }
    const page = await this.#components.states.range('message', id, messageEntry, bounds)
    const since = from.stage === 'late' ? grant.grantedAt - LATE_MARGIN_MS : 0
    const rows: ShippedRow[] = []
    let isCut = false
    for (const { order, value: row } of page) {
      if (!isShipped(row) || row.receivedAt < since) continue
      const shipped = { order, row }
      const bytes = rowBytes(shipped)
      isCut = bytes > filling.room && filling.room < PIECE_BYTES
      if (isCut) break
      rows.push(shipped)
      filling.room -= bytes
    }
    if (isCut) filling.room = 0
    if (rows.length > 0) filling.conversations.push(await this.#shipped(unit, conversation, rows))
    if (isCut && from.stage !== 'newest') return { before: rows.at(-1)?.order ?? before }
    const isEnd = from.stage === 'newest' || page.length < limit || (from.stage === 'late' && rows.length === 0)
    return isEnd ? undefined : { before: page.at(-1)!.order }
  }

  async #shipped(unit: UnitOfWork, conversation: Conversation, rows: ShippedRow[]): Promise<ShippedConversation> {
    const { context, directory } = this.#components
    const { conversationId, accountId, kind, updatedAt, unread } = conversation
    const isSelf = equalBytes(accountId, context.accountId())
    const known = isSelf ? undefined : await directory.load(accountId)
    const token = isSelf ? undefined : await unit.read(slots.deliveryToken(toHex(accountId)))
    return {
      conversationId,
      accountId,
      kind,
      updatedAt,
      isRead: unread === 0,
      username: known?.username ?? null,
      displayName: known?.displayName ?? null,
      deliveryToken: token?.token ?? null,
      rows
    }
  }
}

/** What waits here is sent to the new device, too; a missing message is not history. */
function isShipped({ kind, state }: MessageRow): boolean {
  return kind !== 'gap' && state !== 'waiting' && state !== 'failed'
}

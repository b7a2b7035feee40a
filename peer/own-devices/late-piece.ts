/** Fills a piece of history with what stands in line for a new device. */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { shownIdOf } from '../history/shown-id.ts'
import { messageEntry, orderOf, type ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { rowBytes, type ShippedRow } from './history-piece.ts'
import type { LateHistory } from './late-history.ts'
import { isShipped, shippedConversation, type Filling } from './shipped-conversation.ts'
import type { SyncItems } from './sync-items.ts'

const ENTRIES_OF_PIECE = 64
/** Rows that are looked at for the message before one: between them are only gaps and lines of Volo. */
const LOOK_BACK = 20

export interface LatePieceComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  items: SyncItems
  late: LateHistory
}

/**
 * @param at - place of the last in line that the device has.
 * @returns the place of the last that is in the piece, and whether it is the end of the line.
 */
export async function fillLate(
  components: LatePieceComponents,
  unit: UnitOfWork,
  device: string,
  at: number,
  filling: Filling
): Promise<{ at: number; isEnd: boolean }> {
  const { late, items } = components
  const entries = await late.after(device, orderOf(at), ENTRIES_OF_PIECE)
  const rows = new Map<string, ShippedRow[]>()
  let last = at
  let isCut = false
  for (const { order, value } of entries) {
    isCut = filling.room <= 0
    if (isCut) break
    last = Number.parseInt(order, 16)
    const item = value.item === null ? undefined : items.item(value.item)
    if (item && !filling.items.includes(item)) filling.items.push(item)
    const found = value.message && (await lateRow(components, unit, toHex(value.message) as ShownId))
    if (!found) continue
    filling.room -= rowBytes(found)
    rows.set(toHex(found.row.conversationId), [...(rows.get(toHex(found.row.conversationId)) ?? []), found])
  }
  for (const [conversationId, some] of rows) {
    const conversation = await unit.read(slots.conversation(conversationId))
    const newestFirst = distinct(some).sort((a, b) => (a.order < b.order ? 1 : -1))
    if (conversation) filling.conversations.push(await shippedConversation(components, unit, conversation, newestFirst))
  }
  return { at: last, isEnd: !isCut && entries.length < ENTRIES_OF_PIECE }
}

const distinct = (rows: ShippedRow[]): ShippedRow[] => [...new Map(rows.map(row => [row.order, row])).values()]

/** A message as it is shown here now, with the one before it. */
async function lateRow(
  { context, states }: LatePieceComponents,
  unit: UnitOfWork,
  shown: ShownId
): Promise<ShippedRow | undefined> {
  const place = await unit.read(slots.place(shown))
  const id = place && toHex(place.conversationId)
  const row = place && (await unit.read(slots.message(id!, place.order)))
  if (!row || row.kind === 'gap' || row.state === 'failed') return undefined
  const bounds = { before: place.order, reverse: true, limit: LOOK_BACK }
  const page = await states.range('message', id!, messageEntry, bounds)
  const before = page.find(({ value }) => isShipped(value) && value.kind !== 'system')?.value
  // It was sealed without the new device. What others get is shown there as sent.
  const sent = row.state === 'waiting' ? { ...row, state: 'sent' as const, problem: null } : row
  return { order: place.order, row: sent, behind: fromHex(before ? shownIdOf(context, before) : '') }
}

/**
 * Cuts what is to be backed up into parts that stay the same while nothing in them changes. A part of a conversation is 512 places
 * of it, so a new message changes one part, and a message that comes late changes one other.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { GroupBook } from '../groups/group-book.ts'
import { logPortions } from '../groups/log-portions.ts'
import { encodePiece, rowBytes, type HistoryPiece, type ShippedRow } from '../own-devices/history-piece.ts'
import { isShipped, shippedConversation } from '../own-devices/shipped-conversation.ts'
import type { SyncItems } from '../own-devices/sync-items.ts'
import type { MessageFile } from '../store/file-entry.ts'
import { conversationEntry, messageEntry, type Conversation } from '../store/conversation-entries.ts'
import type { StateStore } from '../store/state-store.ts'

/** Places of a conversation in one part. */
const PLACES = 512
/** Rows that are read at once. */
const PAGE = 1_000
/** Bytes of messages in one piece. */
const PIECE_BYTES = 40 * 1024
const ITEMS_OF_PIECE = 24

export interface BackupPartsComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  items: SyncItems
  groups: Pick<GroupBook, 'all'>
}

/** A part before it is encrypted. */
export interface BackupPart {
  conversationId: Uint8Array | null
  block: string
  pieces: Uint8Array[]
  messages: number
  newest: number
  /** Files of its messages. */
  files: MessageFile[]
}

const EMPTY_PIECE: HistoryPiece = {
  from: new Uint8Array(),
  next: new Uint8Array(),
  chats: 0,
  chatsTotal: 0,
  items: [],
  ownToken: null,
  conversations: [],
  groupLogs: []
}

export class BackupParts {
  readonly #components: BackupPartsComponents

  constructor(components: BackupPartsComponents) {
    this.#components = components
  }

  /**
   * What the devices of the account agree on, then each conversation. One part is in memory at a time.
   * @param leftOut - conversations that are not wanted, in hex.
   */
  async *all(leftOut: ReadonlySet<string>): AsyncGenerator<BackupPart> {
    yield this.#items()
    for (const conversation of await this.#conversations(leftOut)) yield* this.#conversation(conversation)
    // Last: a group is shown with its messages, and who restores can read them before its members are looked up.
    for (const { stored, log } of this.#components.groups.all()) {
      if (stored.answer === 'accepted' && !leftOut.has(toHex(log.groupId))) yield this.#groupLog(log)
    }
  }

  /** About how many parts there are: what was restored here is not counted. */
  async count(leftOut: ReadonlySet<string>): Promise<number> {
    const blocks = (await this.#conversations(leftOut)).map(({ lastOrder }) => placeOf(lastOrder ?? '') / PLACES + 1)
    return blocks.reduce((sum, count) => sum + Math.floor(count), 1)
  }

  /** Those with messages, newest first. */
  async #conversations(leftOut: ReadonlySet<string>): Promise<Conversation[]> {
    const all = await this.#components.states.all('conversation', conversationEntry)
    return all
      .filter(({ lastOrder, conversationId }) => lastOrder !== null && !leftOut.has(toHex(conversationId)))
      .sort((a, b) => b.updatedAt - a.updatedAt)
  }

  #items(): BackupPart {
    const items = this.#components.items.all()
    const pieces: Uint8Array[] = []
    for (let at = 0; at === 0 || at < items.length; at += ITEMS_OF_PIECE) {
      pieces.push(encodePiece({ ...EMPTY_PIECE, items: items.slice(at, at + ITEMS_OF_PIECE) }))
    }
    return { conversationId: null, block: 'items', pieces, messages: 0, newest: 0, files: [] }
  }

  #groupLog(log: GroupLog): BackupPart {
    const { groupId } = log
    const pieces = logPortions(log.changes()).map(changes =>
      encodePiece({ ...EMPTY_PIECE, groupLogs: [{ groupId, changes }] })
    )
    return { conversationId: groupId, block: 'log', pieces, messages: 0, newest: 0, files: [] }
  }

  /** The parts of a conversation, newest first. */
  async *#conversation(conversation: Conversation): AsyncGenerator<BackupPart> {
    let block: string | undefined
    let rows: ShippedRow[] = []
    for await (const shipped of this.#rows(toHex(conversation.conversationId))) {
      const next = blockOf(shipped.order)
      if (block !== undefined && next !== block) {
        yield await this.#part(conversation, block, rows)
        rows = []
      }
      block = next
      rows.push(shipped)
    }
    if (block !== undefined) yield await this.#part(conversation, block, rows)
  }

  /** Rows of a conversation, newest first. */
  async *#rows(id: string): AsyncGenerator<ShippedRow> {
    let before: string | undefined
    for (;;) {
      const bounds = { reverse: true, limit: PAGE, ...(before !== undefined && { before }) }
      const page = await this.#components.states.range('message', id, messageEntry, bounds)
      for (const { order, value: row } of page) if (isShipped(row)) yield { order, row, behind: null }
      if (page.length < PAGE) return
      before = page.at(-1)!.order
    }
  }

  async #part(conversation: Conversation, block: string, rows: ShippedRow[]): Promise<BackupPart> {
    const newest = Math.max(...rows.map(({ row }) => row.receivedAt))
    const { states } = this.#components
    // Nothing of the conversation that changes with each message: the part would change with it.
    const shipped = await shippedConversation(
      this.#components,
      states,
      { ...conversation, updatedAt: newest, unread: 1 },
      []
    )
    const pieces = pagesOf(rows).map(page =>
      encodePiece({ ...EMPTY_PIECE, conversations: [{ ...shipped, rows: page }] })
    )
    const files = rows.flatMap(({ row }) => row.file ?? [])
    return { conversationId: conversation.conversationId, block, pieces, messages: rows.length, newest, files }
  }
}

/** Which part an order is in. What an own device or a backup has shipped keeps its order behind place 0. */
function blockOf(order: string): string {
  const [, second = '0'] = order.split('.')
  const place = placeOf(order)
  return place > 0 ? `${Math.floor(place / PLACES)}` : `shipped-${Math.floor(Number.parseInt(second, 16) / PLACES)}`
}

function pagesOf(rows: ShippedRow[]): ShippedRow[][] {
  const pages: ShippedRow[][] = [[]]
  let room = PIECE_BYTES
  for (const row of rows) {
    const bytes = rowBytes(row)
    if (bytes > room && pages.at(-1)!.length > 0) {
      pages.push([])
      room = PIECE_BYTES
    }
    pages.at(-1)!.push(row)
    room -= bytes
  }
  return pages
}

/** The place of a message in its conversation on this device; 0 for what another device or a backup has shipped. */
const placeOf = (order: string): number => Number.parseInt(order.split('.')[0] || '0', 16)

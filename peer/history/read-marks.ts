/** What was read of a conversation: counted down here, and told to those who wrote it. */
import { toHex } from '../../protocol/bytes.ts'
import type { MessageId } from '../../protocol/conversation/message.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { OwnMarks } from './own-marks.ts'
import type { MessageLog } from './message-log.ts'
import { shownIdOf } from './shown-id.ts'
import { isUnread } from './unread-counts.ts'

/** Messages that are looked at in one go. */
const PAGE = 500

/** Tells senders, a moment later, that their messages were read. */
export interface ReadReceipts {
  noteDue(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId,
    add: { read: MessageId[] }
  ): Promise<void>
}

export interface ReadMarksComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  pairs: ReadReceipts
  own: OwnMarks
}

export class ReadMarks {
  readonly #components: ReadMarksComponents

  constructor(components: ReadMarksComponents) {
    this.#components = components
  }

  /**
   * Counts what is shown as read, and tells its senders.
   * @param upTo - the newest message that was on a screen: later ones stay unread. Everything without it. A message that is
   * not there changes nothing.
   */
  async mark(conversationId: string, upTo?: string): Promise<void> {
    const { states } = this.#components
    const end = upTo === undefined ? undefined : await states.read(slots.place(upTo as ShownId))
    if (upTo !== undefined && end?.conversationId === undefined) return
    const unread = await this.#unreadUpTo(conversationId, end?.order)
    await states.unit(unit => this.#note(unit, conversationId, unread, end?.order))
  }

  async #note(unit: UnitOfWork, conversationId: string, unread: MessageRow[], upTo: string | undefined): Promise<void> {
    const { context, history, pairs } = this.#components
    const conversation = await unit.read(slots.conversation(conversationId))
    if (!conversation) return
    const newlyRead: MessageRow[] = []
    for (const row of unread) {
      // Another tab may have been quicker.
      const marked = await history.markSeen(unit, shownIdOf(context, row))
      if (marked) newlyRead.push(marked)
    }
    const { own } = this.#components
    await own.tellMarks(
      unit,
      conversationId,
      'seen',
      newlyRead.map(row => shownIdOf(context, row))
    )
    // What this version cannot show was counted, but nobody has read it.
    const shown = own.tellsRead ? newlyRead.filter(({ kind }) => kind !== 'unsupported') : []
    for (const rows of Map.groupBy(shown, ({ device }) => toHex(device)).values()) {
      const read: MessageId[] = rows.map(({ messageId }) => messageId)
      await pairs.noteDue(unit, conversation.conversationId, rows[0]!.device, { read })
    }
    const isEnd = upTo === undefined || (conversation.lastOrder !== null && upTo >= conversation.lastOrder)
    const left = isEnd ? { unread: 0, unreadMentions: 0 } : history.unread.without(conversation, newlyRead)
    const { unread: before, unreadMentions } = conversation
    if (left.unread !== before || left.unreadMentions !== unreadMentions)
      history.saveConversation(unit, { ...conversation, ...left })
  }

  /** Messages of others that are not marked yet: pages from the end back to the first one without any. */
  async #unreadUpTo(conversationId: string, upTo: string | undefined): Promise<MessageRow[]> {
    const { history } = this.#components
    const found: MessageRow[] = []
    // Just behind the message: what fills a gap in its place sorts after it, with a full stop.
    let before = upTo === undefined ? undefined : `${upTo}!`
    for (;;) {
      const { rows, order } = await history.pageWithOrder(conversationId, before, PAGE)
      const unread = rows.filter(isUnread)
      found.unshift(...unread)
      if (unread.length === 0 || rows.length < PAGE || order === undefined) return found
      before = order
    }
  }
}

/** How much of a conversation waits to be read, and how often the user is mentioned in it. */
import type { Conversation, MessageRow } from '../store/conversation-entries.ts'
import { isMentioned } from './mentions.ts'

type Counts = Pick<Conversation, 'unread' | 'unreadMentions'>

/** Whether a message of this kind counts as unread until it was on a screen. */
export const isUnreadKind = (kind: MessageRow['kind']): boolean =>
  kind === 'text' || kind === 'file' || kind === 'poll' || kind === 'unsupported'

/** Whether a message of another person waits to be read. */
export const isUnread = ({ mine, kind, readTold }: MessageRow): boolean => !mine && !readTold && isUnreadKind(kind)

export class UnreadCounts {
  readonly #ownName: () => string | null

  /** @param ownName - the username of this account, without the @; null while it has none. */
  constructor(ownName: () => string | null) {
    this.#ownName = ownName
  }

  /** The counts once a message is there, too. */
  with({ kind, unread, unreadMentions }: Conversation, row: MessageRow): Counts {
    if (!isUnread(row)) return { unread, unreadMentions }
    return { unread: unread + 1, unreadMentions: unreadMentions + this.#mentions(kind, [row]) }
  }

  /** The counts without messages that were unread until now. */
  without({ kind, unread, unreadMentions }: Conversation, rows: readonly MessageRow[]): Counts {
    const left = Math.max(0, unread - rows.length)
    // An edit may have put a mention in or taken one out: no more mentions are unread than messages.
    return { unread: left, unreadMentions: Math.min(left, Math.max(0, unreadMentions - this.#mentions(kind, rows))) }
  }

  #mentions(kind: Conversation['kind'], rows: readonly MessageRow[]): number {
    const name = this.#ownName()
    if (kind !== 'group' || name === null) return 0
    return rows.filter(({ text }) => isMentioned(text, name)).length
  }
}

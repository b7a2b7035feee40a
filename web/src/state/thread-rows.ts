import type { ChatMessage } from '../../../peer/peer-api.ts'
import { PICTURE_TYPES } from '../../../protocol/files/media-type.ts'

/** One line of a thread. `key` stays the same while the line is about the same thing. */
export type ThreadRow =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string }
  | {
      kind: 'message'
      key: string
      message: ChatMessage
      /** Pictures that were sent just before this one and are shown with it; none for most messages. */
      album: readonly ChatMessage[]
      /** First of a run by the same person: gets more room above. */
      startsRun: boolean
    }

/** Messages of one person within this time belong together. */
const RUN_MS = 5 * 60_000
/** Pictures that one person sends within this time of each other are an album. */
const ALBUM_MS = 60_000
const MAX_ALBUM = 10

/**
 * Lays messages out as rows: a divider before each day and before the first unread message.
 * Pictures that were sent at once are one row.
 * @param dayKey - equal for times of the same day. @param firstUnread - id of that message, null if all were read.
 */
export function threadRows(
  messages: readonly ChatMessage[],
  dayKey: (at: number) => string,
  firstUnread: string | null
): ThreadRow[] {
  const rows: ThreadRow[] = []
  let previous: ChatMessage | null = null
  for (const message of messages) {
    const newDay = previous === null || dayKey(previous.sentAt) !== dayKey(message.sentAt)
    const unread = message.id === firstUnread
    if (newDay) rows.push({ kind: 'day', key: `day-${message.id}`, at: message.sentAt })
    if (unread) rows.push({ kind: 'unread', key: 'unread' })
    const startsRun = newDay || unread || previous === null || !continuesRun(previous, message)
    const last = rows.at(-1)
    // The picture before takes its place in the album of this one.
    const joins = !newDay && !unread && last?.kind === 'message' && joinsAlbum(last, message)
    const album = joins ? [...last.album, last.message] : []
    if (joins) rows.pop()
    rows.push({ kind: 'message', key: message.id, message, album, startsRun: joins ? last.startsRun : startsRun })
    previous = message
  }
  return rows
}

/** Whether a picture is shown together with those of a row above it. */
function joinsAlbum({ message: last, album }: Extract<ThreadRow, { kind: 'message' }>, next: ChatMessage): boolean {
  return (
    album.length + 1 < MAX_ALBUM &&
    isPlainPicture(last) &&
    last.text === '' &&
    isPlainPicture(next) &&
    last.from === next.from &&
    Math.abs(next.sentAt - last.sentAt) < ALBUM_MS
  )
}

/** A picture about which nothing has to be shown but itself. */
function isPlainPicture(message: ChatMessage): boolean {
  const { file, state, replyTo, reactions, isForwarded, isPinned, isStarred, expiresAfter } = message
  if (!file || file.voice || !PICTURE_TYPES.includes(file.type)) return false
  const hasMark = isForwarded || isPinned || isStarred || expiresAfter !== null || reactions.length > 0
  return !hasMark && replyTo === null && state !== 'failed'
}

function continuesRun(previous: ChatMessage, next: ChatMessage): boolean {
  return (
    previous.from === next.from &&
    previous.kind !== 'system' &&
    next.kind !== 'system' &&
    Math.abs(next.sentAt - previous.sentAt) < RUN_MS
  )
}

/** How many of these messages can be unread: those that other people wrote. */
export function countsUnread(messages: readonly ChatMessage[]): number {
  return messages.filter(canBeUnread).length
}

const canBeUnread = ({ mine, kind }: ChatMessage): boolean =>
  !mine && (kind === 'text' || kind === 'file' || kind === 'poll' || kind === 'unsupported')

/** The first of the last `unread` messages of others; null if there are none. */
export function firstUnreadId(messages: readonly ChatMessage[], unread: number): string | null {
  let left = unread
  let found: string | null = null
  for (const message of [...messages].reverse()) {
    if (left === 0) break
    if (!canBeUnread(message)) continue
    found = message.id
    left--
  }
  return found
}

/** Where a message is among the rows, also inside an album; -1 if it is in none. */
export function rowIndexOf(rows: readonly ThreadRow[], messageId: string): number {
  return rows.findIndex(
    row => row.key === messageId || (row.kind === 'message' && row.album.some(({ id }) => id === messageId))
  )
}

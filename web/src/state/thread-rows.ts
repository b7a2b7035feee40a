import type { ChatMessage } from '../../../peer/peer-api.ts'

/** One line of a thread. `key` stays the same while the line is about the same thing. */
export type ThreadRow =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string }
  | {
      kind: 'message'
      key: string
      message: ChatMessage
      /** First of a run by the same person: gets more room above. */
      startsRun: boolean
    }

/** Messages of one person within this time belong together. */
const RUN_MS = 5 * 60_000

/**
 * Lays messages out as rows: a divider before each day and before the first unread message.
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
    rows.push({ kind: 'message', key: message.id, message, startsRun })
    previous = message
  }
  return rows
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

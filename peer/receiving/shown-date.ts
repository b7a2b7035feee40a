import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS } from '../../protocol/limits.ts'

/** No honest message is older when it comes: for as long as this its sender keeps it to send it again. */
export const OLDEST_SHOWN_MS = 2 * PENDING_TTL_MS

/** What the receiver knows about the time of a message, milliseconds. */
export interface DateBounds {
  /** When a node had it, by that node's word; never later than `now` counts. */
  storedAt: number
  /** By the receiver's clock. */
  now: number
  /** The latest date under which a message of the same device is shown; undefined for the first, or for one that comes late. */
  previous: number | undefined
}

/**
 * The date under which a message is shown: what its sender claims, within what the receiver can defend. A claim that no right
 * clock makes is replaced by the time of custody, so that neither 1971 nor 2033 stays in a conversation.
 */
export function shownDate(claimed: number, { storedAt, now, previous }: DateBounds): number {
  const latest = Math.min(storedAt, now)
  const isPossible = claimed <= latest + CLOCK_TOLERANCE_MS && claimed >= latest - OLDEST_SHOWN_MS
  const date = isPossible ? claimed : latest
  return previous === undefined ? date : Math.max(date, Math.min(previous, latest) - CLOCK_TOLERANCE_MS)
}

/** A record that is still moving is asked for this often … */
const MOVING_MS = 4_000
/** … and one that does not move this often. */
const QUIET_MS = 10_000

/** What a watch needs to know. */
export interface RecordWatchInit {
  /** Asks for the record again. May reject: the watch goes on. */
  look: () => Promise<unknown>
  /** Whether something is expected to change soon. */
  isMoving: () => boolean
  /** Whether the page is on a screen; nothing is asked while it is not. */
  isVisible?: () => boolean
}

/**
 * Keeps what a screen shows of the public record up to date, so that every change of an entry appears by itself. @returns a function that ends it.
 */
export function watchRecord({
  look,
  isMoving,
  isVisible = () => document.visibilityState === 'visible'
}: RecordWatchInit): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  const round = async (): Promise<void> => {
    if (isVisible()) await look().catch(() => undefined)
    if (!isOver) timer = setTimeout(() => void round(), isMoving() ? MOVING_MS : QUIET_MS)
  }
  // Not at once: the effect that starts the watch must not depend on what the first look reads.
  timer = setTimeout(() => void round())
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** Whether an entry is on its way: not settled yet, or not agreed upon. */
export const isMoving = (state: string): boolean => !['settled', 'final', 'removed'].includes(state)

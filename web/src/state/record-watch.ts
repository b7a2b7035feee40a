/** While something is on its way, its record is looked at this often … */
const MOVING_MS = 4_000
/** … and this often while nothing moves. */
const QUIET_MS = 10_000

/** What a watch needs to know. */
export interface RecordWatchInit {
  /** Asks for the record anew. May reject: the next look comes all the same. */
  look: () => Promise<unknown>
  /** Whether something is expected to change soon. */
  isMoving: () => boolean
  /** Nothing is asked while nobody looks. */
  isVisible?: () => boolean
}

/**
 * Keeps what a screen shows of the public record up to date while it is on the screen, so that what is recorded, settles, is
 * undone or removed shows by itself. @returns a function that ends it.
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
  // Not at once: what the first look reads is no concern of whoever starts the watch.
  timer = setTimeout(() => void round())
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** Whether an entry is on its way: not settled yet, or not agreed upon. */
export const isMoving = (state: string): boolean => !['settled', 'final', 'removed'].includes(state)

/** How a list stands: all in CSS pixels. */
export interface ListGeometry {
  scrollTop: number
  scrollHeight: number
  clientHeight: number
}

/** Nearer than this to the end counts as being there. */
const END_SLACK = 48
/** A scroll this soon after a wheel, a touch or a key is the reader's own. */
const INPUT_MS = 1_000

/**
 * Whether a list is held at its end. Only the reader lets go of it: a list also scrolls because the writing box grew, the
 * keyboard opened, the window turned or a row changed its height, and then it goes back to the end.
 */
export class EndPin {
  isPinned = true
  #last: ListGeometry = { scrollTop: 0, scrollHeight: 0, clientHeight: 0 }
  #inputAt = -Infinity

  /** The reader used a wheel, a finger or a key on the list. @param now - milliseconds of any clock. */
  input(now: number): void {
    this.#inputAt = now
  }

  /** Holds the list at its end, or lets it go, because the app goes somewhere in it. */
  set(isPinned: boolean): void {
    this.isPinned = isPinned
  }

  /** The list scrolled, or its size changed. @returns whether it has to be put back to its end. */
  moved(list: ListGeometry, now: number): boolean {
    const last = this.#last
    const { scrollTop, scrollHeight, clientHeight } = list
    this.#last = { scrollTop, scrollHeight, clientHeight }
    const isUpward = scrollTop < last.scrollTop
    const isSameSize = scrollHeight === last.scrollHeight && clientHeight === last.clientHeight
    if (isUpward && (isSameSize || now - this.#inputAt < INPUT_MS)) {
      // The first pixels of a smooth scroll let go of nothing yet, but must not be taken back either.
      this.isPinned = isAtEnd(list)
      return false
    }
    if (isAtEnd(list)) this.isPinned = true
    return this.isPinned && distanceToEnd(list) > 1
  }
}

const distanceToEnd = ({ scrollTop, scrollHeight, clientHeight }: ListGeometry): number =>
  scrollHeight - clientHeight - scrollTop

/** Whether the end of a list is on the screen, give or take a line. */
export const isAtEnd = (list: ListGeometry): boolean => distanceToEnd(list) < END_SLACK

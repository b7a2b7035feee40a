import type { SearchBlock } from '../store/search-slots.ts'

/** A message that was found. */
export interface FoundRow {
  /** Lower-case hex. */
  conversation: string
  order: string
  sentAt: number
}

/** A block as it is searched: one long text, and where each message begins in it. Immutable. */
export class TextBlock {
  /** Lower-case hex. */
  readonly conversation: string
  /** Dates of the oldest and the newest message, milliseconds. */
  readonly oldest: number
  readonly newest: number
  readonly #words: string
  readonly #orders: string[]
  readonly #dates: number[]
  /** Where each message begins, and the end of the last one. */
  readonly #starts: number[] = [0]

  constructor(conversation: string, { words, orders, dates }: SearchBlock) {
    this.conversation = conversation
    this.#words = words
    this.#orders = orders.split('\n')
    this.#dates = dates.split('\n').map(Number)
    for (let end = words.indexOf('\n'); end >= 0; end = words.indexOf('\n', end + 1)) this.#starts.push(end + 1)
    this.#starts.push(words.length + 1)
    this.oldest = this.#dates.reduce((a, b) => Math.min(a, b))
    this.newest = this.#dates.reduce((a, b) => Math.max(a, b))
  }

  /** The messages that have every word, oldest first. @param words - folded, the rarest first; at least one. */
  find(words: readonly string[]): FoundRow[] {
    const [first, ...others] = words
    const found: FoundRow[] = []
    for (let at = this.#words.indexOf(first!); at >= 0;) {
      const index = this.#messageAt(at)
      const end = this.#starts[index + 1]!
      if (others.length === 0 || this.#hasAll(others, this.#starts[index]!, end)) {
        found.push({ conversation: this.conversation, order: this.#orders[index]!, sentAt: this.#dates[index]! })
      }
      at = this.#words.indexOf(first!, end)
    }
    return found
  }

  #hasAll(words: readonly string[], start: number, end: number): boolean {
    const text = this.#words.slice(start, end)
    return words.every(word => text.includes(word))
  }

  /** The message that a place of the text is in. */
  #messageAt(place: number): number {
    let low = 0
    let high = this.#orders.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= place) low = middle
      else high = middle - 1
    }
    return low
  }
}

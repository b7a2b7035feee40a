import type { MessageRow, ShownId } from '../store/conversation-entries.ts'

/** Own messages that the network does not keep yet. */
export class WaitingCount {
  readonly #waiting = new Set<ShownId>()

  get value(): number {
    return this.#waiting.size
  }

  /** A message appeared or changed. */
  note(id: ShownId, { mine, state }: Pick<MessageRow, 'mine' | 'state'>): void {
    if (mine && state === 'waiting') this.#waiting.add(id)
    else this.#waiting.delete(id)
  }

  /** After a start: a message that an earlier process left waiting. */
  add(id: ShownId): void {
    this.#waiting.add(id)
  }
}

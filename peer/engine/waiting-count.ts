import { toHex } from '../../protocol/bytes.ts'
import type { MessageRow } from './slots.ts'

/** Own messages that the network does not keep yet. */
export class WaitingCount {
  readonly #waiting = new Set<string>()

  get value(): number {
    return this.#waiting.size
  }

  /** A message appeared or changed. */
  note({ messageId, mine, state }: Pick<MessageRow, 'messageId' | 'mine' | 'state'>): void {
    if (mine && state === 'waiting') this.#waiting.add(toHex(messageId))
    else this.#waiting.delete(toHex(messageId))
  }

  /** After a start: a message that an earlier process left waiting. */
  add(messageId: string): void {
    this.#waiting.add(messageId)
  }
}

import type { UnitOfWork } from '../store/state-store.ts'

/**
 * Who keeps what messages say for the search. Whoever writes a row of the message log tells it, in the same unit of work.
 * Conversations are named in lower-case hex, rows by their order.
 */
export interface TextIndex {
  /** A row appeared. */
  rowAppeared(unit: UnitOfWork, conversation: string, order: string): Promise<void>
  /** The text of a row is another one, or is gone: nothing of the old one stays in the index. */
  textChanged(unit: UnitOfWork, conversation: string, order: string): Promise<void>
}

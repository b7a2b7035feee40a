/**
 * Checks that a source told a label's history whole. A source can glitch: a short page, a row left out, a page of another
 * moment. What is final cannot be taken back, so the history is looked at from both ends, against what is final already,
 * and every new page twice.
 */
import {
  LABEL_PAGE_SIZE,
  type Block,
  type ChainSource,
  type TransactionId,
  type TransactionPlace
} from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'

/** Chain order. @returns below, at or above zero. */
export function comparePlaces(a: TransactionPlace, b: TransactionPlace): number {
  return a.height - b.height || a.index - b.index
}

export const incomplete = (message: string): ChainError => new ChainError('INCOMPLETE', message)
const contradiction = (message: string): ChainError => new ChainError('CONTRADICTION', message)

/**
 * Checks that the chain still has the block of the log's last transaction, on which everything new is put.
 * @throws {@link ChainError} `CONTRADICTION` if another block is in its place; `INCOMPLETE` if the source is behind.
 */
export async function checkBlockBefore(
  source: ChainSource,
  last: TransactionPlace | undefined,
  tip: Block,
  signal: AbortSignal
): Promise<void> {
  if (!last) return
  if (tip.height < last.height)
    throw incomplete(`block ${last.height} is final here, and the source ends at ${tip.height}`)
  const block = await source.block(last.height, { signal })
  if (!block) throw incomplete(`the source does not have block ${last.height}, which is final here`)
  if (block.hash !== last.blockHash) {
    throw contradiction(
      `another block is in the place of block ${last.height}, in which transaction ${last.id} was final`
    )
  }
}

/**
 * Compares a page with the part of the FINAL log that belongs to it.
 * @param log - the final transactions of this page, from its first row on.
 * @throws {@link ChainError} `INCOMPLETE` if the source leaves out one of them; `CONTRADICTION` if the log lacks one, or
 * has one that is not on the chain.
 */
export async function checkLog(
  source: ChainSource,
  ids: TransactionId[],
  log: TransactionPlace[],
  signal: AbortSignal
): Promise<void> {
  const row = log.findIndex(({ id }, index) => ids[index] !== id)
  if (row < 0) return
  const final = log[row]!
  const place = await source.transaction(final.id, { signal })
  if (!place) throw contradiction(`transaction ${final.id} was final and is no longer on the chain`)
  if (place.blockHash !== final.blockHash) throw contradiction(`transaction ${final.id} was final in another block`)
  const listed = ids[row]
  if (listed === undefined) throw incomplete(`its list ends before transaction ${final.id}, which is final here`)
  const other = await source.transaction(listed, { signal })
  if (other && comparePlaces(other, final) < 0 && !log.some(({ id }) => id === listed)) {
    throw contradiction(`transaction ${listed} of block ${other.height} was missing when what follows it became final`)
  }
  throw incomplete(`its list leaves out transaction ${final.id}, which is final here`)
}

/** @throws {@link ChainError} `INCOMPLETE` if a page lists a transaction twice, or one of the page before. */
export function checkRepeats(ids: TransactionId[], before: TransactionId[]): void {
  const seen = new Set(before)
  for (const id of ids) {
    if (seen.has(id)) throw incomplete(`its list has transaction ${id} twice`)
    seen.add(id)
  }
}

/** @throws {@link ChainError} `INCOMPLETE` unless the places rise; `TORN_READ` if one height has two blocks. */
export function checkOrder(previous: TransactionPlace | undefined, place: TransactionPlace): void {
  if (!previous) return
  if (comparePlaces(previous, place) > 0) {
    throw incomplete(`its list has transaction ${previous.id} before ${place.id}, which precedes it on the chain`)
  }
  if (previous.height === place.height && previous.blockHash !== place.blockHash) {
    throw new ChainError('TORN_READ', `block ${place.height} changed while the history was read`)
  }
}

/**
 * Checks that nothing known is missing. @param known - places in blocks that are still part of the chain.
 * @param listed - all that was listed so far. @param through - the last place read; left out at the end of the history.
 * @throws {@link ChainError} `INCOMPLETE`.
 */
export function checkKnown(
  known: Iterable<TransactionPlace>,
  listed: ReadonlySet<TransactionId>,
  through: TransactionPlace | undefined
): void {
  for (const place of known) {
    const isDue = !through || comparePlaces(place, through) <= 0
    if (isDue && !listed.has(place.id))
      throw incomplete(`its list leaves out transaction ${place.id}, which it had before`)
  }
}

/** Reads a page again. @throws {@link ChainError} `INCOMPLETE` unless it begins as it did. */
export async function lookAgain(
  source: ChainSource,
  label: number,
  page: number,
  ids: TransactionId[],
  signal: AbortSignal
): Promise<void> {
  const again = await source.labelPage(label, { page, signal })
  const row = ids.findIndex((id, index) => again[index] !== id)
  if (row >= 0) throw incomplete(`page ${page} of its list told two things about row ${row + 1}`)
}

/** How a history ends, as read from its beginning. */
export interface ReadEnd {
  /** Number of the last page, which is short or empty. */
  page: number
  /** Transactions up to the end. */
  count: number
  /** The last ones in order, as far as they were read, with those of the page before. */
  tail: TransactionId[]
}

/**
 * Looks at the history from its newest end: that must be the end which was read from the other side.
 * @throws {@link ChainError} `INCOMPLETE` if the two differ in anything at or below the tip.
 */
export async function checkEnd(
  source: ChainSource,
  label: number,
  { page, count, tail }: ReadEnd,
  tip: Block,
  signal: AbortSignal
): Promise<void> {
  const newest = await source.labelPage(label, { page: 1, newestFirst: true, signal })
  const last = tail.at(-1)
  const at = last === undefined ? newest.length : newest.indexOf(last)
  // What came in a block after the tip belongs to the next reading.
  const beyond = newest[(at < 0 ? newest.length : at) - 1]
  const place = beyond && (await source.transaction(beyond, { signal }))
  if (beyond && !(place && place.height > tip.height)) {
    const next = await source.labelPage(label, { page: page + 1, signal })
    throw next.length > 0
      ? incomplete(`page ${page} of its list is short, and page ${page + 1} goes on`)
      : incomplete(`its list ends before transaction ${beyond}, which is there when it is read from the newest`)
  }
  if (at < 0) throw new ChainError('TORN_READ', 'the history grew while it was read')
  const rows = newest.slice(at)
  if (rows.length !== Math.min(count, LABEL_PAGE_SIZE - at)) {
    throw incomplete(`its list has ${count} transactions, and another number when it is read from the newest`)
  }
  const backwards = tail.toReversed()
  const row = backwards.slice(0, rows.length).findIndex((id, index) => rows[index] !== id)
  if (row >= 0) throw incomplete(`its list differs at transaction ${backwards[row]!} when it is read from the newest`)
}

/**
 * Reads a label's history above the FINAL log so that what comes out was true at one moment: pages, places and tip are
 * separate requests, and the chain may turn back between any two of them.
 */
import {
  LABEL_PAGE_SIZE,
  type Block,
  type ChainSource,
  type TransactionId,
  type TransactionPlace
} from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'

/** Requests that wait for their answers at the same time. */
const PARALLEL_REQUESTS = 8

/** Where the FINAL log ends: how many transactions it has, and the last of them. */
export interface LogEnd {
  count: number
  last: TransactionPlace | undefined
}

/** One page of a label's history. */
export interface LabelPage {
  /** From 1. */
  page: number
  /** All ids of the page, as listed. */
  ids: TransactionId[]
  /** Those above the FINAL log, in chain order: the last ones of `ids`. */
  places: TransactionPlace[]
  isLast: boolean
}

/** What bounds and eases a reading. */
export interface ReadLabelOptions {
  /** Known answers: places in blocks that are still part of the chain. */
  known: ReadonlyMap<TransactionId, TransactionPlace>
  /** Pages with something new that are read at most, so that a source without end does not keep a reading for ever. */
  maxPages: number
  signal: AbortSignal
}

/**
 * Reads pages from the end of the FINAL log on, oldest first.
 *
 * @yields one page at a time, the last one short or empty. If no page said `isLast`, the history goes on.
 * @throws {@link ChainError} `WRONG_CHAIN` if the log's last transaction is not where it was; `TORN_READ` if the chain
 * changed underneath.
 */
export async function* readLabel(
  source: ChainSource,
  label: number,
  end: LogEnd,
  { known, maxPages, signal }: ReadLabelOptions
): AsyncGenerator<LabelPage> {
  // The page that holds the log's last transaction, so that its position is checked as well.
  const firstPage = Math.floor(Math.max(0, end.count - 1) / LABEL_PAGE_SIZE) + 1
  // If that one is full, it has nothing new and does not count: with a bound of one page no reading would get past it.
  const firstFreshPage = Math.floor(end.count / LABEL_PAGE_SIZE) + 1
  let previous = end.last
  for (let page = firstPage; page < firstFreshPage + maxPages; page++) {
    const ids = await source.labelPage(label, { page, signal })
    let fresh = ids
    if (page === firstPage && end.count > 0) {
      const position = (end.count - 1) % LABEL_PAGE_SIZE
      if (ids[position] !== end.last?.id) throw await lostFinal(source, end.last!.id, signal)
      fresh = ids.slice(position + 1)
    }
    const places = await mapLimited(fresh, async id => {
      const place = known.get(id) ?? (await source.transaction(id, { signal }))
      if (!place) throw new ChainError('TORN_READ', 'a transaction left the chain while it was read')
      return place
    })
    for (const place of places) {
      if (previous && comparePlaces(previous, place) >= 0) {
        throw new ChainError('TORN_READ', 'the history is not in chain order')
      }
      previous = place
    }
    const isLast = ids.length < LABEL_PAGE_SIZE
    yield { page, ids, places, isLast }
    if (isLast) return
  }
}

/** A shorter listing may be a slow source; a final transaction that is gone or elsewhere is another chain. */
async function lostFinal(source: ChainSource, id: TransactionId, signal: AbortSignal): Promise<ChainError> {
  const place = await source.transaction(id, { signal })
  return place
    ? new ChainError('TORN_READ', 'the history is shorter than what is final already')
    : new ChainError('WRONG_CHAIN', `transaction ${id} was final and is no longer on the chain`)
}

/** Chain order. @returns below, at or above zero. */
export function comparePlaces(a: TransactionPlace, b: TransactionPlace): number {
  return a.height - b.height || a.index - b.index
}

/** @throws {@link ChainError} `TORN_READ` unless the block is still where it was. */
export async function checkStanding(source: ChainSource, block: Block, signal: AbortSignal): Promise<void> {
  const now = await source.tip({ signal })
  if (now.hash === block.hash) return
  const standing = now.height < block.height ? undefined : await source.block(block.height, { signal })
  if (standing?.hash !== block.hash) throw new ChainError('TORN_READ', 'the chain turned back while it was read')
}

/**
 * The places seen before whose block is still part of the chain.
 * @param places - in chain order. @param before - tip when they were seen.
 */
export async function standingPlaces(
  source: ChainSource,
  places: TransactionPlace[],
  before: Block,
  signal: AbortSignal
): Promise<TransactionPlace[]> {
  const stands = async (height: number, hash: string): Promise<boolean> =>
    (await source.block(height, { signal }))?.hash === hash
  if (await stands(before.height, before.hash)) return places
  let count = places.length
  while (count > 0) {
    const { height, blockHash } = places[count - 1]!
    if (await stands(height, blockHash)) break
    // All of one block fall together.
    while (count > 0 && places[count - 1]!.blockHash === blockHash) count--
  }
  return places.slice(0, count)
}

/** Maps with at most {@link PARALLEL_REQUESTS} under way; the first failure is thrown once all have ended. */
export async function mapLimited<T, R>(items: T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await map(items[index]!)
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: PARALLEL_REQUESTS }, worker))
  const failed = ended.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  return results
}

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
import { checkEnd, checkKnown, checkLog, checkOrder, checkRepeats, lookAgain } from './completeness.ts'

/** Requests that wait for their answers at the same time. */
const PARALLEL_REQUESTS = 8

/** Where the FINAL log ends. */
export interface LogEnd {
  count: number
  /** The final transactions on the label's page that holds the last of them, from its first row on. */
  lastPage: TransactionPlace[]
}

/** First position in the FINAL log of those that {@link LogEnd} needs. @param count - length of the log. */
export function lastPageStart(count: number): number {
  return (pageOf(count) - 1) * LABEL_PAGE_SIZE
}

/** The page that holds the log's last transaction, from 1. */
const pageOf = (count: number): number => Math.floor(Math.max(0, count - 1) / LABEL_PAGE_SIZE) + 1

/** A transaction above the FINAL log, as listed. */
export interface LabelRow {
  id: TransactionId
  /** `undefined` if the source lists the transaction and does not have it. */
  place: TransactionPlace | undefined
}

/** One page of a label's history. */
export interface LabelPage {
  /** From 1. */
  page: number
  /** All ids of the page, as listed. */
  ids: TransactionId[]
  /** Those above the FINAL log, in chain order: the last ones of `ids`. */
  rows: LabelRow[]
  isLast: boolean
}

/** What bounds and eases a reading. */
export interface ReadLabelOptions {
  /** The newest block when the reading began. */
  tip: Block
  /** Known answers: places in blocks that are still part of the chain. */
  known: ReadonlyMap<TransactionId, TransactionPlace>
  /** Pages with something new that are read at most, so that a source without end does not keep a reading for ever. */
  maxPages: number
  signal: AbortSignal
}

/**
 * Reads pages from the end of the FINAL log on, oldest first.
 *
 * @yields one page at a time, each checked by completeness.ts; the last one is short or empty. If no page said `isLast`,
 * the history goes on.
 * @throws {@link ChainError} `INCOMPLETE`, `CONTRADICTION`, or `TORN_READ` if the chain changed underneath.
 */
export async function* readLabel(
  source: ChainSource,
  label: number,
  { count, lastPage }: LogEnd,
  { tip, known, maxPages, signal }: ReadLabelOptions
): AsyncGenerator<LabelPage> {
  const firstPage = pageOf(count)
  // If that one is full, it has nothing new and does not count: with a bound of one page no reading would get past it.
  const firstFreshPage = Math.floor(count / LABEL_PAGE_SIZE) + 1
  const listed = new Set<TransactionId>()
  let previous = lastPage.at(-1)
  let before: TransactionId[] = []
  for (let page = firstPage; page < firstFreshPage + maxPages; page++) {
    const ids = await source.labelPage(label, { page, signal })
    if (page === firstPage) await checkLog(source, ids, lastPage, signal)
    checkRepeats(ids, before)
    const fresh = page === firstPage ? ids.slice(lastPage.length) : ids
    const rows = await mapLimited(fresh, async id => {
      return { id, place: known.get(id) ?? (await source.transaction(id, { signal })) }
    })
    for (const { id, place } of rows) {
      listed.add(id)
      if (!place) continue
      checkOrder(previous, place)
      previous = place
    }
    const isLast = ids.length < LABEL_PAGE_SIZE
    checkKnown(known.values(), listed, isLast ? undefined : previous)
    if (fresh.some(id => !known.has(id))) await lookAgain(source, label, page, ids, signal)
    const end = { page, count: (page - 1) * LABEL_PAGE_SIZE + ids.length, tail: [...before, ...ids] }
    if (isLast) await checkEnd(source, label, end, tip, signal)
    yield { page, ids, rows, isLast }
    if (isLast) return
    before = ids
  }
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
  const isOnChain = async (height: number, hash: string): Promise<boolean> =>
    (await source.block(height, { signal }))?.hash === hash
  if (await isOnChain(before.height, before.hash)) return places
  let count = places.length
  while (count > 0) {
    const { height, blockHash } = places[count - 1]!
    if (await isOnChain(height, blockHash)) break
    // All transactions of one block leave the chain together.
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

/** Transactions that a follower sees and does not use yet: the ones after them are reported, and nothing after them is final. */
import type { Block, TransactionId, TransactionPlace } from '../source/chain-source.ts'
import type { ChainErrorCode } from '../errors.ts'

/** A transaction that is not reported, and why. */
export interface HeldTransaction {
  id: TransactionId
  /** The rest of a sentence that begins with the transaction. */
  why: string
  /** The two sources disagree about it; otherwise the source does not serve it. */
  isDisputed: boolean
}

/** State of the follower, for `/readyz`. */
export interface FollowerHealth {
  /** The last poll had answers. */
  reachable: boolean
  /** Everything up to the tip has been read at least once since start, and the last reading came to its end. */
  caughtUp: boolean
  tip: Block | undefined
  /** Milliseconds since the tip's block was made; `undefined` before the first answer. */
  tipAgeMs: number | undefined
  /** One sentence, when the last poll failed. */
  reason: string | undefined
  /** The code of that failure; `undefined` if it is none of the chain's, or there was no failure. */
  code: ChainErrorCode | undefined
  held: HeldTransaction[]
  /** One sentence, if the second source numbers transactions in another way. */
  numbering: string | undefined
}

/** A row of the history above the FINAL log: a transaction to report, or one that is held. */
export type ReadRow =
  { place: TransactionPlace; held?: undefined } | { held: HeldTransaction; place: TransactionPlace | undefined }

/** The rows that may join the FINAL log: all before the first that is held, and before a block. @param below - its height. */
export function settledRows(
  rows: ReadRow[],
  isFinal: (place: TransactionPlace) => boolean,
  below: number
): TransactionPlace[] {
  const places: TransactionPlace[] = []
  for (const { place, held } of rows) {
    if (held || !isFinal(place) || place.height >= below) break
    places.push(place)
  }
  return places
}

/** Height up to which nothing is missing, at most `through`. @param before - height of the last transaction before the rows. */
export function wholeThrough(rows: ReadRow[], through: number, below: number, before: number): number {
  let last = before
  for (const { place, held } of rows) {
    if (held) return Math.min(through, below - 1, (place?.height ?? last) - 1)
    last = place.height
  }
  return Math.min(through, below - 1)
}

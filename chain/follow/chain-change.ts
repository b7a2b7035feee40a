/** What a follower reports about the chain; follower.ts says when. */
import type { Block, TransactionPlace } from '../source/chain-source.ts'

/** A transaction under the label. Its bytes hash to its id; nothing else about them is checked. */
export interface FollowedTransaction extends TransactionPlace {
  /** The whole raw transaction. */
  bytes: Uint8Array
  /** Blocks on top of its own; 0 in the newest block. */
  confirmations: number
}

/** A transaction of the FINAL log. */
export interface FinalTransaction extends FollowedTransaction {
  /** Position in the FINAL log, from 0, without gaps. */
  sequence: number
}

/** What one poll found. */
export interface ChainChange {
  tip: Block
  /** New in the FINAL log, oldest first. Each is reported at least once; `sequence` shows repeats. */
  final: FinalTransaction[]
  /** Everything above the FINAL log, oldest first: replaces the earlier report. */
  provisional: FollowedTransaction[]
  /** Reported before as provisional, and now gone from the chain or in another block. */
  rolledBack: TransactionPlace[]
  /** Height up to which nothing can be missing from the FINAL log; left out while the reading is not whole. */
  finalThrough?: number
}

/** How far a catch-up from the start has come. */
export interface CatchUpProgress {
  transactions: number
  height: number
  tipHeight: number
}

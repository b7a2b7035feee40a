/** What a follower is told and tells; see follower.ts for what it does. */
import type { Block, TransactionPlace } from '../source/chain-source.ts'

/** Settings of a follower; what is left out takes the default named beside it. */
export interface FollowerInit {
  /** Metadata label of the network's records. */
  label: number
  /** Cardano network magic; a source of another network is refused. */
  magic: number
  /** Pause between polls in milliseconds: {@link DEFAULT_POLL_MS}. */
  pollMs?: number
  /** Pages of the label, of 100 transactions each, that one round reads at most: {@link DEFAULT_MAX_PAGES}. */
  maxPages?: number
  /** Confirmations after which a transaction joins the FINAL log; default: the protocol's FINAL_CONFIRMATIONS. */
  finalConfirmations?: number
  /**
   * Called after each poll that changed anything, never twice at once, and awaited. A rejection is reported in health
   * and the same change is told again by the next poll.
   */
  onChange?: (change: ChainChange) => void | Promise<void>
  /** Called while a catch-up from the start goes on, once a page. */
  onProgress?: (progress: CatchUpProgress) => void
}

/** Hosted sources count requests; a devnet is followed faster by its own setting. */
export const DEFAULT_POLL_MS = 20_000
/** A longer history is read in several rounds. As many pages above the final transactions are too many to follow. */
export const DEFAULT_MAX_PAGES = 1_000

/** A transaction under the label, as it stands on the chain. Its bytes hash to its id; nothing else is promised. */
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
  /** New in the FINAL log, oldest first. Each is told at least once; `sequence` tells repeats. */
  final: FinalTransaction[]
  /** Everything above the FINAL log, oldest first: replaces what was told before. */
  provisional: FollowedTransaction[]
  /** Told before as provisional, and now gone from the chain or in another block. */
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

/** State of the follower, for `/readyz`. */
export interface FollowerHealth {
  /** The last poll had answers. */
  reachable: boolean
  /** Everything up to the tip has been read at least once since start, and the last reading came to its end. */
  caughtUp: boolean
  tip: Block | undefined
  /** Milliseconds since the tip's block was made; `undefined` before the first answer. */
  tipAgeMs: number | undefined
  /** One sentence, when something is wrong. */
  reason: string | undefined
  /** Transactions that the second source does not confirm; always 0 without one. */
  disputed: number
}

/** What a publisher is told and tells; see publisher.ts for what it does. */
import type { NetworkId } from '../../protocol/network.ts'
import type { TransactionId } from '../source/chain-source.ts'

/** Settings of a publisher; what is left out takes the default named beside it. */
export interface PublisherInit {
  /** The network that record ids belong to. */
  network: NetworkId
  /** Metadata label of the network's records. */
  label: number
  /** Records that make a batch full: {@link DEFAULT_BATCH_RECORDS}. */
  batchRecords?: number
  /** Longest wait of a record for its batch, in milliseconds: {@link DEFAULT_BATCH_WAIT_MS}. */
  batchWaitMs?: number
  /** How often the chain is asked about transactions under way, in milliseconds: {@link DEFAULT_CHECK_MS}. */
  checkMs?: number
  /** Life of a transaction in slots from the tip: {@link DEFAULT_TTL_SLOTS}. */
  ttlSlots?: number
  /** Blocks after a transaction's time to live until its records are published anew: {@link DEFAULT_EXPIRY_DEPTH}. */
  expiryDepth?: number
  /** Confirmations after which a transaction is no longer watched; default: the protocol's FINAL_CONFIRMATIONS. */
  finalConfirmations?: number
  /** Most lovelace spent on fees in any hour: {@link DEFAULT_HOURLY_BUDGET}. */
  hourlyBudget?: bigint
  /** Most lovelace that one transaction may cost: {@link DEFAULT_FEE_CAP}. */
  feeCap?: bigint
  /** Below this many lovelace health warns, and a devnet's faucet is asked: {@link DEFAULT_LOW_BALANCE}. */
  lowBalance?: bigint
}

/** A full batch costs a tenth per record of a lone one; twenty gives most of that saving. */
export const DEFAULT_BATCH_RECORDS = 20
export const DEFAULT_BATCH_WAIT_MS = 60_000
export const DEFAULT_CHECK_MS = 20_000
/** Two hours on networks with one-second slots. */
export const DEFAULT_TTL_SLOTS = 7_200
export const DEFAULT_EXPIRY_DEPTH = 15
/** 5 ADA: some 28 lone records, or 280 in full batches. */
export const DEFAULT_HOURLY_BUDGET = 5_000_000n
/** 1 ADA: a full 16 KiB transaction costs 0.88. */
export const DEFAULT_FEE_CAP = 1_000_000n
/** 10 ADA. */
export const DEFAULT_LOW_BALANCE = 10_000_000n

/**
 * How far one record has come:
 * - `queued` waits for its batch (or for money, budget or the chain)
 * - `submitted` is in the transaction named, which no block is known to hold
 * - `recorded` is in a block
 * - `refused` Cardano takes no metadata like it; it will not be tried again
 */
export type RecordStatus =
  | { state: 'queued' }
  | { state: 'submitted'; transaction: TransactionId }
  | { state: 'recorded'; transaction: TransactionId; height: number; confirmations: number }
  | { state: 'refused'; reason: string }

/** Why publishing does not go on as it should, in words an operator can act on. */
export interface PublisherHealth {
  /** Records are being published, or there are none. */
  ok: boolean
  /** One sentence for each thing wrong. */
  reasons: string[]
  queuedRecords: number
  /** Transactions that are watched: submitted, or not final. */
  liveTransactions: number
  /** Lovelace in the wallet, own unconfirmed change included; `undefined` until first read. */
  balance: bigint | undefined
  lowBalance: boolean
  /** Lovelace of fees in the last hour. */
  spentLastHour: bigint
  /** The wallet's address, bech32. */
  address: string
}

import type { TransactionId } from '../source/chain-source.ts'

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

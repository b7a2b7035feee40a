import { RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import { receiptsRequired, type ListedNode } from '../../protocol/wire/placement.ts'

/**
 * The four decisions on which "sent" rests. Production has one answer to each, {@link PRODUCTION_CUSTODY}; the chaos test
 * runs nodes with a wrong one, to prove that its checker would notice.
 */
export interface CustodyPolicy {
  /** Receipts of different operators that make a delivery stored. */
  receiptsRequired(replicas: ListedNode[]): number
  /** Receipts are signed only once the store has fsynced. */
  receiptAfterWrite: boolean
  /** The store fsyncs. */
  syncWrites: boolean
  /** What was acknowledged stays gone. */
  keepTombstones: boolean
}

export const PRODUCTION_CUSTODY: CustodyPolicy = {
  receiptsRequired: replicas => receiptsRequired(replicas, RECEIPTS_REQUIRED),
  receiptAfterWrite: true,
  syncWrites: true,
  keepTombstones: true
}

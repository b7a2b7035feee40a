/** What a follower tells, made from records that a test puts into blocks. */
import type { Block, BlockHash, TransactionId } from '../../../chain/source/chain-source.ts'
import type { ChainChange, FinalTransaction, FollowedTransaction } from '../../../chain/follow/chain-change.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { parseTransaction } from '../../../protocol/directory/transaction.ts'
import type { DirectoryRecord } from '../../../protocol/identity/record.ts'
import { blockHashOf, publish } from '../directory/published.ts'
import { timeOf } from '../directory/test-chain.ts'

/** The block of the test chain at a height. */
export function blockAt(height: number): Block {
  return { hash: toHex(blockHashOf(height)) as BlockHash, height, slot: height * 20, time: timeOf(height) }
}

/** Records in one transaction of a block. */
export function followed(records: (DirectoryRecord | Uint8Array)[], height: number, index = 0): FollowedTransaction {
  const { transaction } = publish(records, height, index)
  const id = toHex(parseTransaction(transaction).id) as TransactionId
  const { hash, slot, time } = blockAt(height)
  return { id, blockHash: hash, height, index, slot, time, bytes: transaction, confirmations: 0 }
}

/** A poll's finding: what is final (numbered from `firstSequence`), and what is above it, not final yet. */
export function changeOf(
  tipHeight: number,
  provisional: FollowedTransaction[],
  options: { final?: FollowedTransaction[]; firstSequence?: number; rolledBack?: FollowedTransaction[] } = {}
): ChainChange {
  const { final = [], firstSequence = 0, rolledBack = [] } = options
  const numbered = final.map((place, index): FinalTransaction => ({ ...place, sequence: firstSequence + index }))
  return { tip: blockAt(tipHeight), final: numbered, provisional, rolledBack }
}

import { encodeMetadata } from '../../../protocol/directory/metadata.ts'
import { PROOF_VERSION, type AccountProof, type ProofTransaction } from '../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import { bytesOf, genesis } from './cast.ts'
import { rawTransaction } from './raw-cbor.ts'
import { timeOf } from './test-chain.ts'

/** Hash of a block of the test chain. */
export function blockHashOf(blockHeight: number): Uint8Array {
  return bytesOf(`block ${blockHeight}`)
}

/**
 * Puts records into one raw transaction at a place of the test chain.
 * @param recordIndexes - which of them the proof shows; all if left out.
 */
export function publish(
  records: (DirectoryRecord | Uint8Array)[],
  blockHeight: number,
  txIndex = 0,
  recordIndexes: number[] = records.map((_, index) => index)
): ProofTransaction {
  const bytes = records.map(record => (record instanceof Uint8Array ? record : encodeRecord(record)))
  const transaction = rawTransaction({
    aux: encodeMetadata(genesis.metadataLabel, bytes),
    fee: 200_000 + blockHeight * 100 + txIndex
  })
  const blockHash = blockHashOf(blockHeight)
  return { transaction, blockHeight, blockHash, blockTime: timeOf(blockHeight), txIndex, recordIndexes }
}

/** A proof as an honest node would make it. */
export function proofOf(
  accountId: AccountId,
  transactions: ProofTransaction[],
  tipHeight = 100,
  pending: DirectoryRecord[] = []
): AccountProof {
  return {
    version: PROOF_VERSION,
    accountId,
    transactions,
    pending: pending.map(encodeRecord),
    tip: { height: tipHeight, hash: blockHashOf(tipHeight), time: timeOf(tipHeight) }
  }
}

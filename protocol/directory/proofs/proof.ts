/**
 * What a node answers when it is asked for an account: the raw transactions with the account's records, their places, and
 * the tip it saw. Ids and signatures are recomputed, so nothing in it can be forged; what a lone source can still do is
 * withhold the latest records or invent a transaction that never was in a block. Two sources that agree settle that.
 */
import { equalBytes } from '../../bytes.ts'
import { bytes, bytesBetween, constant, decode, encode, list, struct, uint, type TypeOf } from '../../codec.ts'
import type { Crypto } from '../../crypto/crypto.ts'
import { ProtocolError } from '../../errors.ts'
import { accountIdCodec, type AccountId, type RecordId } from '../../identity/device.ts'
import {
  MAX_ACCOUNT_PROOF_BYTES,
  MAX_PROOF_TRANSACTIONS,
  MAX_RECORD_BYTES,
  MAX_TRANSACTION_BYTES
} from '../../limits.ts'
import type { NetworkId } from '../../network.ts'
import { historyOf, type AccountState } from '../account.ts'
import { foldAccount } from '../fold-account.ts'
import { recordsOfTransaction } from '../metadata.ts'
import { bytesKey, compareOrder, type OrderedRecord, type OrderKey } from '../order.ts'
import type { RejectedRecord } from '../verdict.ts'

/** Version of the proof format. */
export const PROOF_VERSION = 1
/** Records of one account that one transaction may hold. */
const MAX_RECORDS_OF_TRANSACTION = 1_024
/** Pending records that one proof may carry. */
export const MAX_PROOF_PENDING = 64

/** A transaction with records of the account, and the place that the node gives for it. */
export const proofTransactionCodec = struct({
  /** Raw CBOR, as the ledger has it. */
  transaction: bytesBetween(1, MAX_TRANSACTION_BYTES),
  blockHeight: uint(),
  blockHash: bytes(32),
  /** Milliseconds since 1970: slot time of the block. */
  blockTime: uint(),
  txIndex: uint(),
  /** Which of the transaction's records are the account's, rising. */
  recordIndexes: list(uint(MAX_TRANSACTION_BYTES), MAX_RECORDS_OF_TRANSACTION, 1)
})

/** What a node answers about an account. */
export const accountProofCodec = struct({
  version: constant(PROOF_VERSION),
  accountId: accountIdCodec,
  /** In chain order. Accepted records only. */
  transactions: list(proofTransactionCodec, MAX_PROOF_TRANSACTIONS),
  /** Records that wait to be in a block, in the order in which the node took them. */
  pending: list(bytesBetween(1, MAX_RECORD_BYTES), MAX_PROOF_PENDING),
  /** The last block that the node saw; `time` in milliseconds since 1970. */
  tip: struct({ height: uint(), hash: bytes(32), time: uint() })
})

/** Decoded, not checked yet: see {@link checkProof}. */
export type AccountProof = TypeOf<typeof accountProofCodec>
/** See {@link proofTransactionCodec}. */
export type ProofTransaction = TypeOf<typeof proofTransactionCodec>

/** Canonical bytes of a proof. */
export function encodeProof(proof: AccountProof): Uint8Array {
  return encode(accountProofCodec, proof)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeProof(proof: Uint8Array): AccountProof {
  return decode(accountProofCodec, proof, { maxBytes: MAX_ACCOUNT_PROOF_BYTES, maxDepth: 5 })
}

/** A transaction as a follower keeps it, to prove its content. */
export type StoredTransaction = Pick<ProofTransaction, 'transaction' | 'blockHash' | 'blockTime'>

/**
 * Puts together the proof that a node answers with.
 *
 * @param account - as folded; its pending records are given separately.
 * @param transactionAt - the stored transaction at a place; all of the account's history must be there.
 * @param pending - bytes of the account's pending records, in the order in which they were taken.
 * @throws ProtocolError `INVALID` if a transaction is missing.
 */
export function assembleProof(
  account: Pick<AccountState, 'accountId' | 'history'>,
  transactionAt: (place: Pick<OrderKey, 'blockHeight' | 'txIndex'>) => StoredTransaction | undefined,
  pending: Uint8Array[],
  tip: AccountProof['tip']
): AccountProof {
  const transactions: ProofTransaction[] = []
  for (const { order } of historyOf(account)) {
    if (!order) continue
    const { blockHeight, txIndex, recordIndex } = order
    const last = transactions.at(-1)
    if (last?.blockHeight === blockHeight && last.txIndex === txIndex) {
      last.recordIndexes.push(recordIndex)
      continue
    }
    const stored = transactionAt({ blockHeight, txIndex })
    if (!stored) throw new ProtocolError('INVALID', `transaction ${txIndex} of block ${blockHeight} is not kept`)
    const { transaction, blockHash, blockTime } = stored
    transactions.push({ transaction, blockHeight, blockHash, blockTime, txIndex, recordIndexes: [recordIndex] })
  }
  return { version: PROOF_VERSION, accountId: account.accountId, transactions, pending, tip }
}

/** The place of a record, as one source says. */
export interface RecordPlace {
  readonly recordId: RecordId
  /** `null` while pending. */
  readonly order: OrderKey | null
  /** Milliseconds since 1970, of its block; it decides which REVOKE can still be answered. */
  readonly blockTime: number
  /** 32 bytes each; `null` while pending. */
  readonly transactionId: Uint8Array | null
  readonly blockHash: Uint8Array | null
}

/** An account as one proof shows it. */
export interface CheckedProof {
  readonly account: AccountState
  /** Every accepted record and its place, oldest first. */
  readonly places: readonly RecordPlace[]
  /** Pending records that the account accepted. */
  readonly pendingCount: number
  /** Pending records that it would not accept. */
  readonly rejectedPending: readonly RejectedRecord[]
  readonly tip: AccountProof['tip']
  /** Blocks on top of the latest recorded change and its own; 0 if nothing is recorded yet. */
  readonly confirmations: number
}

/**
 * Checks a proof: each transaction's id and its hold on the metadata, each record's signatures and links.
 *
 * @param metadataLabel - the network's label.
 * @param accountId - the account that was asked for.
 * @param judgedAt - time that pending records are judged at, milliseconds; the tip's if it is left out, which is a node's word.
 * @throws ProtocolError `NOT_FOR_US` for another account, `MALFORMED`, `TOO_LARGE`, or `INVALID` for a contradiction: a
 * transaction that is not whole, places out of order, or a recorded entry that the rules do not accept, which no honest
 * node sends.
 */
export async function checkProof(
  crypto: Crypto,
  network: NetworkId,
  metadataLabel: number,
  accountId: AccountId,
  proof: AccountProof,
  judgedAt = proof.tip.time
): Promise<CheckedProof> {
  if (!equalBytes(proof.accountId, accountId)) throw new ProtocolError('NOT_FOR_US', 'proof of another account')
  requirePlaces(proof)
  const transactionIds = new Map<string, Uint8Array>()
  const entries: OrderedRecord[] = proof.transactions.flatMap(transaction => {
    const { transactionId, records } = readTransaction(transaction, metadataLabel)
    if (transactionIds.has(bytesKey(transactionId))) throw contradiction('a transaction stands in two places')
    transactionIds.set(bytesKey(transactionId), transactionId)
    return records
  })
  const recordedCount = entries.length
  for (const pending of proof.pending) entries.push({ bytes: pending, order: null, blockTime: judgedAt })
  const fold = await foldAccount(crypto, network, accountId, entries)
  if (!fold) throw contradiction('the proof does not hold the first record of the account')
  const refused = fold.rejected.find(({ order }) => order !== null)
  if (refused) throw contradiction(`a recorded entry is not acceptable: ${refused.code}`)
  const places = placesOf(fold.account, proof, [...transactionIds.values()])
  const lastRecorded = places.findLast(({ order }) => order !== null)?.order
  return {
    account: fold.account,
    places,
    pendingCount: places.length - recordedCount,
    rejectedPending: fold.rejected,
    tip: proof.tip,
    confirmations: lastRecorded ? proof.tip.height - lastRecorded.blockHeight + 1 : 0
  }
}

const contradiction = (message: string): ProtocolError => new ProtocolError('INVALID', message)

/**
 * Transactions rise, one block has one hash and time, nothing is above the tip.
 * @throws ProtocolError `INVALID`.
 */
export function requirePlaces({ transactions, tip }: Pick<AccountProof, 'transactions' | 'tip'>): void {
  transactions.forEach((current, index) => {
    const { blockHeight, txIndex, blockHash, blockTime, recordIndexes } = current
    if (blockHeight > tip.height) throw contradiction('a transaction stands above the tip')
    if (blockHeight === tip.height && !equalBytes(blockHash, tip.hash)) throw contradiction('the tip has two hashes')
    if (recordIndexes.some((value, i) => i > 0 && value <= recordIndexes[i - 1]!)) {
      throw contradiction('record indexes do not rise')
    }
    const previous = transactions[index - 1]
    if (!previous) return
    const isSameBlock = previous.blockHeight === blockHeight
    if (previous.blockHeight > blockHeight || (isSameBlock && previous.txIndex >= txIndex)) {
      throw contradiction('transactions are not in chain order')
    }
    if (previous.blockTime > blockTime) throw contradiction('block times go back')
    if (
      isSameBlock !== equalBytes(previous.blockHash, blockHash) ||
      (isSameBlock && previous.blockTime !== blockTime)
    ) {
      throw contradiction('a block has one hash and one time')
    }
  })
}

/**
 * The named records of a transaction, with their places, and its id.
 * @throws ProtocolError `MALFORMED`, `TOO_LARGE`, `INVALID`.
 */
export function readTransaction(
  { transaction, blockHeight, blockTime, txIndex, recordIndexes }: ProofTransaction,
  metadataLabel: number
): { transactionId: Uint8Array; records: OrderedRecord[] } {
  const { transactionId, metadata } = recordsOfTransaction(transaction, metadataLabel)
  if (metadata.kind !== 'records') throw contradiction('a transaction holds no records')
  const records = recordIndexes.map(recordIndex => {
    const record = metadata.records[recordIndex]
    if (!record) throw contradiction(`a transaction has no record ${recordIndex}`)
    return { bytes: record, order: { blockHeight, txIndex, recordIndex }, blockTime }
  })
  return { transactionId, records }
}

function placesOf(account: AccountState, proof: AccountProof, transactionIds: Uint8Array[]): RecordPlace[] {
  const byPlace = new Map(
    proof.transactions.map(({ blockHeight, txIndex, blockHash }, index) => [
      `${blockHeight}/${txIndex}`,
      { transactionId: transactionIds[index]!, blockHash }
    ])
  )
  return historyOf(account).map(({ recordId, order, blockTime }) => {
    const place = order && byPlace.get(`${order.blockHeight}/${order.txIndex}`)
    const { transactionId, blockHash } = place ?? { transactionId: null, blockHash: null }
    return { recordId, order, blockTime, transactionId, blockHash }
  })
}

/**
 * How two sources compare on one account. Only `same` is two sources agreeing; `behind` and `ahead` mean that one
 * withholds the latest records or has not seen them yet; `contradiction` that one of them lies or sits on another fork.
 */
export type ProofComparison = 'same' | 'behind' | 'ahead' | 'contradiction'

/** Compares what is on chain by (record, transaction, block, its time, index). Pending records are left out. */
export function compareProofs(a: CheckedProof, b: CheckedProof): ProofComparison {
  const left = a.places.filter(({ order }) => order !== null)
  const right = b.places.filter(({ order }) => order !== null)
  const shared = Math.min(left.length, right.length)
  for (let i = 0; i < shared; i++) if (!isSamePlace(left[i]!, right[i]!)) return 'contradiction'
  if (left.length === right.length) return 'same'
  return left.length < right.length ? 'behind' : 'ahead'
}

function isSamePlace(a: RecordPlace, b: RecordPlace): boolean {
  return (
    equalBytes(a.recordId, b.recordId) &&
    compareOrder(a.order, b.order) === 0 &&
    a.blockTime === b.blockTime &&
    equalBytes(a.transactionId!, b.transactionId!) &&
    equalBytes(a.blockHash!, b.blockHash!)
  )
}

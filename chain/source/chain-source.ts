/** The port to a Cardano chain: what publisher and follower need from any source. */
import type { Brand } from '../../protocol/brand.ts'
import { ChainError } from '../errors.ts'

/** Lower-case hex of the 32-byte BLAKE2b-256 of a transaction's body (64 characters). */
export type TransactionId = Brand<string, 'TransactionId'>
/** Lower-case hex of a 32-byte block hash (64 characters). */
export type BlockHash = Brand<string, 'BlockHash'>

/** One block of the chain as it is now. */
export interface Block {
  hash: BlockHash
  height: number
  slot: number
  /** Milliseconds since 1970. */
  time: number
}

/** The place of a transaction; (height, index) orders all transactions of a chain. */
export interface TransactionPlace {
  id: TransactionId
  blockHash: BlockHash
  height: number
  /** Position in its block. */
  index: number
  slot: number
  /** Milliseconds since 1970, the block's. */
  time: number
}

/** An unspent output of pure ADA; outputs with other assets are left out. */
export interface Utxo {
  transaction: TransactionId
  index: number
  lovelace: bigint
}

/** The protocol parameters that building a metadata transaction needs. */
export interface ProtocolParameters {
  /** Lovelace per byte of a transaction. */
  feePerByte: bigint
  /** Lovelace per transaction. */
  feeBase: bigint
  /** Lovelace per byte of an output. */
  lovelacePerUtxoByte: bigint
  /** Bytes. */
  maxTransactionSize: number
  /** Bytes. */
  maxValueSize: number
  keyDeposit: bigint
  poolDeposit: bigint
}

/** What makes a chain this one and no other. */
export interface ChainIdentity {
  /** 764824073 mainnet, 1 preprod, 2 preview; 42 the local devnet. */
  magic: number
  /** Milliseconds since 1970 of the chain's first slot: tells two devnets apart. */
  systemStart: number
}

/** Every call may be cancelled, and ends by itself at the source's deadline. */
export interface CallOptions {
  signal?: AbortSignal
}

export interface LabelPageOptions extends CallOptions {
  /** First page is 1; a page holds {@link LABEL_PAGE_SIZE} rows, oldest first. */
  page: number
  /** Counts pages and rows from the newest instead. */
  newestFirst?: boolean
}

/** Rows of one page of a label's history. */
export const LABEL_PAGE_SIZE = 100

/**
 * A view of one chain, told by one party.
 *
 * All methods throw {@link ChainError}: `UNREACHABLE`, `BUSY`, `FORBIDDEN`, `BAD_ANSWER`. What is not on the chain is
 * `undefined`.
 */
export interface ChainSource {
  /** Host of the source, for logs and health; never a key. */
  readonly name: string

  identity(options?: CallOptions): Promise<ChainIdentity>
  tip(options?: CallOptions): Promise<Block>
  /** The block at a height, or of a hash, on the chain as it is now. */
  block(heightOrHash: number | BlockHash, options?: CallOptions): Promise<Block | undefined>
  /** Ids of the transactions that carry a metadata label, in the order asked for; empty past the end. */
  labelPage(label: number, options: LabelPageOptions): Promise<TransactionId[]>
  transaction(id: TransactionId, options?: CallOptions): Promise<TransactionPlace | undefined>
  /** The raw transaction; already checked to hash to `id`, auxiliary data included. */
  transactionBytes(id: TransactionId, options?: CallOptions): Promise<Uint8Array | undefined>
  parameters(options?: CallOptions): Promise<ProtocolParameters>
  /** Unspent outputs of an address on the chain (not in the mempool); empty for one never used. */
  utxos(address: string, options?: CallOptions): Promise<Utxo[]>
  /** @throws {@link ChainError} `REJECTED` when the ledger refuses it, `BUSY` when it should be sent again later. */
  submit(transaction: Uint8Array, options?: CallOptions): Promise<TransactionId>
  /**
   * Only on a devnet: asks its faucet for ADA. Absent elsewhere.
   * @param address - bech32.
   */
  fund?(address: string, options?: CallOptions): Promise<void>
}

const HASH = /^[0-9a-f]{64}$/

/** @throws {@link ChainError} `BAD_ANSWER` for anything else than 64 lower-case hex characters. */
export function parseTransactionId(value: unknown): TransactionId {
  if (typeof value === 'string' && HASH.test(value)) return value as TransactionId
  throw new ChainError('BAD_ANSWER', 'expected a transaction id of 64 hex characters')
}

/** @throws {@link ChainError} `BAD_ANSWER` for anything else than 64 lower-case hex characters. */
export function parseBlockHash(value: unknown): BlockHash {
  if (typeof value === 'string' && HASH.test(value)) return value as BlockHash
  throw new ChainError('BAD_ANSWER', 'expected a block hash of 64 hex characters')
}

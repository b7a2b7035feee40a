/**
 * The devnet's chain on disk. An empty block is two short entries, so a devnet may run for months; a block with
 * transactions adds them, their labels, and the set of unspent outputs after it. Those sets are what a start and a
 * rollback load instead of replaying, and only those within reach of a rollback are kept.
 */
import { createHash } from 'node:crypto'
import { concatBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { bytes, decode, encode, list, struct, uint } from '../../protocol/codec.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { BlockHash, TransactionId } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { sortableNumber } from '../chain-store.ts'
import { DurableLevel } from '../store/durable-level.ts'
import { snapshotOf, type StoreSnapshot } from '../store/store-dump.ts'
import { metadataOf, parseRawTransaction } from '../source/raw-transaction.ts'

/** Deepest rollback: Cardano's security parameter k. */
export const MAX_ROLLBACK = 2_160

/** What a devnet is made with and keeps. */
export interface DevnetGenesis {
  version: 1
  /** Milliseconds since 1970 of slot 0; whole seconds. */
  systemStart: number
  /** Milliseconds. */
  slotMs: number
  /** Hex of 32 random bytes: block hashes differ between devnets. */
  salt: string
  /** Hex of 32 random bytes. */
  faucetSeed: string
}

/** One block; everything else about it follows from these. */
export interface StoredBlock {
  height: number
  slot: number
  /** How many rollbacks the chain had seen, so that a block made again has a new hash. */
  fork: number
  /** Bytes of all its transactions. */
  size: number
  /** Lovelace. */
  fees: number
  transactions: TransactionId[]
}

/** A transaction on the chain. */
export interface StoredTransaction {
  height: number
  index: number
  bytes: Uint8Array
}

const blockCodec = struct({
  slot: uint(),
  fork: uint(),
  size: uint(),
  fees: uint(),
  transactions: list(bytes(32), 10_000)
})
const BLOCK_LIMITS = { maxBytes: 1024 * 1024 }
/** Of a hash, in its index: long enough to be unique in practice, and checked against the block it leads to. */
const HASH_PREFIX = 16

type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/** Newest layout that this program reads, see `migrate.ts`. */
export const BLOCK_STORE_VERSION = 1

export class BlockStore {
  readonly #folder: string
  #opened: DurableLevel<string, Uint8Array> | undefined
  #genesis: DevnetGenesis | undefined

  /** @param folder - of its own; made if absent. */
  constructor(folder: string) {
    this.#folder = folder
  }

  get #level(): DurableLevel<string, Uint8Array> {
    if (!this.#opened) throw new ChainError('STOPPED', 'the devnet is not open')
    return this.#opened
  }

  get genesis(): DevnetGenesis {
    if (!this.#genesis) throw new ChainError('MALFORMED', 'the devnet has no genesis yet')
    return this.#genesis
  }

  /** Opens the folder. @throws StoreError, such as `in-use` when another process holds it. */
  async open(): Promise<void> {
    this.#opened = await DurableLevel.open<string, Uint8Array>(this.#folder, {
      valueEncoding: 'view',
      // Nothing after this can be kept: the process of the devnet ends, and its thread in a node.
      onFatal: error =>
        setImmediate(() => {
          throw error
        })
    })
    const stored = await this.#level.get<string, string>('genesis', { valueEncoding: 'utf8' })
    if (stored !== undefined) this.#genesis = JSON.parse(stored) as DevnetGenesis
  }

  async close(): Promise<void> {
    await this.#opened?.close()
  }

  /** All of it at this moment, for a backup. */
  snapshot(): Promise<StoreSnapshot> {
    return snapshotOf(this.#level)
  }

  get isEmpty(): boolean {
    return this.#genesis === undefined
  }

  /** Writes block 0 with the first unspent outputs. */
  async create(genesis: DevnetGenesis, utxos: Uint8Array): Promise<void> {
    this.#genesis = genesis
    const first: StoredBlock = { height: 0, slot: 0, fork: 0, size: 0, fees: 0, transactions: [] }
    const operations: Operation[] = [
      { type: 'put', key: 'genesis', value: Buffer.from(JSON.stringify(genesis)) },
      { type: 'put', key: utxoKey(0), value: utxos },
      ...this.#blockOperations(first)
    ]
    await this.#level.batch(operations)
  }

  /** The newest block. */
  async tip(): Promise<StoredBlock> {
    for await (const [key, value] of this.#level.iterator({ gte: 'block/', lt: 'block0', reverse: true, limit: 1 })) {
      return parseBlock(Number(key.slice('block/'.length)), value)
    }
    throw new ChainError('MALFORMED', 'the devnet has no blocks')
  }

  async block(height: number): Promise<StoredBlock | undefined> {
    const value = await this.#level.get(blockKey(height))
    return value && parseBlock(height, value)
  }

  async blockOfHash(hash: BlockHash): Promise<StoredBlock | undefined> {
    const height = await this.#level.get<string, string>(hashKey(hash), { valueEncoding: 'utf8' })
    const block = height === undefined ? undefined : await this.block(Number(height))
    return block && this.hashOf(block) === hash ? block : undefined
  }

  hashOf(block: StoredBlock): BlockHash {
    const { height, slot, fork, transactions } = block
    const content = JSON.stringify(['volo devnet block', this.genesis.salt, height, slot, fork, transactions])
    return createHash('sha256').update(content).digest('hex') as BlockHash
  }

  async transaction(id: TransactionId): Promise<StoredTransaction | undefined> {
    const value = await this.#level.get(transactionKey(id))
    if (!value) return undefined
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
    return { height: view.getUint32(0), index: view.getUint32(4), bytes: Uint8Array.from(value.subarray(8)) }
  }

  /** Ids of a label's transactions in chain order, or the reverse. */
  async labelled(label: string, range: { skip: number; count: number; reverse: boolean }): Promise<TransactionId[]> {
    const ids: TransactionId[] = []
    const prefix = labelPrefix(label)
    const limit = range.skip + range.count
    let position = 0
    for await (const value of this.#level.values({ gte: prefix, lt: `${prefix}~`, reverse: range.reverse, limit })) {
      if (position++ >= range.skip) ids.push(toHex(value) as TransactionId)
    }
    return ids
  }

  /** Unspent outputs after the block at a height, as {@link parseUtxos} reads them. */
  async utxosAt(height: number): Promise<Uint8Array> {
    const range = { gte: 'utxo/', lte: utxoKey(height), reverse: true, limit: 1 }
    for await (const value of this.#level.values(range)) return Uint8Array.from(value)
    throw new ChainError('MALFORMED', `no unspent outputs are kept for height ${height}`)
  }

  /** Puts a block on top. @param utxos - after it; left out for an empty block, which changes nothing. */
  async append(block: StoredBlock, transactions: Uint8Array[], utxos: Uint8Array | undefined): Promise<void> {
    const operations = this.#blockOperations(block)
    block.transactions.forEach((id, index) => {
      const place = Buffer.alloc(8)
      place.writeUInt32BE(block.height, 0)
      place.writeUInt32BE(index, 4)
      operations.push({ type: 'put', key: transactionKey(id), value: concatBytes(place, transactions[index]!) })
      for (const label of labelsOf(transactions[index]!)) {
        operations.push({ type: 'put', key: labelKey(label, block.height, index), value: fromHex(id) })
      }
    })
    if (utxos) {
      operations.push({ type: 'put', key: utxoKey(block.height), value: utxos })
      operations.push(...(await this.#staleUtxos(block.height)))
    }
    // Losing the last empty blocks in a power cut is a rollback, also where a later block stays; a transaction is kept.
    await this.#level.batch(operations, { sync: utxos !== undefined })
  }

  /** Takes away all blocks above a height. @returns their transactions, in order. */
  async truncate(height: number): Promise<Uint8Array[]> {
    const operations: Operation[] = []
    const lost: Uint8Array[] = []
    for await (const [key, value] of this.#level.iterator({ gt: blockKey(height), lt: 'block0' })) {
      const block = parseBlock(Number(key.slice('block/'.length)), value)
      operations.push({ type: 'del', key }, { type: 'del', key: hashKey(this.hashOf(block)) })
      operations.push({ type: 'del', key: utxoKey(block.height) })
      for (const [index, id] of block.transactions.entries()) {
        const transaction = await this.transaction(id)
        operations.push({ type: 'del', key: transactionKey(id) })
        if (!transaction) continue
        lost.push(transaction.bytes)
        for (const label of labelsOf(transaction.bytes)) {
          operations.push({ type: 'del', key: labelKey(label, block.height, index) })
        }
      }
    }
    await this.#level.batch(operations)
    return lost
  }

  #blockOperations(block: StoredBlock): Operation[] {
    const { slot, fork, size, fees } = block
    const transactions = block.transactions.map(id => fromHex(id))
    return [
      { type: 'put', key: blockKey(block.height), value: encode(blockCodec, { slot, fork, size, fees, transactions }) },
      { type: 'put', key: hashKey(this.hashOf(block)), value: Buffer.from(String(block.height)) }
    ]
  }

  /** Deletes all sets out of a rollback's reach, except the newest of them: it holds up to the next one. */
  async #staleUtxos(height: number): Promise<Operation[]> {
    const reach = Math.max(0, height - MAX_ROLLBACK)
    const keys = await this.#level.keys({ gte: 'utxo/', lte: utxoKey(reach) }).all()
    return keys.slice(0, -1).map(key => ({ type: 'del', key }))
  }
}

const blockKey = (height: number): string => `block/${sortableNumber(height)}`
const utxoKey = (height: number): string => `utxo/${sortableNumber(height)}`
const hashKey = (hash: BlockHash): string => `hash/${hash.slice(0, HASH_PREFIX)}`
const transactionKey = (id: TransactionId): string => `tx/${id}`
const labelPrefix = (label: string): string => `label/${label}/`
const labelKey = (label: string, height: number, index: number): string =>
  `${labelPrefix(label)}${sortableNumber(height)}/${sortableNumber(index)}`

function parseBlock(height: number, value: Uint8Array): StoredBlock {
  const block = decode(blockCodec, value, BLOCK_LIMITS)
  return { height, ...block, transactions: block.transactions.map(id => toHex(id) as TransactionId) }
}

/** Labels of a transaction's metadata; none where it is of a shape that cannot be read. */
function labelsOf(transaction: Uint8Array): string[] {
  try {
    const { auxiliaryData } = parseRawTransaction(transaction)
    return auxiliaryData ? metadataOf(auxiliaryData).map(({ label }) => String(label)) : []
  } catch (error) {
    if (error instanceof ChainError || error instanceof ProtocolError) return []
    throw error
  }
}

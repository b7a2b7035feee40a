/**
 * The whole directory, from raw transactions: pages the label, takes each transaction's bytes and place, and folds the
 * records in chain order. Nothing that the source says about contents is used, only bytes and places.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import type { Crypto } from '../../../protocol/crypto/crypto.ts'
import { historyOf } from '../../../protocol/directory/account.ts'
import { Directory } from '../../../protocol/directory/directory.ts'
import { recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import type { OrderKey } from '../../../protocol/directory/order.ts'
import { PROOF_VERSION, type AccountProof, type ProofTransaction } from '../../../protocol/directory/proofs/proof.ts'
import type { Verdict } from '../../../protocol/directory/verdict.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import type { Genesis, NetworkId } from '../../../protocol/network.ts'
import {
  LABEL_PAGE_SIZE,
  type Block,
  type ChainSource,
  type TransactionId,
  type TransactionPlace
} from '../../source/chain-source.ts'
import { ChainError, type ChainErrorCode } from '../../errors.ts'
import { checkEnd, checkRepeats, lookAgain } from '../../follow/completeness.ts'
import { VerifyError } from '../errors.ts'

/** Transactions asked for at once. */
const CONCURRENCY = 8
/** Reads of the whole label before the chain is said to move too fast, or the source to leave something out. */
const ATTEMPTS = 3
const RETRY_PAUSE_MS = 1_000
/** A label of more pages is not read: Cardano would need years for so many. */
const MAX_PAGES = 200_000

export interface ReplayComponents {
  readonly source: ChainSource
  readonly crypto: Crypto
  readonly network: NetworkId
  readonly genesis: Genesis
}

export interface ReplayOptions {
  /** Blocks above this height are left out. */
  untilHeight?: number | undefined
  /** Called for every record of every transaction, junk included; from the start again when the read is repeated. */
  onVerdict?: (verdict: Verdict, place: TransactionPlace, recordIndex: number) => void
  /** A read starts, or starts over. */
  onStart?: () => void
  onProgress?: (transactions: number) => void
  signal?: AbortSignal | undefined
}

/** A transaction whose records were accepted, in part at least. */
export interface ReplayedTransaction extends TransactionPlace {
  readonly bytes: Uint8Array
}

/** The directory as one source shows it. */
export class ChainReplay {
  readonly directory: Directory
  readonly tip: Block
  /** Transactions under the label, junk included. */
  readonly transactionCount: number
  readonly #transactions: ReadonlyMap<string, ReplayedTransaction>

  constructor(
    directory: Directory,
    tip: Block,
    transactionCount: number,
    transactions: ReadonlyMap<string, ReplayedTransaction>
  ) {
    this.directory = directory
    this.tip = tip
    this.transactionCount = transactionCount
    this.#transactions = transactions
  }

  /** The transaction that holds an accepted record. */
  transactionAt({ blockHeight, txIndex }: Pick<OrderKey, 'blockHeight' | 'txIndex'>): ReplayedTransaction | undefined {
    return this.#transactions.get(placeKey(blockHeight, txIndex))
  }

  /** Transactions that hold an accepted record, in chain order. */
  transactions(): IterableIterator<ReplayedTransaction> {
    return this.#transactions.values()
  }

  /** The account's accepted records, as a node would prove them; `undefined` for an unknown account. */
  proof(accountId: AccountId): AccountProof | undefined {
    const account = this.directory.account(accountId)
    if (!account) return undefined
    const transactions: ProofTransaction[] = []
    let last: string | undefined
    for (const { order } of historyOf(account)) {
      if (!order) continue
      const key = placeKey(order.blockHeight, order.txIndex)
      if (key === last) {
        transactions.at(-1)!.recordIndexes.push(order.recordIndex)
        continue
      }
      const { bytes, blockHash, height, index, time } = this.#transactions.get(key)!
      transactions.push({
        transaction: bytes,
        blockHeight: height,
        blockHash: fromHex(blockHash),
        blockTime: time,
        txIndex: index,
        recordIndexes: [order.recordIndex]
      })
      last = key
    }
    const { height, hash, time } = this.tip
    return { version: PROOF_VERSION, accountId, transactions, pending: [], tip: { height, hash: fromHex(hash), time } }
  }
}

/** Key of a place within one chain. */
export function placeKey(blockHeight: number, txIndex: number): string {
  return `${blockHeight}/${txIndex}`
}

/**
 * Reads and folds everything.
 * @throws VerifyError `MOVING` if the chain never stood still, `BAD_ANSWER` for an order no chain has; ChainError,
 * `INCOMPLETE` if the source left something out in every read.
 */
export async function replayChain(components: ReplayComponents, options: ReplayOptions = {}): Promise<ChainReplay> {
  for (let attempt = 1; ; attempt++) {
    options.onStart?.()
    try {
      return await new Replayer(components, options).run()
    } catch (error) {
      if (!(error instanceof ChainError && READ_AGAIN.has(error.code))) throw error
      if (attempt === ATTEMPTS) throw error.code === 'TORN_READ' ? moving(error) : error
      await sleep(RETRY_PAUSE_MS, undefined, options.signal ? { signal: options.signal } : {})
    }
  }
}

/** A chain that turned back, and a list with a flaw such as an overloaded server shows once: the next read may be whole. */
const READ_AGAIN: ReadonlySet<ChainErrorCode> = new Set(['TORN_READ', 'INCOMPLETE'])

const moving = (cause: ChainError): VerifyError => new VerifyError('MOVING', cause.message, { cause })
const torn = (): ChainError => new ChainError('TORN_READ', 'the chain changed while it was read')

/** One read of the label from its start. */
class Replayer {
  readonly #components: ReplayComponents
  readonly #options: ReplayOptions
  readonly #directory: Directory
  readonly #transactions = new Map<string, ReplayedTransaction>()
  readonly #signal: AbortSignal
  #count = 0
  #last: TransactionPlace | undefined

  constructor(components: ReplayComponents, options: ReplayOptions) {
    this.#components = components
    this.#options = options
    this.#signal = options.signal ?? new AbortController().signal
    this.#directory = Directory.create(components.crypto, components.network, components.genesis)
  }

  async run(): Promise<ChainReplay> {
    const { source } = this.#components
    const call = this.#call()
    const tip = await source.tip(call)
    let before: TransactionId[] = []
    for (let page = 1; ; page++) {
      if (page > MAX_PAGES) throw new VerifyError('BAD_ANSWER', 'the label has no end')
      const ids = await this.#readPage(page, before)
      const isDone = await this.#foldPage(ids, tip)
      this.#options.onProgress?.(this.#count)
      if (isDone) break
      if (ids.length < LABEL_PAGE_SIZE) {
        await this.#checkEnd(page, [...before, ...ids], tip)
        break
      }
      before = ids
    }
    // The pages belong together only if the tip at their reading is still part of the chain.
    const again = await source.block(tip.height, call)
    if (again?.hash !== tip.hash) throw torn()
    return new ChainReplay(this.#directory, tip, this.#count, this.#transactions)
  }

  /** Reads a page twice: a row that is missing once is found. @param before - the ids of the page before. */
  async #readPage(page: number, before: TransactionId[]): Promise<TransactionId[]> {
    const { source, genesis } = this.#components
    const call = this.#call()
    const ids = await source.labelPage(genesis.metadataLabel, { page, ...call })
    checkRepeats(ids, before)
    if (ids.length > 0) await lookAgain(source, genesis.metadataLabel, page, ids, call.signal)
    return ids
  }

  /** A short page alone proves no end: the newest rows of the list must be the same. */
  async #checkEnd(page: number, tail: TransactionId[], tip: Block): Promise<void> {
    const { source, genesis } = this.#components
    const count = this.#count
    await checkEnd(source, genesis.metadataLabel, { page, count, tail }, tip, this.#call().signal)
  }

  /** @returns whether everything up to the tip, or to the height wanted, was read. */
  async #foldPage(ids: TransactionId[], tip: Block): Promise<boolean> {
    const last = Math.min(tip.height, this.#options.untilHeight ?? Infinity)
    for (let i = 0; i < ids.length; i += CONCURRENCY) {
      const chunk = await Promise.all(ids.slice(i, i + CONCURRENCY).map(id => this.#read(id)))
      for (const { place, bytes } of chunk) {
        if (place.height > last) return true
        this.#requireNext(place, tip)
        await this.#fold(place, bytes)
      }
    }
    return false
  }

  async #read(id: TransactionId): Promise<{ place: TransactionPlace; bytes: Uint8Array }> {
    const { source } = this.#components
    const call = this.#call()
    const [place, bytes] = await Promise.all([source.transaction(id, call), source.transactionBytes(id, call)])
    // Listed a moment ago, and gone: rolled back in between.
    if (!place || !bytes) throw torn()
    return { place, bytes }
  }

  #requireNext(place: TransactionPlace, tip: Block): void {
    const previous = this.#last
    this.#last = place
    if (place.height === tip.height && place.blockHash !== tip.hash) throw torn()
    if (!previous) return
    const isSameBlock = previous.height === place.height
    if (isSameBlock !== (previous.blockHash === place.blockHash)) throw torn()
    if (
      previous.height > place.height ||
      (isSameBlock && previous.index >= place.index) ||
      previous.time > place.time
    ) {
      throw new VerifyError('BAD_ANSWER', 'it does not list transactions in chain order')
    }
  }

  async #fold(place: TransactionPlace, bytes: Uint8Array): Promise<void> {
    this.#count++
    const { transactionId, metadata } = recordsOfTransaction(bytes, this.#components.genesis.metadataLabel)
    if (toHex(transactionId) !== place.id) throw new VerifyError('BAD_ANSWER', 'it sends another transaction')
    if (metadata.kind !== 'records') return
    let isKept = false
    for (const [recordIndex, record] of metadata.records.entries()) {
      const order = { blockHeight: place.height, txIndex: place.index, recordIndex }
      const verdict = await this.#directory.apply({ bytes: record, order, blockTime: place.time })
      isKept ||= verdict.kind === 'accepted'
      this.#options.onVerdict?.(verdict, place, recordIndex)
    }
    // Junk is not kept: memory follows the directory, not what strangers pay to write.
    if (isKept) this.#transactions.set(placeKey(place.height, place.index), { ...place, bytes })
  }

  #call(): { signal: AbortSignal } {
    return { signal: this.#signal }
  }
}

/** A chain in memory that turns back whenever it likes, also between two requests of one reading. */
import {
  LABEL_PAGE_SIZE,
  type Block,
  type BlockHash,
  type ChainSource,
  type LabelPageOptions,
  type TransactionId,
  type TransactionPlace
} from '../../../chain/source/chain-source.ts'
import type { BytesEncoding, KeyRange, ChainStore, StoreOperation } from '../../../chain/chain-store.ts'

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** @returns 0 to `sides` - 1. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * sides)
  }
}

const hexOf = (kind: string, number: number): string => (kind + number.toString(16).padStart(16, '0')).padStart(64, '0')

interface SimulatedBlock extends Block {
  transactions: TransactionId[]
}

export class SimulatedChain implements ChainSource {
  readonly name = 'simulated'
  /** Called before every answer. */
  onRequest: () => void = () => undefined
  #blocks: SimulatedBlock[] = [{ hash: hexOf('b', 0) as BlockHash, height: 0, slot: 0, time: 0, transactions: [] }]
  #histories = new Map<BlockHash, TransactionPlace[]>()
  #made = 0
  #sent = 0

  get height(): number {
    return this.#blocks.length - 1
  }

  /** Puts a block on top: some new transactions, and some that a rollback took away. */
  grow(fresh: number, returning: TransactionId[] = []): void {
    const height = this.#blocks.length
    const known = new Set(this.transactions())
    const transactions = returning.filter(id => !known.has(id))
    for (let i = 0; i < fresh; i++) transactions.push(hexOf('c', ++this.#sent) as TransactionId)
    const hash = hexOf('b', ++this.#made) as BlockHash
    this.#blocks.push({ hash, height, slot: height, time: height * 1_000, transactions })
    this.#histories.set(hash, this.places())
  }

  /** @returns the transactions that are gone. */
  rollBack(depth: number): TransactionId[] {
    const count = Math.min(depth, this.height)
    return this.#blocks.splice(this.#blocks.length - count, count).flatMap(({ transactions }) => transactions)
  }

  /** All of the label, in chain order. */
  transactions(): TransactionId[] {
    return this.#blocks.flatMap(({ transactions }) => transactions)
  }

  places(): TransactionPlace[] {
    return this.#blocks.flatMap(({ hash, height, slot, time, transactions }) =>
      transactions.map((id, index) => ({ id, blockHash: hash, height, index, slot, time }))
    )
  }

  /** The blocks up to one block: the history in which that block was the tip. A hash names one history. */
  historyOf(tip: BlockHash): TransactionPlace[] {
    return this.#histories.get(tip) ?? []
  }

  async identity(): Promise<{ magic: number; systemStart: number }> {
    return { magic: 42, systemStart: 0 }
  }

  async tip(): Promise<Block> {
    this.onRequest()
    return this.#blocks.at(-1)!
  }

  async block(which: number | BlockHash): Promise<Block | undefined> {
    this.onRequest()
    return this.#blocks.find(({ height, hash }) => height === which || hash === which)
  }

  async labelPage(_label: number, { page, newestFirst }: LabelPageOptions): Promise<TransactionId[]> {
    this.onRequest()
    const all = newestFirst ? this.transactions().reverse() : this.transactions()
    return all.slice((page - 1) * LABEL_PAGE_SIZE, page * LABEL_PAGE_SIZE)
  }

  async transaction(id: TransactionId): Promise<TransactionPlace | undefined> {
    this.onRequest()
    return this.places().find(place => place.id === id)
  }

  async transactionBytes(id: TransactionId): Promise<Uint8Array | undefined> {
    this.onRequest()
    return this.transactions().includes(id) ? Buffer.from(id, 'hex') : undefined
  }

  parameters(): Promise<never> {
    throw new Error('nobody builds transactions here')
  }

  utxos(): Promise<never> {
    throw new Error('nobody pays here')
  }

  submit(): Promise<never> {
    throw new Error('nobody submits here')
  }
}

/** A store in memory, sorted as LevelDB sorts. */
export class MemoryStore implements ChainStore {
  readonly #entries = new Map<string, string | Uint8Array>()

  async get(key: string): Promise<never> {
    return this.#entries.get(key) as never
  }

  async put(key: string, value: string | Uint8Array, _options: object | BytesEncoding): Promise<void> {
    this.#entries.set(key, value)
  }

  async batch(operations: StoreOperation[]): Promise<void> {
    for (const operation of operations) {
      if (operation.type === 'put') this.#entries.set(operation.key, operation.value)
      else this.#entries.delete(operation.key)
    }
  }

  async clear(range: KeyRange): Promise<void> {
    for (const key of this.#keys(range)) this.#entries.delete(key)
  }

  async *iterator(range: KeyRange): AsyncGenerator<[string, string]> {
    for (const key of this.#keys(range)) yield [key, this.#entries.get(key) as string]
  }

  #keys({ gte, lt, reverse = false, limit = Infinity }: KeyRange): string[] {
    const keys = [...this.#entries.keys()].filter(key => key >= gte && key < lt).sort()
    return (reverse ? keys.reverse() : keys).slice(0, limit)
  }
}

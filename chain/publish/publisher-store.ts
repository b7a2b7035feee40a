/**
 * What a publisher must not forget. A record waits as long as no live transaction names it, so giving a transaction up
 * is one deletion, and a record can never be in two.
 */
import { z } from 'zod'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { parseTransactionId, type TransactionId, type Utxo } from '../source/chain-source.ts'
import { sortableNumber, SYNCED, type ChainStore, type StoreOperation } from '../chain-store.ts'

/** A record on its way to the chain. */
export interface OutgoingRecord {
  /** Hex of its record id. */
  id: string
  bytes: Uint8Array
  /** Hex of the record that it follows; `undefined` for one that follows none. */
  prev: string | undefined
  /** Order of arrival. */
  sequence: number
  /** Goes out at once, and may use the last fifth of the budget. */
  isUrgent: boolean
  /** Milliseconds since 1970. */
  enqueuedAt: number
  /** Transactions that were refused with it in them, since start. */
  failures: number
}

/** Where a transaction was last seen. */
export interface SeenPlace {
  height: number
  blockHash: string
}

/** A transaction that may be, or become, part of the chain. */
export interface LiveTransaction {
  id: TransactionId
  sequence: number
  bytes: Uint8Array
  recordIds: string[]
  inputs: Utxo[]
  change: Utxo
  fee: bigint
  timeToLive: number
  place: SeenPlace | undefined
}

/** What is remembered of a record once nothing more is to be done. */
export type Outcome =
  { kind: 'recorded'; transaction: TransactionId; height: number } | { kind: 'refused'; reason: string }

/** What {@link PublisherStore.load} finds. */
export interface StoredState {
  records: OutgoingRecord[]
  transactions: LiveTransaction[]
  spendings: { at: number; fee: bigint }[]
}

const hex = z.string().transform(text => fromHex(text))
const lovelace = z.string().transform(BigInt)
const transactionId = z.string().transform(parseTransactionId)
const utxo = z.object({ transaction: transactionId, index: z.number(), lovelace })
const recordSchema = z.object({
  bytes: hex,
  prev: z.string().optional(),
  sequence: z.number(),
  isUrgent: z.boolean(),
  enqueuedAt: z.number()
})
const transactionSchema = z.object({
  id: transactionId,
  bytes: hex,
  recordIds: z.array(z.string()),
  inputs: z.array(utxo),
  change: utxo,
  fee: lovelace,
  timeToLive: z.number(),
  place: z.object({ height: z.number(), blockHash: z.string() }).optional()
})
const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('recorded'), transaction: transactionId, height: z.number() }),
  z.object({ kind: z.literal('refused'), reason: z.string() })
])

const recordKey = (id: string): string => `record/${id}`
const transactionKey = (sequence: number): string => `transaction/${sortableNumber(sequence)}`
const outcomeKey = (id: string): string => `outcome/${id}`
const spendingKey = (at: number, sequence: number): string => `spending/${sortableNumber(at)}/${sequence}`
const range = (prefix: string): { gte: string; lt: string } => ({ gte: `${prefix}/`, lt: `${prefix}0` })

/** JSON with byte strings as hex and lovelace as decimal text. */
function toJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return toHex(part)
    return typeof part === 'bigint' ? String(part) : part
  })
}

export class PublisherStore {
  readonly #level: ChainStore

  constructor(level: ChainStore) {
    this.#level = level
  }

  async load(): Promise<StoredState> {
    const state: StoredState = { records: [], transactions: [], spendings: [] }
    for await (const [key, value] of this.#level.iterator(range('record'))) {
      const { prev, ...record } = recordSchema.parse(JSON.parse(value))
      state.records.push({ id: key.slice('record/'.length), prev, failures: 0, ...record })
    }
    for await (const [key, value] of this.#level.iterator(range('transaction'))) {
      const sequence = Number(key.slice('transaction/'.length))
      const { place, ...transaction } = transactionSchema.parse(JSON.parse(value))
      state.transactions.push({ sequence, place, ...transaction })
    }
    for await (const [key, value] of this.#level.iterator(range('spending'))) {
      state.spendings.push({ at: Number(key.split('/')[1]), fee: BigInt(value) })
    }
    return state
  }

  async addRecord({ id, bytes, prev, sequence, isUrgent, enqueuedAt }: OutgoingRecord): Promise<void> {
    await this.#level.put(recordKey(id), toJson({ bytes, prev, sequence, isUrgent, enqueuedAt }), SYNCED)
  }

  /** Before it is sent, so that a crash in between cannot put its records into a second one. */
  async addTransaction(transaction: LiveTransaction, at: number): Promise<void> {
    await this.#write([
      putTransaction(transaction),
      { type: 'put', key: spendingKey(at, transaction.sequence), value: String(transaction.fee) }
    ])
  }

  async updateTransaction(transaction: LiveTransaction): Promise<void> {
    await this.#write([putTransaction(transaction)])
  }

  /** Gives transactions up; their records wait again. */
  async removeTransactions(transactions: LiveTransaction[]): Promise<void> {
    await this.#write(transactions.map(({ sequence }) => ({ type: 'del', key: transactionKey(sequence) })))
  }

  /** A transaction that nothing can undo any more. */
  async finish({ id, sequence, recordIds }: LiveTransaction, height: number): Promise<void> {
    const outcome: Outcome = { kind: 'recorded', transaction: id, height }
    await this.#write([
      { type: 'del', key: transactionKey(sequence) },
      ...recordIds.flatMap(recordId => settle(recordId, outcome))
    ])
  }

  async refuse(recordId: string, reason: string): Promise<void> {
    await this.#write(settle(recordId, { kind: 'refused', reason }))
  }

  async outcome(recordId: string): Promise<Outcome | undefined> {
    const value = await this.#level.get(outcomeKey(recordId))
    return value === undefined ? undefined : outcomeSchema.parse(JSON.parse(value))
  }

  /** Forgets what was spent before a time. */
  async forgetSpendings(before: number): Promise<void> {
    await this.#level.clear({ gte: 'spending/', lt: spendingKey(before, 0) })
  }

  /** Dates what is said to have been spent after a time to that time, for a clock that ran ahead and was corrected. */
  async redateSpendings(now: number): Promise<void> {
    const moves: StoreOperation[] = []
    for await (const [key, value] of this.#level.iterator({ ...range('spending'), gte: spendingKey(now + 1, 0) })) {
      const sequence = Number(key.split('/')[2])
      moves.push({ type: 'del', key }, { type: 'put', key: spendingKey(now, sequence), value })
    }
    if (moves.length > 0) await this.#write(moves)
  }

  async #write(operations: StoreOperation[]): Promise<void> {
    await this.#level.batch(operations, SYNCED)
  }
}

function putTransaction({ sequence, ...transaction }: LiveTransaction): StoreOperation {
  return { type: 'put', key: transactionKey(sequence), value: toJson(transaction) }
}

function settle(recordId: string, outcome: Outcome): StoreOperation[] {
  return [
    { type: 'del', key: recordKey(recordId) },
    { type: 'put', key: outcomeKey(recordId), value: toJson(outcome) }
  ]
}

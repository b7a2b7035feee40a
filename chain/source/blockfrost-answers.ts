/** Parsers of Blockfrost's answers: only the fields that Volo uses, each checked. */
import { z } from 'zod'
import {
  parseBlockHash,
  parseTransactionId,
  type Block,
  type ChainIdentity,
  type ProtocolParameters,
  type TransactionId,
  type TransactionPlace,
  type Utxo
} from './chain-source.ts'
import { ChainError } from '../errors.ts'

const MAX_LOVELACE_DIGITS = 17
const SECOND_MS = 1_000

const count = z.number().int().nonnegative()
const amount = z.string().regex(new RegExp(`^\\d{1,${MAX_LOVELACE_DIGITS}}$`))

/** A term of the fee, which a later era may write as a fraction; rounded up, since the ledger refuses a fee that is too low. */
const feeTerm = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).transform(Math.ceil)

const blockSchema = z.object({ hash: z.string(), height: count, slot: count, time: count })
const transactionSchema = z.object({
  hash: z.string(),
  block: z.string(),
  block_height: count,
  block_time: count,
  slot: count,
  index: count
})
const labelRowsSchema = z.array(z.object({ tx_hash: z.string() })).max(100)
const cborSchema = z.object({ cbor: z.string().regex(/^([0-9a-f]{2})+$/) })
const genesisSchema = z.object({ network_magic: count, system_start: count })
const parametersSchema = z.object({
  min_fee_a: feeTerm,
  min_fee_b: feeTerm,
  max_tx_size: count,
  key_deposit: amount,
  pool_deposit: amount,
  max_val_size: amount,
  coins_per_utxo_size: amount
})
const utxosSchema = z
  .array(
    z.object({
      tx_hash: z.string(),
      output_index: count,
      amount: z.array(z.object({ unit: z.string(), quantity: z.string() })).max(10_000)
    })
  )
  .max(100)

function parse<T>(what: string, schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  const where = result.error.issues[0]?.path.join('.') ?? ''
  throw new ChainError('BAD_ANSWER', `the source sent a malformed ${what} ("${where}")`)
}

export function parseBlock(answer: unknown): Block {
  const { hash, height, slot, time } = parse('block', blockSchema, answer)
  return { hash: parseBlockHash(hash), height, slot, time: time * SECOND_MS }
}

export function parsePlace(answer: unknown): TransactionPlace {
  const place = parse('transaction', transactionSchema, answer)
  return {
    id: parseTransactionId(place.hash),
    blockHash: parseBlockHash(place.block),
    height: place.block_height,
    index: place.index,
    slot: place.slot,
    time: place.block_time * SECOND_MS
  }
}

export function parseLabelRows(answer: unknown): TransactionId[] {
  return parse('page of a label', labelRowsSchema, answer).map(row => parseTransactionId(row.tx_hash))
}

export function parseTransactionCbor(answer: unknown): Uint8Array {
  return Uint8Array.from(Buffer.from(parse('transaction', cborSchema, answer).cbor, 'hex'))
}

export function parseIdentity(answer: unknown): ChainIdentity {
  const genesis = parse('genesis', genesisSchema, answer)
  return { magic: genesis.network_magic, systemStart: genesis.system_start * SECOND_MS }
}

export function parseParameters(answer: unknown): ProtocolParameters {
  const parameters = parse('set of protocol parameters', parametersSchema, answer)
  return {
    feePerByte: BigInt(parameters.min_fee_a),
    feeBase: BigInt(parameters.min_fee_b),
    lovelacePerUtxoByte: BigInt(parameters.coins_per_utxo_size),
    maxTransactionSize: parameters.max_tx_size,
    maxValueSize: Number(parameters.max_val_size),
    keyDeposit: BigInt(parameters.key_deposit),
    poolDeposit: BigInt(parameters.pool_deposit)
  }
}

/** @returns the rows that hold only ADA, and how many rows there were. */
export function parseUtxoRows(answer: unknown): { utxos: Utxo[]; rows: number } {
  const rows = parse('page of unspent outputs', utxosSchema, answer)
  const utxos: Utxo[] = []
  for (const { tx_hash, output_index, amount: amounts } of rows) {
    const [first] = amounts
    if (amounts.length !== 1 || first?.unit !== 'lovelace') continue
    const quantity = parse('amount', amount, first.quantity)
    utxos.push({ transaction: parseTransactionId(tx_hash), index: output_index, lovelace: BigInt(quantity) })
  }
  return { utxos, rows: rows.length }
}

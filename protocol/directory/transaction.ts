import { blake2b } from '@noble/hashes/blake2.js'
import { equalBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_TRANSACTION_BYTES } from '../limits.ts'
import { ARRAY, BYTES, itemSpans, MAP, readHead, TAG, UNSIGNED, valueSpan, type Span } from './cbor-walker.ts'

/** Body key of the auxiliary data's hash (Cardano ledger, CDDL of every era since Shelley). */
const AUXILIARY_DATA_HASH_KEY = 7
/** Body key of the fee (the same CDDL); sub-transactions (CIP-118) have none. */
const FEE_KEY = 2
/** Tag of auxiliary data since Alonzo. */
const ALONZO_AUXILIARY_TAG = 259
const NULL = 0xf6
const FALSE = 0xf4
const TRUE = 0xf5

/** Why a transaction as a whole holds no records; docs/directory.md has the rule for each. */
export type TransactionSkipCode =
  /** Its scripts failed: the ledger took the collateral and nothing else, and some sources list it while others do not. */
  | 'FAILED_SCRIPTS'
  /** Its body has no fee, so that it is part of another transaction and has no place of its own in a block. */
  | 'SUB_TRANSACTION'
  /** A shape that this version does not know, from a later era of the ledger for instance. */
  | 'UNKNOWN_SHAPE'

/** What a raw transaction proves by itself. */
export interface RawTransaction {
  /** 32 bytes: BLAKE2b-256 of the body, which is the transaction's id on Cardano. */
  id: Uint8Array
  /** Raw auxiliary data, bound to the id by its hash in the body; `null` if there is none, or in an unknown shape. */
  auxiliaryData: Uint8Array | null
  /** Set if its records do not count. */
  skip: TransactionSkipCode | null
}

/** BLAKE2b with a 32-byte output, Cardano's hash of transaction bodies and auxiliary data. */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 32 })
}

/**
 * Takes apart a raw transaction and checks that its auxiliary data is the one that the body commits to. Three shapes are
 * known: `[body, witnesses, valid, auxiliary data]`, the same with `valid` last, and without `valid`. Witnesses are not
 * judged: records are authorised by their own signatures.
 *
 * Any other array that begins with a body is a transaction of an unknown shape. It has an id and no records, so that a
 * transaction of a later era stops nobody.
 *
 * @throws ProtocolError `TOO_LARGE`; `MALFORMED` for bytes that are no array, are cut off, or begin with no body;
 * `INVALID` if body and auxiliary data do not belong together.
 */
export function parseTransaction(bytes: Uint8Array): RawTransaction {
  if (bytes.length > MAX_TRANSACTION_BYTES) {
    throw new ProtocolError(
      'TOO_LARGE',
      `a transaction has at most ${MAX_TRANSACTION_BYTES} bytes, got ${bytes.length}`
    )
  }
  const items = transactionItems(bytes)
  const body = items[0]!
  const id = blake2b256(bytes.subarray(body.start, body.end))
  const unknown: RawTransaction = { id, auxiliaryData: null, skip: 'UNKNOWN_SHAPE' }
  const shape = knownShape(bytes, items)
  if (!shape) return unknown
  let committed: Uint8Array | null
  try {
    committed = auxiliaryDataHash(bytes, body)
  } catch (error) {
    if (error instanceof ProtocolError) return unknown
    throw error
  }
  const auxiliaryData = committedData(bytes, shape.auxiliary, committed)
  const skip = shape.isValid ? (hasFee(bytes, body) ? null : 'SUB_TRANSACTION') : 'FAILED_SCRIPTS'
  return { id, auxiliaryData, skip }
}

/** A copy of the auxiliary data. @throws ProtocolError `INVALID` if it is not what the body commits to. */
function committedData(bytes: Uint8Array, { start, end }: Span, committed: Uint8Array | null): Uint8Array | null {
  const isAbsent = end - start === 1 && bytes[start] === NULL
  if (isAbsent !== (committed === null)) {
    throw new ProtocolError('INVALID', 'auxiliary data and its hash come together or not at all')
  }
  if (committed === null) return null
  const auxiliaryData = bytes.slice(start, end)
  if (!equalBytes(blake2b256(auxiliaryData), committed)) {
    throw new ProtocolError('INVALID', 'auxiliary data is not the one that the transaction commits to')
  }
  return auxiliaryData
}

const malformed = (message: string): ProtocolError => new ProtocolError('MALFORMED', message)

/** The items of the array. @throws ProtocolError `MALFORMED` unless they are whole and the first one is a map, the body. */
function transactionItems(bytes: Uint8Array): Span[] {
  const { argument } = readHead(bytes, 0)
  const items = itemSpans(bytes, 0, ARRAY)
  if (items[0] === undefined) throw malformed('a transaction begins with its body')
  if (readHead(bytes, items[0].start).major !== MAP) throw malformed('the body of a transaction is a map')
  const end = items.at(-1)!.end + (argument < 0 ? 1 : 0)
  if (end !== bytes.length) throw malformed('bytes after the transaction')
  return items
}

/** Where the auxiliary data is and what the mark says, in one of the known shapes; `undefined` in another one. */
function knownShape(bytes: Uint8Array, items: Span[]): { auxiliary: Span; isValid: boolean } | undefined {
  const [, witnesses, third, fourth, ...more] = items
  const isOpen = readHead(bytes, 0).argument < 0
  if (isOpen || !witnesses || !third || more.length > 0) return undefined
  if (readHead(bytes, witnesses.start).major !== MAP) return undefined
  if (!fourth) return isBoolean(bytes, third) ? undefined : { auxiliary: third, isValid: true }
  // A later era writes the mark last.
  if (isBoolean(bytes, third) === isBoolean(bytes, fourth)) return undefined
  const [mark, auxiliary] = isBoolean(bytes, third) ? [third, fourth] : [fourth, third]
  return { auxiliary, isValid: bytes[mark.start] === TRUE }
}

function isBoolean(bytes: Uint8Array, { start }: Span): boolean {
  return bytes[start] === TRUE || bytes[start] === FALSE
}

/** A body of a transaction has a fee, of whatever type; that of a sub-transaction has none. */
function hasFee(bytes: Uint8Array, body: Span): boolean {
  const entries = itemSpans(bytes, body.start, MAP)
  return entries.some((span, index) => {
    const { major, argument } = readHead(bytes, span.start)
    return index % 2 === 0 && major === UNSIGNED && argument === FEE_KEY
  })
}

function auxiliaryDataHash(bytes: Uint8Array, body: Span): Uint8Array | null {
  const span = valueSpan(bytes, body.start, AUXILIARY_DATA_HASH_KEY)
  if (!span) return null
  const { major, argument, next } = readHead(bytes, span.start)
  if (major !== BYTES || argument !== 32) throw malformed('an auxiliary data hash has 32 bytes')
  return bytes.subarray(next, span.end)
}

/**
 * The metadatum under a label, in any of the three forms of auxiliary data: the map of Shelley, the array of Mary
 * (`[map, scripts]`), the tagged map since Alonzo.
 *
 * @returns its raw bytes, a view of the input; `undefined` if the label is not there.
 * @throws ProtocolError `MALFORMED`, also if the label is there twice.
 */
export function metadatumOf(auxiliaryData: Uint8Array, label: number): Uint8Array | undefined {
  const offset = metadataOffset(auxiliaryData)
  const span = offset === undefined ? undefined : valueSpan(auxiliaryData, offset, label)
  return span && auxiliaryData.subarray(span.start, span.end)
}

function metadataOffset(bytes: Uint8Array): number | undefined {
  const { major, argument, next } = readHead(bytes, 0)
  if (major === MAP) return 0
  if (major === ARRAY) {
    const items = itemSpans(bytes, 0, ARRAY)
    if (items.length !== 2) throw malformed('auxiliary data of two items expected')
    return items[0]!.start
  }
  if (major === TAG && argument === ALONZO_AUXILIARY_TAG) return valueSpan(bytes, next, 0)?.start
  throw malformed('no known form of auxiliary data')
}

import { blake2b } from '@noble/hashes/blake2.js'
import { equalBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_TRANSACTION_BYTES } from '../limits.ts'
import { ARRAY, BYTES, itemSpans, MAP, readHead, TAG, valueSpan, type Span } from './cbor-walker.ts'

/** Body key of the auxiliary data's hash (Cardano ledger, CDDL of every era since Shelley). */
const AUXILIARY_DATA_HASH_KEY = 7
/** Tag of auxiliary data since Alonzo. */
const ALONZO_AUXILIARY_TAG = 259
const NULL = 0xf6
const FALSE = 0xf4
const TRUE = 0xf5

/** What a raw transaction proves by itself. */
export interface RawTransaction {
  /** 32 bytes: BLAKE2b-256 of the body, which is the transaction's id on Cardano. */
  id: Uint8Array
  /** Raw auxiliary data, bound to the id by its hash in the body; `null` if the transaction has none. */
  auxiliaryData: Uint8Array | null
}

/** BLAKE2b with a 32-byte output, Cardano's hash of transaction bodies and auxiliary data. */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 32 })
}

/**
 * Takes apart a raw transaction `[body, witnesses, valid, auxiliary data]` (three items before Alonzo) and checks that
 * the auxiliary data is the one that the body commits to. The witnesses and the script verdict are not judged: records
 * are authorised by their own signatures, and the id covers neither.
 *
 * @throws ProtocolError `TOO_LARGE`, `MALFORMED`, or `INVALID` if body and auxiliary data do not belong together.
 */
export function parseTransaction(bytes: Uint8Array): RawTransaction {
  if (bytes.length > MAX_TRANSACTION_BYTES) {
    throw new ProtocolError(
      'TOO_LARGE',
      `a transaction has at most ${MAX_TRANSACTION_BYTES} bytes, got ${bytes.length}`
    )
  }
  const [body, witnesses, ...rest] = transactionItems(bytes)
  if (readHead(bytes, witnesses!.start).major !== MAP) throw malformed('transaction witnesses are not a map')
  if (rest.length === 2 && !isBoolean(bytes, rest[0]!)) throw malformed('a transaction is marked valid or not')
  const auxiliary = rest.at(-1)!
  const id = blake2b256(bytes.subarray(body!.start, body!.end))
  const committed = auxiliaryDataHash(bytes, body!)
  const isAbsent = auxiliary.end - auxiliary.start === 1 && bytes[auxiliary.start] === NULL
  if (isAbsent !== (committed === null)) {
    throw new ProtocolError('INVALID', 'auxiliary data and its hash come together or not at all')
  }
  if (committed === null) return { id, auxiliaryData: null }
  const auxiliaryData = bytes.subarray(auxiliary.start, auxiliary.end)
  if (!equalBytes(blake2b256(auxiliaryData), committed)) {
    throw new ProtocolError('INVALID', 'auxiliary data is not the one that the transaction commits to')
  }
  return { id, auxiliaryData: Uint8Array.from(auxiliaryData) }
}

const malformed = (message: string): ProtocolError => new ProtocolError('MALFORMED', message)

function transactionItems(bytes: Uint8Array): Span[] {
  const { major, argument } = readHead(bytes, 0)
  if (major !== ARRAY || (argument !== 3 && argument !== 4)) throw malformed('a transaction has three or four items')
  const items = itemSpans(bytes, 0, ARRAY)
  if (items.at(-1)!.end !== bytes.length) throw malformed('bytes after the transaction')
  return items
}

function isBoolean(bytes: Uint8Array, { start }: Span): boolean {
  return bytes[start] === TRUE || bytes[start] === FALSE
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

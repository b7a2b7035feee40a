/** What the devnet and the sources read in a raw transaction, beside what the protocol reads in it. */
import { toHex } from '../../protocol/bytes.ts'
import {
  ARRAY,
  itemSpans,
  MAP,
  readHead,
  TAG,
  UNSIGNED,
  valueSpan,
  type Span
} from '../../protocol/directory/cbor-walker.ts'
import { parseTransaction } from '../../protocol/directory/transaction.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { TransactionId } from './chain-source.ts'
import { ChainError } from '../errors.ts'

const BODY_FEE = 2
const BODY_TIME_TO_LIVE = 3
const BODY_VALID_FROM = 8

/** A transaction with the fields that decide when it is valid. */
export interface RawTransaction {
  id: TransactionId
  /** Bound to the id by its hash in the body; `null` where there is none. */
  auxiliaryData: Uint8Array | null
  /** Lovelace. */
  fee: number
  /** First slot in which it is no longer valid. */
  timeToLive: number | undefined
  /** First slot in which it is valid. */
  validFrom: number | undefined
}

/** @throws {@link ChainError} `MALFORMED` if the bytes are not a transaction, or its parts do not belong together. */
export function parseRawTransaction(bytes: Uint8Array): RawTransaction {
  try {
    const { id, auxiliaryData } = parseTransaction(bytes)
    const body = readHead(bytes, 0).next
    const uint = (key: number): number | undefined => {
      const span = valueSpan(bytes, body, key)
      const head = span && readHead(bytes, span.start)
      return head?.major === UNSIGNED ? head.argument : undefined
    }
    return {
      id: toHex(id) as TransactionId,
      auxiliaryData,
      fee: uint(BODY_FEE) ?? 0,
      timeToLive: uint(BODY_TIME_TO_LIVE),
      validFrom: uint(BODY_VALID_FROM)
    }
  } catch (cause) {
    if (cause instanceof ProtocolError) throw new ChainError('MALFORMED', cause.message, { cause })
    throw cause
  }
}

/** One metadata label of a transaction; both parts are views of the auxiliary data. */
export interface LabelledMetadata {
  /** Exact up to 2^53 - 1. */
  label: number
  key: Uint8Array
  value: Uint8Array
}

/** All labels in auxiliary data of any era; empty for a form that is not known. @throws ProtocolError `MALFORMED`. */
export function metadataOf(auxiliaryData: Uint8Array): LabelledMetadata[] {
  const offset = metadataOffset(auxiliaryData)
  if (offset === undefined || readHead(auxiliaryData, offset).major !== MAP) return []
  const spans = itemSpans(auxiliaryData, offset, MAP)
  const slice = ({ start, end }: Span): Uint8Array => auxiliaryData.subarray(start, end)
  const found: LabelledMetadata[] = []
  for (let i = 0; i < spans.length; i += 2) {
    const { major, argument } = readHead(auxiliaryData, spans[i]!.start)
    const isRepeated = found.some(({ label }) => label === argument)
    if (major !== UNSIGNED || isRepeated) continue
    found.push({ label: argument, key: slice(spans[i]!), value: slice(spans[i + 1]!) })
  }
  return found
}

/** Where the map of labels begins: at once (Shelley), first of an array (Allegra), under 0 of a tagged map (Alonzo). */
function metadataOffset(bytes: Uint8Array): number | undefined {
  const { major, next } = readHead(bytes, 0)
  if (major === ARRAY) return itemSpans(bytes, 0, ARRAY)[0]?.start
  return major === TAG ? valueSpan(bytes, next, 0)?.start : 0
}

/**
 * Checks that bytes are the transaction they were asked for as.
 * @throws {@link ChainError} `BAD_ANSWER` if they are another one, or none.
 */
export function checkTransactionBytes(id: TransactionId, bytes: Uint8Array): void {
  let found: TransactionId
  try {
    found = parseRawTransaction(bytes).id
  } catch (cause) {
    throw new ChainError('BAD_ANSWER', `the source sent no transaction for ${id}`, { cause })
  }
  if (found !== id) throw new ChainError('BAD_ANSWER', `the source sent another transaction for ${id}`)
}

/**
 * Records in Cardano metadata: `{label: {0: version, 1: [records…]}}`, each record being the CBOR array of record.ts.
 * The wrapping is canonical CBOR, like the records themselves.
 */
import { concatBytes } from '../bytes.ts'
import { encodeCbor } from '../cbor.ts'
import { ProtocolError } from '../errors.ts'
import { ARRAY, itemSpans, MAP, readHead, UNSIGNED } from './cbor-walker.ts'
import { metadatumOf, parseTransaction, type TransactionSkipCode } from './transaction.ts'

/** Version of the wrapping that is written here. Version 2 is kept for checkpoints. */
export const METADATA_VERSION = 1

/** Why all that a transaction holds under the label was skipped. */
export type MetadataSkipCode =
  | TransactionSkipCode
  /** No form of auxiliary data that is known, or the label is there twice. */
  | 'MALFORMED_AUXILIARY_DATA'
  /** Not `{0: version, 1: [records…]}` in canonical CBOR. */
  | 'MALFORMED_WRAPPING'
  /** Written by a later version. */
  | 'UNKNOWN_VERSION'

/** What a transaction holds under the label. */
export type MetadataRecords =
  /** Raw bytes of each record, junk included, as views of the input: the fold judges them one by one. */
  | { readonly kind: 'records'; readonly records: readonly Uint8Array[] }
  /** Nothing under this label. */
  | { readonly kind: 'none' }
  | { readonly kind: 'skipped'; readonly code: MetadataSkipCode }

/** Head of a map, array or integer in canonical CBOR. */
function head(major: number, argument: number): Uint8Array {
  const bytes = encodeCbor(argument)
  bytes[0] = bytes[0]! | (major << 5)
  return bytes
}

/**
 * The metadatum under the label: `{0: 1, 1: [records…]}`.
 * @param records - canonical bytes of each, see `encodeRecord`.
 */
export function encodeMetadatum(records: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    head(MAP, 2),
    head(UNSIGNED, 0),
    head(UNSIGNED, METADATA_VERSION),
    head(UNSIGNED, 1),
    head(ARRAY, records.length),
    ...records
  )
}

/** Auxiliary data in the plain form, `{label: metadatum}`. @param label - 0 to 2^53 - 1. */
export function encodeMetadata(label: number, records: readonly Uint8Array[]): Uint8Array {
  return concatBytes(head(MAP, 1), head(UNSIGNED, label), encodeMetadatum(records))
}

/** Reads the metadatum under the label; never throws. */
export function decodeMetadatum(metadatum: Uint8Array): MetadataRecords {
  try {
    return readWrapping(metadatum)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { kind: 'skipped', code: 'MALFORMED_WRAPPING' }
  }
}

function readWrapping(bytes: Uint8Array): MetadataRecords {
  const skipped = (code: MetadataSkipCode): MetadataRecords => ({ kind: 'skipped', code })
  const map = canonicalHead(bytes, 0, MAP)
  const versionKey = canonicalHead(bytes, map.next, UNSIGNED)
  if (versionKey.argument !== 0) return skipped('MALFORMED_WRAPPING')
  const version = canonicalHead(bytes, versionKey.next, UNSIGNED)
  if (version.argument !== METADATA_VERSION) return skipped('UNKNOWN_VERSION')
  const listKey = canonicalHead(bytes, version.next, UNSIGNED)
  if (map.argument !== 2 || listKey.argument !== 1) return skipped('MALFORMED_WRAPPING')
  const items = canonicalHead(bytes, listKey.next, ARRAY)
  const spans = itemSpans(bytes, listKey.next, ARRAY)
  if ((spans.at(-1)?.end ?? items.next) !== bytes.length) return skipped('MALFORMED_WRAPPING')
  return { kind: 'records', records: spans.map(({ start, end }) => bytes.subarray(start, end)) }
}

/** @throws ProtocolError `MALFORMED` unless the head is of this major type and in its shortest form. */
function canonicalHead(bytes: Uint8Array, offset: number, major: number): ReturnType<typeof readHead> {
  const found = readHead(bytes, offset)
  const isShortest =
    found.argument >= 0 &&
    Number.isSafeInteger(found.argument) &&
    found.next - offset === encodeCbor(found.argument).length
  if (found.major !== major || !isShortest) throw new ProtocolError('MALFORMED', 'wrapping is not canonical')
  return found
}

/** Reads the metadatum under the label in raw auxiliary data; never throws. */
export function decodeMetadata(auxiliaryData: Uint8Array, label: number): MetadataRecords {
  let metadatum: Uint8Array | undefined
  try {
    metadatum = metadatumOf(auxiliaryData, label)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { kind: 'skipped', code: 'MALFORMED_AUXILIARY_DATA' }
  }
  return metadatum ? decodeMetadatum(metadatum) : { kind: 'none' }
}

/** The records of a raw transaction. */
export interface TransactionRecords {
  /** 32 bytes. */
  readonly transactionId: Uint8Array
  readonly metadata: MetadataRecords
}

/**
 * Reads the records of a raw transaction, whose id is recomputed.
 * @throws ProtocolError as `parseTransaction`: bytes that are not a whole transaction.
 */
export function recordsOfTransaction(transaction: Uint8Array, label: number): TransactionRecords {
  const { id, auxiliaryData, skip } = parseTransaction(transaction)
  return { transactionId: id, metadata: skip ? { kind: 'skipped', code: skip } : metadataIn(auxiliaryData, label) }
}

function metadataIn(auxiliaryData: Uint8Array | null, label: number): MetadataRecords {
  return auxiliaryData ? decodeMetadata(auxiliaryData, label) : { kind: 'none' }
}

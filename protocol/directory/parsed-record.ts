import { equalBytes } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import type { RecordId } from '../identity/device.ts'
import {
  decodeRecord,
  recordIdOf,
  recordSigningBytes,
  SIGNATURE_COUNT,
  type DirectoryRecord
} from '../identity/record.ts'
import { MAX_RECORD_BYTES } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import type { OrderedRecord } from './order.ts'
import type { RejectCode } from './verdict.ts'

/** One signature that must verify for a record to be accepted. */
export interface SignatureCheck {
  /** Which signature of the record, counted from its first. */
  readonly index: number
  readonly publicKey: Uint8Array
}

/**
 * A record, its id, and what is known about its signatures. Keep the object when a record is folded again, as the
 * follower does with all that is not final: each signature is then verified once.
 */
export class ParsedRecord {
  readonly record: DirectoryRecord
  readonly id: RecordId
  readonly #trusted: boolean
  readonly #results: { publicKey: Uint8Array; isValid: boolean }[][]
  #signingBytes: Uint8Array | undefined

  constructor(record: DirectoryRecord, id: RecordId, trusted: boolean) {
    this.record = record
    this.id = id
    this.#trusted = trusted
    this.#results = Array.from({ length: SIGNATURE_COUNT[record.kind] }, () => [])
  }

  /** What an earlier {@link verify} found; `undefined` before it. */
  known({ index, publicKey }: SignatureCheck): boolean | undefined {
    if (this.#trusted) return true
    return this.#results[index]?.find(result => equalBytes(result.publicKey, publicKey))?.isValid
  }

  /** Verifies one signature under the strict rule, once for each key. */
  async verify(crypto: Crypto, network: NetworkId, check: SignatureCheck): Promise<boolean> {
    const known = this.known(check)
    if (known !== undefined) return known
    const signature = signaturesOf(this.record)[check.index]
    this.#signingBytes ??= recordSigningBytes(network, this.record)
    const isValid = signature !== undefined && (await crypto.verify(check.publicKey, this.#signingBytes, signature))
    // A record is checked against one key, rarely two (a recovery key that changed): the list stays short.
    this.#results[check.index]?.push({ publicKey: check.publicKey, isValid })
    return isValid
  }
}

/** The signatures of a record, in the order in which they are written. */
export function signaturesOf(record: DirectoryRecord): Uint8Array[] {
  switch (record.kind) {
    case 'add':
      return [record.newDeviceSignature, record.deviceSignature]
    case 'recover':
      return [record.newDeviceSignature, record.recoverySignature]
    case 'node':
      return [record.nodeSignature, record.deviceSignature]
    case 'release':
      return [record.releaseSignature]
    default:
      return [record.deviceSignature]
  }
}

/** A record whose bytes were read, or why they could not be. */
export type ParseResult =
  { readonly kind: 'parsed'; readonly parsed: ParsedRecord } | { readonly kind: 'rejected'; readonly code: RejectCode }

/**
 * Reads the bytes of a record; total.
 *
 * @param trusted - take the signatures as good. Only for bytes whose acceptance this machine stored itself.
 */
export function parseRecord(crypto: Crypto, network: NetworkId, bytes: Uint8Array, trusted = false): ParseResult {
  if (bytes.length > MAX_RECORD_BYTES) return { kind: 'rejected', code: 'TOO_LARGE' }
  try {
    const record = decodeRecord(bytes)
    // A small array of its own takes half the memory of a view of what the hash function allocated.
    const id = Uint8Array.from(recordIdOf(crypto, network, record)) as RecordId
    return { kind: 'parsed', parsed: new ParsedRecord(record, id, trusted) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { kind: 'rejected', code: error.code === 'UNSUPPORTED_VERSION' ? 'UNKNOWN_KIND' : 'MALFORMED' }
  }
}

/** An {@link OrderedRecord} that was parsed before. */
export interface ParsedEntry extends Omit<OrderedRecord, 'bytes'> {
  readonly parsed: ParsedRecord
}

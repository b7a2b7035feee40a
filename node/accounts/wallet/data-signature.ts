/**
 * What a Cardano wallet signs for a page (CIP-30 `signData`, CIP-8): COSE_Sign1 and COSE_Key (RFC 9052) with Ed25519. Only the one form
 * that wallets write for people's keys is read; whatever else the formats allow is refused, because nothing of it is needed here.
 */
import { blake2b } from '@noble/hashes/blake2.js'
import { equalBytes } from '../../../protocol/bytes.ts'
import { encodeCbor } from '../../../protocol/cbor.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from '../../../protocol/crypto/crypto.ts'
import {
  ARRAY,
  BYTES,
  itemSpans,
  MAP,
  readHead,
  SIMPLE,
  skipItem,
  TAG,
  TEXT,
  UNSIGNED,
  type Span
} from '../../../protocol/directory/cbor-walker.ts'
import { ProtocolError } from '../../../protocol/errors.ts'

/** Longest COSE_Sign1 that is read, in bytes. */
export const MAX_DATA_SIGNATURE_BYTES = 2_048
/** Longest COSE_Key that is read, in bytes. */
export const MAX_DATA_KEY_BYTES = 256

/** A signature as it came, not verified. */
export interface DataSignature {
  /** Raw address (CIP-19) that the wallet signed for. */
  address: Uint8Array
  payload: Uint8Array
  publicKey: Uint8Array
  signature: Uint8Array
  /** What the signature is over: the Sig_structure of COSE. */
  signed: Uint8Array
}

const NEGATIVE = 1
/** Negative numbers in CBOR: -1 minus the argument. */
const EDDSA = 7
const CRV = 0
const X = 1
const OKP = 1
const ED25519 = 6
const COSE_SIGN1_TAG = 18
const FALSE = 20

const malformed = (what: string): ProtocolError => new ProtocolError('MALFORMED', `the wallet's answer ${what}`)

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`. */
export function parseDataSignature(sign1: Uint8Array, key: Uint8Array): DataSignature {
  if (sign1.length > MAX_DATA_SIGNATURE_BYTES || key.length > MAX_DATA_KEY_BYTES) {
    throw new ProtocolError('TOO_LARGE', "the wallet's answer is too long")
  }
  const start = startOfSign1(sign1)
  if (skipItem(sign1, start) !== sign1.length) throw malformed('has bytes behind it')
  const [protectedSpan, unprotectedSpan, payloadSpan, signatureSpan, ...rest] = itemSpans(sign1, start, ARRAY)
  if (!protectedSpan || !unprotectedSpan || !payloadSpan || !signatureSpan || rest.length > 0) {
    throw malformed('is no COSE_Sign1')
  }
  const protectedBytes = bytesAt(sign1, protectedSpan)
  const payload = bytesAt(sign1, payloadSpan)
  const signature = bytesAt(sign1, signatureSpan)
  if (signature.length !== SIGNATURE_BYTES) throw malformed('has a signature of another length')
  requireUnhashed(sign1, unprotectedSpan)
  return {
    address: addressIn(protectedBytes),
    payload,
    publicKey: publicKeyIn(key),
    signature,
    signed: encodeCbor(['Signature1', protectedBytes, new Uint8Array(0), payload])
  }
}

/** Whether the key signed. Whether it belongs to the address is {@link credentialOf}. */
export function isDataSignature(
  crypto: Pick<Crypto, 'verify'>,
  { publicKey, signed, signature }: DataSignature
): Promise<boolean> {
  return crypto.verify(publicKey, signed, signature)
}

/** Kinds of addresses whose first credential is a key: base (two forms), enterprise, reward. */
const KEY_ADDRESSES: Readonly<Record<number, number>> = { 0: 57, 2: 57, 6: 29, 14: 29 }

/**
 * The key hash of an address, which names a person: of the stake key for a reward address, of the payment key for others.
 * @throws ProtocolError `BAD_SIGNATURE` if the key does not belong to the address, the address is of another network, or of a script.
 */
export function credentialOf({ address, publicKey }: DataSignature, isMainnet: boolean): Uint8Array {
  const refused = (what: string): ProtocolError => new ProtocolError('BAD_SIGNATURE', what)
  const kind = (address[0] ?? 0xff) >> 4
  if (KEY_ADDRESSES[kind] !== address.length) throw refused('the address has no key of a person')
  if ((address[0]! & 15) !== (isMainnet ? 1 : 0)) throw refused('the address is of another network')
  const credential = address.slice(1, 29)
  if (equalBytes(blake2b(publicKey, { dkLen: 28 }), credential)) return credential
  throw refused('the key does not belong to the address')
}

function startOfSign1(bytes: Uint8Array): number {
  const { major, argument, next } = readHead(bytes, 0)
  return major === TAG && argument === COSE_SIGN1_TAG ? next : 0
}

/** The algorithm has to be EdDSA, and the address has to be under the signature. */
function addressIn(protectedBytes: Uint8Array): Uint8Array {
  const header = pairsOf(protectedBytes)
  if (!isNegative(protectedBytes, header.get('1'), EDDSA)) throw malformed('is signed with another algorithm')
  // RFC 9052: who does not know what is marked as critical must refuse it.
  if (header.has('2')) throw malformed('asks for something unknown')
  const address = header.get('"address"')
  if (!address) throw malformed('names no address')
  return bytesAt(protectedBytes, address)
}

function requireUnhashed(bytes: Uint8Array, span: Span): void {
  const header = pairsOf(bytes.subarray(span.start, span.end))
  if (header.has('1') || header.has('"address"')) throw malformed('says outside of the signature what belongs inside')
  const hashed = header.get('"hashed"')
  if (!hashed) return
  const { major, argument } = readHead(bytes, span.start + hashed.start)
  if (major !== SIMPLE || argument !== FALSE) throw malformed('signs a hash, not the text')
}

function publicKeyIn(bytes: Uint8Array): Uint8Array {
  const key = pairsOf(bytes)
  const alg = key.get('3')
  const isEd25519 =
    isNumber(bytes, key.get('1'), OKP) &&
    isNumber(bytes, key.get(`-${1 + CRV}`), ED25519) &&
    (!alg || isNegative(bytes, alg, EDDSA))
  const x = key.get(`-${1 + X}`)
  if (!isEd25519 || !x) throw malformed('has a key of another kind')
  const publicKey = bytesAt(bytes, x)
  if (publicKey.length !== KEY_BYTES) throw malformed('has a key of another length')
  return publicKey
}

/** The values of a map that fills its bytes, by number or quoted text. @throws ProtocolError `MALFORMED` for a key that is there twice. */
function pairsOf(bytes: Uint8Array): Map<string, Span> {
  if (skipItem(bytes, 0) !== bytes.length) throw malformed('has bytes behind a part of it')
  const spans = itemSpans(bytes, 0, MAP)
  const pairs = new Map<string, Span>()
  for (let i = 0; i < spans.length; i += 2) {
    const label = labelAt(bytes, spans[i]!)
    if (pairs.has(label)) throw malformed('says something twice')
    pairs.set(label, spans[i + 1]!)
  }
  return pairs
}

function labelAt(bytes: Uint8Array, { start, end }: Span): string {
  const { major, argument, next } = readHead(bytes, start)
  if (major === UNSIGNED) return String(argument)
  if (major === NEGATIVE) return String(-1 - argument)
  if (major !== TEXT || argument < 0) throw malformed('has a label of another kind')
  return JSON.stringify(new TextDecoder().decode(bytes.subarray(next, end)))
}

/** A byte string in one piece. */
function bytesAt(bytes: Uint8Array, { start, end }: Span): Uint8Array {
  const { major, argument, next } = readHead(bytes, start)
  if (major !== BYTES || argument !== end - next) throw malformed('has another kind of value')
  return bytes.slice(next, end)
}

const isNumber = (bytes: Uint8Array, span: Span | undefined, value: number, kind: number = UNSIGNED): boolean => {
  if (!span) return false
  const { major, argument } = readHead(bytes, span.start)
  return major === kind && argument === value
}
const isNegative = (bytes: Uint8Array, span: Span | undefined, value: number): boolean =>
  isNumber(bytes, span, value, NEGATIVE)

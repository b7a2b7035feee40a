/**
 * Transactions that are each plain or wrong in one way, and what Cardano's rules say about them. All spend the coin of
 * hand-built-transaction.ts, in {@link MATRIX_SLOT}.
 */
import { concatBytes } from '../../../../protocol/bytes.ts'
import {
  bytes,
  COIN,
  handBuilt,
  input,
  INPUT_ID,
  LABEL,
  labelled,
  list,
  MAINNET_ADDRESS,
  map,
  negative,
  output,
  raw,
  tag,
  text,
  uint,
  witness,
  type Deviation
} from './hand-built-transaction.ts'

/** The slot in which they are judged. */
export const MATRIX_SLOT = 1_000
const MIN_OUTPUT = 857_690n

/** Metadata of list items that fill a transaction to a number of bytes. */
function filledTo(size: number): Deviation {
  const metadata = (padding: number): Uint8Array => {
    const chunks: Uint8Array[] = []
    for (let left = padding; left > 0; left -= 60) chunks.push(bytes(Math.min(60, left)))
    return labelled(list(...chunks))
  }
  for (let padding = size - 900; ; padding++) {
    const deviation = { auxiliary: metadata(padding), fee: 1_000_000n }
    const { length } = handBuilt(deviation)
    if (length === size) return deviation
    if (length > size) throw new Error(`no transaction of ${size} bytes`)
  }
}

const flipped = (signature: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(signature)
  copy[copy.length - 3]! ^= 1
  return copy
}
const nested = (depth: number): Uint8Array =>
  labelled(concatBytes(...Array.from({ length: depth }, () => raw(0x81)), uint(1n)))
const otherSeed = new Uint8Array(32).fill(9)

/** What is as it should be. */
export const ACCEPTED: Record<string, Deviation> = {
  'a plain transaction': {},
  'no metadata at all': { auxiliary: null },
  'a fee above the least': { feeOffset: 5_000n },
  'a witness more than needed': { witnesses: hash => [witness(hash), witness(hash, otherSeed)] },
  '64 bytes in a row': { auxiliary: labelled(bytes(64)) },
  '64 letters in a row': { auxiliary: labelled(text('x'.repeat(64))) },
  'a negative number': { auxiliary: labelled(negative(-5n)) },
  'the largest signed number': { auxiliary: labelled(uint(2n ** 63n - 1n)) },
  'the largest label': { auxiliary: labelled(uint(1n), 2n ** 64n - 1n) },
  'two labels': { auxiliary: map([uint(1n), uint(1n)], [uint(LABEL), uint(2n)]) },
  'an indefinite list': { auxiliary: labelled(raw(0x9f, 0x01, 0x02, 0xff)) },
  'a key twice in a metadata map': { auxiliary: labelled(map([uint(0n), uint(1n)], [uint(0n), uint(2n)])) },
  'a number not in its shortest form': { auxiliary: labelled(raw(0x18, 0x01)) },
  'forty lists inside each other': { auxiliary: nested(40) },
  'auxiliary data of the Allegra form': { auxiliary: list(labelled(uint(1n)), list()) },
  'auxiliary data of the Alonzo form': { auxiliary: tag(259n, map([uint(0n), labelled(uint(1n))])) },
  'the largest transaction': filledTo(16_384),
  'the last slot of its life': { timeToLive: BigInt(MATRIX_SLOT + 1) },
  'the first slot of its life': { validFrom: BigInt(MATRIX_SLOT) },
  'the least output': { outputs: fee => [output(MIN_OUTPUT), output(COIN - fee - MIN_OUTPUT)] },
  'the right network named': { networkId: 0n }
}

/** What no ledger takes. */
export const REFUSED: Record<string, Deviation> = {
  'a fee one lovelace too low': { feeOffset: -1n },
  'no fee': { fee: 0n },
  'a lovelace from nowhere': { outputs: fee => [output(COIN - fee + 1n)] },
  'a lovelace gone nowhere': { outputs: fee => [output(COIN - fee - 1n)] },
  'an output larger than all there is': { outputs: () => [output(2n ** 63n)] },
  'no signature': { witnesses: () => [] },
  'a flipped bit in the signature': { witnesses: hash => [flipped(witness(hash))] },
  'the signature of another key': { witnesses: hash => [witness(hash, otherSeed)] },
  'a signature of something else': { witnesses: () => [witness(new Uint8Array(32))] },
  'a wrong signature beside the right one': { witnesses: hash => [witness(hash), flipped(witness(hash, otherSeed))] },
  'metadata changed after signing': { swappedAuxiliary: labelled(uint(2n)) },
  'metadata without its hash': { auxiliaryHash: null },
  'a hash without metadata': { auxiliary: null, auxiliaryHash: new Uint8Array(32) },
  'a hash of other metadata': { auxiliaryHash: new Uint8Array(32) },
  'a hash of 31 bytes': { auxiliaryHash: new Uint8Array(31) },
  '65 bytes in a row': { auxiliary: labelled(bytes(65)) },
  '65 letters in a row': { auxiliary: labelled(text('x'.repeat(65))) },
  '33 letters of two bytes': { auxiliary: labelled(text('ä'.repeat(33))) },
  'null in metadata': { auxiliary: labelled(raw(0xf6)) },
  'a truth value in metadata': { auxiliary: labelled(raw(0xf5)) },
  'a fraction in metadata': { auxiliary: labelled(raw(0xf9, 0x3c, 0x00)) },
  'a label that is text': { auxiliary: map([text('volo'), uint(1n)]) },
  'auxiliary data under an unknown tag': { auxiliary: tag(260n, map([uint(0n), labelled(uint(1n))])) },
  'a byte more than the largest transaction': filledTo(16_385),
  'a life that is over': { timeToLive: BigInt(MATRIX_SLOT) },
  'a life that has not begun': { validFrom: BigInt(MATRIX_SLOT + 1) },
  'an output below the least': { outputs: fee => [output(MIN_OUTPUT - 1n), output(COIN - fee - MIN_OUTPUT + 1n)] },
  'a coin that is not there': { inputs: [input(new Uint8Array(32))] },
  'another output of the same transaction': { inputs: [input(INPUT_ID, 1n)] },
  'no coins': { inputs: [] },
  'an address of another network': { outputs: fee => [output(COIN - fee, MAINNET_ADDRESS)] },
  'another network named': { networkId: 1n },
  'a body entry that no era knows': { extraBody: [[uint(99n), uint(1n)]] },
  'the fee twice': { extraBody: [[uint(2n), uint(1n)]] },
  'a byte after its end': { finish: transaction => concatBytes(transaction, raw(0)) },
  'its last byte missing': { finish: transaction => transaction.subarray(0, -1) },
  'nothing at all': { finish: () => new Uint8Array() },
  'a number instead of a transaction': { finish: () => uint(1n) },
  'the body alone': { finish: transaction => transaction.subarray(1) }
}

type Verdict = 'accepted' | 'refused'

/**
 * Where the emulated rules are known to differ from Cardano's CDDL (`int` in metadata is 64 bits with a separate sign, a
 * label is `uint`): they read both as signed 64-bit numbers. No record holds a number above 2^53, and no label is
 * negative, so Volo meets neither.
 */
export const DIFFERENT: Record<string, { deviation: Deviation; cardano: Verdict; emulated: Verdict }> = {
  'a number above the largest signed one': {
    deviation: { auxiliary: labelled(uint(2n ** 63n)) },
    cardano: 'accepted',
    emulated: 'refused'
  },
  'a label below zero': {
    deviation: { auxiliary: map([negative(-1n), uint(1n)]) },
    cardano: 'refused',
    emulated: 'accepted'
  }
}

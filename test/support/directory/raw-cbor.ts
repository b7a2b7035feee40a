/** CBOR by hand, so that tests can write what no encoder would: duplicate keys, long heads, indefinite lengths. */
import { concatBytes, utf8 } from '../../../protocol/bytes.ts'
import { blake2b256 } from '../../../protocol/directory/transaction.ts'

/** Head of an item. @param size - bytes of the argument: 0, 1, 2, 4, 8; the shortest if left out. */
export function head(major: number, argument: number | bigint, size?: number): Uint8Array {
  const value = BigInt(argument)
  const bytes = size ?? (value < 24n ? 0 : value < 256n ? 1 : value < 65536n ? 2 : value < 2n ** 32n ? 4 : 8)
  if (bytes === 0) return Uint8Array.of((major << 5) | Number(value))
  const out = new Uint8Array(1 + bytes)
  out[0] = (major << 5) | (24 + Math.log2(bytes))
  for (let i = 0; i < bytes; i++) out[bytes - i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return out
}

export const int = (value: number | bigint, size?: number): Uint8Array => head(0, value, size)
export const str = (value: Uint8Array): Uint8Array => concatBytes(head(2, value.length), value)
export const txt = (value: string): Uint8Array => concatBytes(head(3, utf8(value).length), utf8(value))
export const arr = (...items: Uint8Array[]): Uint8Array => concatBytes(head(4, items.length), ...items)
export const map = (...entries: [Uint8Array, Uint8Array][]): Uint8Array =>
  concatBytes(head(5, entries.length), ...entries.flat())
export const tag = (number: number, item: Uint8Array): Uint8Array => concatBytes(head(6, number), item)

const BREAK = Uint8Array.of(0xff)
export const openArr = (...items: Uint8Array[]): Uint8Array => concatBytes(Uint8Array.of(0x9f), ...items, BREAK)
export const openMap = (...entries: [Uint8Array, Uint8Array][]): Uint8Array =>
  concatBytes(Uint8Array.of(0xbf), ...entries.flat(), BREAK)
export const openStr = (...chunks: Uint8Array[]): Uint8Array =>
  concatBytes(Uint8Array.of(0x5f), ...chunks.map(str), BREAK)

export const NULL = Uint8Array.of(0xf6)
export const TRUE = Uint8Array.of(0xf5)
export const FALSE = Uint8Array.of(0xf4)

/** What to do differently from a plain transaction. */
export interface RawTransactionParts {
  /** Raw auxiliary data; `null` for none. */
  aux?: Uint8Array | null
  /** The hash in the body; by default that of `aux`, and none without it. */
  auxHash?: Uint8Array | null
  /** Further body entries, after those of a plain one. */
  more?: [Uint8Array, Uint8Array][]
  /** Writes the body. */
  bodyOf?: (...entries: [Uint8Array, Uint8Array][]) => Uint8Array
  /** Makes two transactions with the same records differ. */
  fee?: number
  /** The fee as CBOR, instead. */
  feeItem?: Uint8Array
}

/** A transaction as the ledger has it, as far as this project looks: nothing in it is signed or balanced. */
export function rawTransaction({
  aux = null,
  auxHash = aux && blake2b256(aux),
  more = [],
  bodyOf = map,
  fee = 200_000,
  feeItem = int(fee)
}: RawTransactionParts): Uint8Array {
  const input = arr(str(new Uint8Array(32).fill(1)), int(0))
  const output = map([int(0), str(new Uint8Array(29).fill(0x60))], [int(1), int(1_000_000)])
  const entries: [Uint8Array, Uint8Array][] = [
    [int(0), tag(258, arr(input))],
    [int(1), arr(output)],
    [int(2), feeItem],
    [int(3), int(100_000)]
  ]
  if (auxHash) entries.push([int(7), str(auxHash)])
  return arr(bodyOf(...entries, ...more), map(), TRUE, aux ?? NULL)
}

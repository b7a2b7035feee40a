/** Builds transactions byte by byte, so that each may be wrong in exactly one way. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import {
  encodeArray,
  encodeBytes,
  encodeHead,
  encodeMap,
  encodeTag,
  encodeUint
} from '../../../../chain/devnet/cbor-writer.ts'
import { concatBytes } from '../../../../protocol/bytes.ts'
import { blake2b256 } from '../../../../protocol/directory/transaction.ts'

export const SEED = new Uint8Array(32).fill(7)
export const PUBLIC_KEY = ed25519.getPublicKey(SEED)
const keyHash = blake2b(PUBLIC_KEY, { dkLen: 28 })
export const ADDRESS = concatBytes(Uint8Array.of(0x60), keyHash)
export const MAINNET_ADDRESS = concatBytes(Uint8Array.of(0x61), keyHash)
export const COIN = 10_000_000_000n
export const INPUT_ID = new Uint8Array(32).fill(0xaa)
export const LABEL = 86_070n

export const uint = encodeUint
export const bytes = (length: number): Uint8Array => encodeBytes(new Uint8Array(length).fill(1))
export const raw = (...values: number[]): Uint8Array => Uint8Array.from(values)
export const list = (...items: Uint8Array[]): Uint8Array => encodeArray(items)
export const map = (...entries: [Uint8Array, Uint8Array][]): Uint8Array => encodeMap(entries)
export const tag = encodeTag
export const negative = (value: bigint): Uint8Array => Uint8Array.from(encodeHead(1, -1n - value))
export const text = (value: string): Uint8Array => {
  const encoded = Buffer.from(value)
  return Uint8Array.from([...encodeHead(3, BigInt(encoded.length)), ...encoded])
}
/** Metadata with one label. */
export const labelled = (value: Uint8Array, label = LABEL): Uint8Array => map([uint(label), value])

type Entry = [Uint8Array, Uint8Array]
const NULL = raw(0xf6)
const SIZE_FEE = 44n
const BASE_FEE = 155_381n

/** What differs from a plain valid transaction. */
export interface Deviation {
  /** Auxiliary data; `null` for none. */
  auxiliary?: Uint8Array | null
  /** In place of the auxiliary data, after its hash is taken. */
  swappedAuxiliary?: Uint8Array
  /** In place of the auxiliary data's hash; `null` leaves it out. */
  auxiliaryHash?: Uint8Array | null
  inputs?: Uint8Array[]
  outputs?: (fee: bigint) => Uint8Array[]
  /** Lovelace more than the fee asked for; negative for less. */
  feeOffset?: bigint
  fee?: bigint
  timeToLive?: bigint
  validFrom?: bigint
  networkId?: bigint
  /** Entries put at the end of the body. */
  extraBody?: Entry[]
  witnesses?: (hash: Uint8Array) => Uint8Array[]
  isValid?: Uint8Array
  /** Changes the finished bytes. */
  finish?: (transaction: Uint8Array) => Uint8Array
}

export const input = (id: Uint8Array = INPUT_ID, index = 0n): Uint8Array => list(encodeBytes(id), uint(index))
export const output = (lovelace: bigint, address = ADDRESS): Uint8Array =>
  map([uint(0n), encodeBytes(address)], [uint(1n), uint(lovelace)])
export const witness = (hash: Uint8Array, seed = SEED): Uint8Array =>
  list(encodeBytes(ed25519.getPublicKey(seed)), encodeBytes(ed25519.sign(hash, seed)))

function build(deviation: Deviation, fee: bigint): Uint8Array {
  const auxiliary = deviation.auxiliary === undefined ? labelled(uint(1n)) : deviation.auxiliary
  const body: Entry[] = [
    [uint(0n), tag(258n, list(...(deviation.inputs ?? [input()])))],
    [uint(1n), list(...(deviation.outputs?.(fee) ?? [output(COIN - fee)]))],
    [uint(2n), uint(fee)],
    [uint(3n), uint(deviation.timeToLive ?? 100_000n)]
  ]
  const hash = deviation.auxiliaryHash === undefined ? auxiliary && blake2b256(auxiliary) : deviation.auxiliaryHash
  if (hash) body.push([uint(7n), encodeBytes(hash)])
  if (deviation.validFrom !== undefined) body.push([uint(8n), uint(deviation.validFrom)])
  if (deviation.networkId !== undefined) body.push([uint(15n), uint(deviation.networkId)])
  const encoded = map(...body, ...(deviation.extraBody ?? []))
  const id = blake2b256(encoded)
  const witnesses = deviation.witnesses?.(id) ?? [witness(id)]
  const witnessSet = witnesses.length > 0 ? map([uint(0n), tag(258n, list(...witnesses))]) : map()
  const attached = deviation.swappedAuxiliary ?? auxiliary ?? NULL
  return list(encoded, witnessSet, deviation.isValid ?? raw(0xf5), attached)
}

/** A signed transaction with the least fee that the ledger asks for, and a deviation. */
export function handBuilt(deviation: Deviation = {}): Uint8Array {
  let fee = deviation.fee ?? 200_000n
  // The fee's own length counts; three rounds settle it.
  for (let round = 0; round < 3 && deviation.fee === undefined; round++) {
    const { length } = build(deviation, fee)
    fee = SIZE_FEE * BigInt(length - 1) + BASE_FEE + (deviation.feeOffset ?? 0n)
  }
  const transaction = build(deviation, fee)
  return deviation.finish?.(transaction) ?? transaction
}

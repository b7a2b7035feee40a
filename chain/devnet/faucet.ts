/** The devnet's source of ADA: one key, one coin, plain signed payments that the ledger judges like any other. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { concatBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import type { TransactionId } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { blake2b256 } from '../../protocol/directory/transaction.ts'
import { encodeArray, encodeBytes, encodeMap, encodeTag, encodeUint } from './cbor-writer.ts'
import type { LedgerUtxo } from './ledger.ts'

/** Lovelace that a devnet starts with: a billion ADA, still an exact JavaScript number. */
export const GENESIS_LOVELACE = 1_000_000_000_000_000n
/** Lovelace of one gift if the request names no amount: 1,000 ADA. */
export const DEFAULT_GIFT = 1_000_000_000n
/** Most lovelace of one gift: 100,000 ADA. */
export const MAX_GIFT = 100_000_000_000n
/** Least lovelace of one gift; the ledger refuses outputs of less than about 1 ADA. */
export const MIN_GIFT = 2_000_000n

/** Far above the fee of a payment with one input and two outputs, so that it need not be computed. */
const PAYMENT_FEE = 200_000n
const TESTNET_ENTERPRISE_KEY_ADDRESS = 0x60
const KEY_HASH_BYTES = 28
const SET_TAG = 258n
const TRUE = Uint8Array.of(0xf5)
const NULL = Uint8Array.of(0xf6)

export class Faucet {
  readonly #seed: Uint8Array
  readonly #publicKey: Uint8Array
  /** Raw bytes of the address that holds the coin. */
  readonly address: Uint8Array

  /** @param seed - 32 bytes; as secret as the devnet's data folder. */
  constructor(seed: Uint8Array) {
    this.#seed = seed
    this.#publicKey = ed25519.getPublicKey(seed)
    const keyHash = blake2b(this.#publicKey, { dkLen: KEY_HASH_BYTES })
    this.address = concatBytes(Uint8Array.of(TESTNET_ENTERPRISE_KEY_ADDRESS), keyHash)
  }

  /**
   * A signed payment out of the faucet's largest coin.
   * @param utxos - outputs that it may spend; those of others are ignored.
   * @param recipient - raw address bytes.
   * @throws {@link ChainError} `INSUFFICIENT_FUNDS` once the faucet is empty.
   */
  pay(utxos: LedgerUtxo[], recipient: Uint8Array, lovelace: bigint): Uint8Array {
    const own = toHex(this.address)
    const coins = utxos.filter(utxo => utxo.address === own).map(utxo => ({ utxo, value: utxo.amount[0]!.quantity }))
    const coin = coins.reduce((best, next) => (best && best.value >= next.value ? best : next), coins[0])
    if (!coin || coin.value < lovelace + PAYMENT_FEE + MIN_GIFT) {
      throw new ChainError('INSUFFICIENT_FUNDS', 'the faucet of this devnet is empty')
    }
    const input = encodeArray([encodeBytes(fromHex(coin.utxo.transaction)), encodeUint(BigInt(coin.utxo.index))])
    const change = encodeOutput(this.address, coin.value - lovelace - PAYMENT_FEE)
    const body = encodeMap([
      [encodeUint(0n), encodeTag(SET_TAG, encodeArray([input]))],
      [encodeUint(1n), encodeArray([encodeOutput(recipient, lovelace), change])],
      [encodeUint(2n), encodeUint(PAYMENT_FEE)]
    ])
    const signature = ed25519.sign(blake2b256(body), this.#seed)
    const witness = encodeArray([encodeBytes(this.#publicKey), encodeBytes(signature)])
    const witnesses = encodeMap([[encodeUint(0n), encodeTag(SET_TAG, encodeArray([witness]))]])
    return encodeArray([body, witnesses, TRUE, NULL])
  }
}

/** A set of one output, to start a chain with. */
export function singleUtxo(transaction: TransactionId, address: Uint8Array, lovelace: bigint): Uint8Array {
  return encodeMap([
    [encodeArray([encodeBytes(fromHex(transaction)), encodeUint(0n)]), encodeOutput(address, lovelace)]
  ])
}

/** An output of ADA alone. */
export const encodeOutput = (address: Uint8Array, lovelace: bigint): Uint8Array =>
  encodeMap([
    [encodeUint(0n), encodeBytes(address)],
    [encodeUint(1n), encodeUint(lovelace)]
  ])

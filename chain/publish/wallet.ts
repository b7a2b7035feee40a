/**
 * The operator's hot wallet. Its key does one thing: pay the fee of transactions that carry records and send the rest
 * back to itself. It authorises nothing in the directory, so a thief gets the ADA in it and no more.
 */
import { randomBytes } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { ProtocolParameters, Utxo } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { buildTransaction, enterpriseAddress, type BuiltTransaction } from './transaction-builder.ts'

/** Network magic whose addresses say `addr`; everywhere else they say `addr_test`. */
export const MAINNET_MAGIC = 764_824_073
const SEED_BYTES = 32
const OWNER_ONLY = 0o600
const OTHERS = 0o077

/** What one transaction is to be. */
export interface PaymentRequest {
  /** CBOR of the auxiliary data, see `encodeMetadata`. */
  auxiliaryData: Uint8Array
  /** Coins that may be spent. */
  coins: Utxo[]
  /** A coin that must be spent: the change of the transaction before, which so cannot come after this one. */
  chained?: Utxo | undefined
  parameters: ProtocolParameters
  /** First slot in which the transaction is no longer valid. */
  timeToLive: number
  /** Most lovelace that it may cost. */
  feeCap: bigint
}

export class Wallet {
  readonly #seed: Uint8Array
  /** Enterprise address (no stake key), bech32. */
  readonly address: string

  private constructor(seed: Uint8Array, magic: number) {
    this.#seed = seed
    this.address = enterpriseAddress(seed, magic === MAINNET_MAGIC)
  }

  /**
   * Reads the key file (64 hex characters: an Ed25519 seed), or makes one that only its owner can read.
   * @param magic - Cardano network magic, which decides the kind of address.
   * @throws {@link ChainError} `BAD_KEY_FILE` if it is malformed or others may read it.
   */
  static async open(path: string, magic: number): Promise<Wallet> {
    return new Wallet((await readSeed(path)) ?? (await createSeed(path)), magic)
  }

  /**
   * Builds and signs a transaction to itself.
   * @throws {@link ChainError} `INSUFFICIENT_FUNDS`, `FEE_TOO_HIGH` or `TOO_LARGE`.
   */
  build(request: PaymentRequest): BuiltTransaction {
    return buildTransaction(this.#seed, this.address, { ...request, coins: selectCoins(request) })
  }

  /** Keeps the key out of logs and JSON. */
  toJSON(): { address: string } {
    return { address: this.address }
  }
}

/** An output of one address and ADA is about 65 bytes; the ledger adds 160 to each. */
const OUTPUT_BYTES = 240n
/** More inputs than this make a transaction large for nothing. */
const MAX_INPUTS = 60

/**
 * Largest coins first until they pay the fee cap and leave an output behind: one coin nearly always, so the rest stays
 * free for the next transaction.
 */
function selectCoins({ coins, chained, parameters, feeCap }: PaymentRequest): Utxo[] {
  const needed = feeCap + OUTPUT_BYTES * parameters.lovelacePerUtxoByte
  const sorted = coins.toSorted((a, b) => (a.lovelace === b.lovelace ? 0 : a.lovelace > b.lovelace ? -1 : 1))
  const selected: Utxo[] = []
  let total = 0n
  for (const coin of [...(chained ? [chained] : []), ...sorted].slice(0, MAX_INPUTS)) {
    selected.push(coin)
    total += coin.lovelace
    if (total >= needed) return selected
  }
  throw new ChainError('INSUFFICIENT_FUNDS', `the wallet needs ${needed} lovelace at hand, and has ${total}`)
}

async function readSeed(path: string): Promise<Uint8Array | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ChainError('BAD_KEY_FILE', `the wallet's key file ${path} cannot be read`, { cause })
  }
  try {
    const { mode } = await file.stat()
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      throw new ChainError('BAD_KEY_FILE', `others may read the wallet's key file: run chmod 600 ${path}`)
    }
    const text = await file.readFile('utf8')
    return fromHex(text.trim(), SEED_BYTES)
  } catch (error) {
    // The message must not repeat the content of the file.
    if (error instanceof ProtocolError) {
      throw new ChainError('BAD_KEY_FILE', `the wallet's key file ${path} does not hold 64 hex characters`)
    }
    throw error
  } finally {
    await file.close()
  }
}

async function createSeed(path: string): Promise<Uint8Array> {
  const seed = randomBytes(SEED_BYTES)
  let file: FileHandle
  try {
    file = await open(path, 'wx', OWNER_ONLY)
  } catch (cause) {
    throw new ChainError('BAD_KEY_FILE', `the wallet's key file ${path} cannot be made`, { cause })
  }
  try {
    await file.writeFile(`${toHex(seed)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return seed
}

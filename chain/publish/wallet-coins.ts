import type { Clock } from '../../protocol/crypto/crypto.ts'
import { isRecent } from '../recent.ts'
import type { ChainSource, Utxo } from '../source/chain-source.ts'
import type { TransactionWatch } from './transaction-watch.ts'

/** The balance is read again after this long even if nothing happens. */
const BALANCE_TTL_MS = 600_000
/** Shortest pause between two requests to a devnet's faucet. */
const FAUCET_PAUSE_MS = 5_000

export interface WalletCoinsComponents {
  source: ChainSource
  /** Its live transactions spend coins and make change that the chain does not show yet. */
  watch: TransactionWatch
  clock: Clock
}

/** The coins of one address: those on the chain, and those that our own live transactions spend and make. */
export class WalletCoins {
  readonly #components: WalletCoinsComponents
  readonly #address: string
  readonly #lowBalance: bigint
  #read: { utxos: Utxo[]; readAt: number } | undefined
  #askedFaucetAt = -Infinity

  /** @param lowBalance - below this many lovelace, {@link read} asks the faucet of a devnet. */
  constructor(components: WalletCoinsComponents, address: string, lowBalance: bigint) {
    this.#components = components
    this.#address = address
    this.#lowBalance = lowBalance
  }

  /** Lovelace, own unconfirmed change included; `undefined` before the first reading. */
  get balance(): bigint | undefined {
    return this.#read && this.spendable().reduce((sum, { lovelace }) => sum + lovelace, 0n)
  }

  get isLow(): boolean {
    const { balance } = this
    return balance !== undefined && balance < this.#lowBalance
  }

  /** Whether the last reading is recent enough for a publisher that has nothing to do. */
  get isKnown(): boolean {
    return this.#read !== undefined && isRecent(this.#read.readAt, BALANCE_TTL_MS, this.#components.clock())
  }

  /** Reads the coins from the chain. */
  async read(signal: AbortSignal): Promise<void> {
    const { source, clock } = this.#components
    this.#read = { utxos: await source.utxos(this.#address, { signal }), readAt: clock() }
    if (!source.fund || !this.isLow) return
    if (isRecent(this.#askedFaucetAt, FAUCET_PAUSE_MS, clock())) return
    this.#askedFaucetAt = clock()
    await source.fund(this.#address, { signal })
  }

  /** Coins on the chain and change on its way, without what live transactions spend. */
  spendable(): Utxo[] {
    const key = ({ transaction, index }: Utxo): string => `${transaction}#${index}`
    const { live } = this.#components.watch
    const spent = new Set(live.flatMap(transaction => transaction.inputs.map(key)))
    const coins = [...(this.#read?.utxos ?? []), ...live.map(({ change }) => change)]
    return [...new Map(coins.map(coin => [key(coin), coin])).values()].filter(coin => !spent.has(key(coin)))
  }
}

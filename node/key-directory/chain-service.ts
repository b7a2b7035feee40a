/** The node's side of the chain, put together: source, wallet, publisher, follower. */
import { join } from 'node:path'
import { createChainSource } from '../../chain/source/blockfrost-source.ts'
import type { ChainSource } from '../../chain/source/chain-source.ts'
import { DEVNET_LABEL, DEVNET_MAGIC } from '../../chain/devnet/devnet.ts'
import { ChainError } from '../../chain/errors.ts'
import { Follower } from '../../chain/follow/follower.ts'
import type { ChainChange, FinalTransaction } from '../../chain/follow/chain-change.ts'
import { Publisher } from '../../chain/publish/publisher.ts'
import { MAINNET_MAGIC, Wallet } from '../../chain/publish/wallet.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import type { AppDatabase } from '../app-database.ts'
import { ConfigError } from '../config/config-error.ts'
import type { NodeConfig } from '../config/config.ts'
import { chainLogger } from '../logger.ts'
import { chainReasons, chainWarnings } from './chain-health.ts'
import type { DirectoryRestore } from './directory-restore.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { Logger, ReadinessReason } from '../ports.ts'

/** An embedded devnet makes a block every two seconds: batches and looks are as quick. */
export const DEVNET_PACE_MS = 2_000
const DEVNET_LOOK_MS = 1_000
/** Five minutes: what a devnet that was cut off has lost is soon published again. */
const DEVNET_TTL_SLOTS = 300
/** A devnet's ADA is worth nothing. */
const DEVNET_BUDGET = 1_000_000_000_000n
const LOVELACE_PER_ADA = 1_000_000

const NAMES: Record<number, string> = {
  [MAINNET_MAGIC]: 'mainnet',
  1: 'preprod',
  2: 'preview',
  [DEVNET_MAGIC]: DEVNET_LABEL
}

/** A chain as people read it. */
export interface ChainDescription {
  label: string
  emulated: boolean
}

/** Names the chain of a network. */
export function describeChain({ cardanoMagic }: Genesis): ChainDescription {
  return { label: NAMES[cardanoMagic] ?? `Cardano network ${cardanoMagic}`, emulated: cardanoMagic === DEVNET_MAGIC }
}

/** What the service talks to. */
export interface ChainServiceComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  database: AppDatabase
}

/** What the service is told. */
export interface ChainServiceInit {
  config: NodeConfig
  /** The chain's API: the configured one, or that of the embedded devnet. */
  chainUrl: string
  network: NetworkId
  genesis: Genesis
  onChange(change: ChainChange): Promise<void>
}

/** The node's side of the chain. Works, degraded, while the chain cannot be reached. */
export class ChainService {
  readonly publisher: Publisher
  readonly follower: Follower
  /** Most lovelace that this node spends on fees in any hour. */
  readonly hourlyBudget: bigint
  readonly #isEmulated: boolean

  private constructor(
    { publisher, follower, hourlyBudget }: Pick<ChainService, 'publisher' | 'follower' | 'hourlyBudget'>,
    { emulated }: ChainDescription
  ) {
    this.publisher = publisher
    this.follower = follower
    this.hourlyBudget = hourlyBudget
    this.#isEmulated = emulated
  }

  /**
   * Makes the parts.
   * @throws ConfigError if the wallet's key file cannot be used.
   */
  static async create(components: ChainServiceComponents, init: ChainServiceInit): Promise<ChainService> {
    const { crypto, clock, database } = components
    const { config, network, genesis } = init
    const logger = chainLogger(components.logger.forComponent('volo:chain'))
    const description = describeChain(genesis)
    const { emulated } = description
    const source = sourceOf(init.chainUrl, config.chainProjectId, emulated)
    const wallet = await openWallet(config, genesis)
    const label = genesis.metadataLabel
    const pace = emulated ? { batchWaitMs: DEVNET_PACE_MS, checkMs: DEVNET_PACE_MS, ttlSlots: DEVNET_TTL_SLOTS } : {}
    const hourlyBudget = budgetOf(config, emulated)
    const publisher = new Publisher(
      { source, wallet, store: database.storeFor('publisher'), crypto, clock, logger },
      { network, label, ...pace, hourlyBudget }
    )
    const secondSource = config.secondChainUrl && sourceOf(config.secondChainUrl, config.secondChainProjectId, emulated)
    const follower = new Follower(
      { source, ...(secondSource && { secondSource }), store: database.storeFor('follower'), clock, logger },
      {
        label,
        magic: genesis.cardanoMagic,
        ...(emulated && { pollMs: DEVNET_LOOK_MS }),
        ...(genesis.placement && { finalConfirmations: genesis.placement.finalBlocks }),
        onChange: change => init.onChange(change),
        onProgress: progress => components.logger.info('catching up with the chain', { ...progress })
      }
    )
    return new ChainService({ publisher, follower, hourlyBudget }, description)
  }

  /** Rebuilds the directory from what was followed before, then goes on following and publishing. */
  async start(keyDirectory: KeyDirectory, restore: DirectoryRestore): Promise<void> {
    const finals = (): AsyncIterable<FinalTransaction> => this.follower.finals()
    await restore.restore(finals, keyDirectory)
    await this.publisher.start()
    await this.follower.start()
    const seen = this.follower.snapshot()
    if (seen) await keyDirectory.applyChange({ ...seen, final: [], rolledBack: [] })
    restore.verifyInBackground(finals)
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    await this.follower.stop()
    await this.publisher.stop()
  }

  /** Why the directory cannot be relied on. */
  reasons(): ReadinessReason[] {
    return chainReasons(this.follower.health())
  }

  /** What an operator should look at. */
  warnings(): ReadinessReason[] {
    const { reasons, lowBalance } = this.publisher.health()
    // A devnet's faucet fills the wallet by itself.
    const isFunding = lowBalance && this.#isEmulated
    const publishing = isFunding ? [] : reasons.map(message => ({ code: 'publishing', message }))
    return [...publishing, ...chainWarnings(this.follower.health())]
  }
}

function sourceOf(url: string, projectId: string | undefined, devnet: boolean): ChainSource {
  return createChainSource({ url, devnet, ...(projectId !== undefined && { projectId }) })
}

function budgetOf(config: NodeConfig, emulated: boolean): bigint {
  if (emulated && config.sources.hourlyBudgetAda === 'default') return DEVNET_BUDGET
  return BigInt(Math.round(config.hourlyBudgetAda * LOVELACE_PER_ADA))
}

async function openWallet(config: NodeConfig, genesis: Genesis): Promise<Wallet> {
  try {
    return await Wallet.open(config.walletKeyFile ?? join(config.dataDir, 'wallet.key'), genesis.cardanoMagic)
  } catch (cause) {
    if (cause instanceof ChainError) throw new ConfigError(`${cause.message}.`, { cause })
    throw cause
  }
}

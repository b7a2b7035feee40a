import { utf8 } from '../../protocol/bytes.ts'
import type { Follower } from '../../chain/follow/follower.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import type { AppDatabase } from '../app-database.ts'
import type { NodeConfig } from '../config/config.ts'
import type { Logger, RelayPort } from '../ports.ts'
import { ChainService } from './chain-service.ts'
import { DirectoryRestore } from './directory-restore.ts'
import { KeyDirectory, type FinalWatcher } from './key-directory.ts'
import { KeyDistributionService } from './key-distribution-service.ts'
import type { KeyStore } from './key-store.ts'
import { RecordOutbox } from './record-outbox.ts'
import { VerifiedLog } from './verified-log.ts'

/** What the services of the key directory talk to. */
export interface DirectoryServicesComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  database: AppDatabase
  keyStore: KeyStore
  relay: Pick<RelayPort, 'broadcastRecords' | 'putBundle' | 'getBundles'>
  /** Called if the directory turns out to be wrong: the process must end. */
  onFatal: (error: Error) => void
}

/** Which chain and network they serve. */
export interface DirectoryServicesInit {
  config: NodeConfig
  chainUrl: string
  network: NetworkId
  genesis: Genesis
  /** Secret of the node: what it has verified is signed with a key derived from it. */
  nodeSeed: Uint8Array
  /** Of the program. */
  version: string
  finalWatcher: FinalWatcher | undefined
  /** Called once the directory holds everything that has become final. */
  onFinal(follower: Follower): Promise<void>
}

/** The key directory and the services around it. */
export interface DirectoryServices {
  keyDirectory: KeyDirectory
  chain: ChainService
  restore: DirectoryRestore
  recordOutbox: RecordOutbox
  keyDistribution: KeyDistributionService
}

/** Makes the services; nothing runs yet. @throws ConfigError if the wallet's key file cannot be used. */
export async function createDirectoryServices(
  components: DirectoryServicesComponents,
  { config, chainUrl, network, genesis, nodeSeed, version, finalWatcher, onFinal }: DirectoryServicesInit
): Promise<DirectoryServices> {
  const { crypto, database } = components
  const key = crypto.hmacSha256(nodeSeed, utf8('volo/1/verified-log'))
  const log = new VerifiedLog({ crypto, store: database.storeFor('verified-log'), key }, { network, version })
  const restore = new DirectoryRestore({ ...components, log }, { network, genesis })
  const keyDirectory = new KeyDirectory({ ...components, crypto: restore.crypto }, { network, genesis, finalWatcher })
  const chain = await ChainService.create(components, {
    config,
    chainUrl,
    network,
    genesis,
    onChange: async change => {
      await keyDistribution.onChainChange(change)
      if (change.finalThrough !== undefined) await onFinal(chain.follower)
    }
  })
  const { publisher, follower } = chain
  const recordOutbox = new RecordOutbox({ ...components, keyDirectory, publisher }, { network })
  const transactions = { transactionBytes: follower.bytesOf.bind(follower) }
  const keyDistribution = new KeyDistributionService(
    { ...components, keyDirectory, recordOutbox, transactions },
    { network }
  )
  return { keyDirectory, chain, restore, recordOutbox, keyDistribution }
}

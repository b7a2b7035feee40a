/**
 * A whole node: the only place that builds its parts and hands them to each other. Longer than most files, because the
 * order in which things start and stop is its subject.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../protocol/bytes.ts'
import { createNodeCrypto } from '../protocol/crypto/backends/node-crypto.ts'
import type { Crypto, Random, SigningKey } from '../protocol/crypto/crypto.ts'
import { signInNonce } from '../protocol/identity/sign-in-binding.ts'
import { networkIdOf, type NetworkId } from '../protocol/network.ts'
import type { Epoch, ListedNode, NodeKey, OperatorId } from '../protocol/wire/placement.ts'
import { AdminServer } from './operator/admin-server.ts'
import { AppDatabase } from './app-database.ts'
import { ChainEpochs, type EpochUser } from './network/chain-epochs.ts'
import { ChainService, DEVNET_PACE_MS, describeChain } from './key-directory/chain-service.ts'
import { ConfigError, type NodeConfig } from './config/config.ts'
import { DirectoryView } from './key-directory/directory-view.ts'
import { EmbeddedDevnet } from './devnet/embedded-devnet.ts'
import { allowAnyOrigin } from './http/cors.ts'
import { directoryRoutes } from './http/directory-routes.ts'
import { healthRoutes, type Readiness } from './http/health-routes.ts'
import { networkRoutes } from './http/network-routes.ts'
import { registrationRoutes } from './http/registration-routes.ts'
import { providerRoutes, signInCodeRoutes, signInRoutes } from './http/sign-in-routes.ts'
import { LOOPBACK_HOST } from './http/security-headers.ts'
import { staticApp } from './http/static-app.ts'
import { HttpServer } from './http/http-server.ts'
import { KeyDistributionService } from './key-directory/key-distribution-service.ts'
import { openKeyFile } from './config/key-file.ts'
import { KeyStore } from './key-directory/key-store.ts'
import { Metrics } from './operator/metrics.ts'
import { createNetwork, networkFileText, readNetworkFile, type NetworkDefinition } from './config/network-file.ts'
import { NodeNetwork } from './message-relay.ts'
import { readProviders } from './accounts/sign-in/provider-config.ts'
import { SignInProvider } from './accounts/sign-in/sign-in-provider.ts'
import { SignInService } from './accounts/sign-in/sign-in-service.ts'
import { OperatorDesk } from './operator/operator-desk.ts'
import { OwnRecords } from './key-directory/record-outbox.ts'
import { PortReservation } from './config/port-reservation.ts'
import type { Logger, NodeNetworkInit } from './ports.ts'
import { RegistrationService } from './accounts/registration-service.ts'

const MIB = 1024 * 1024
/** How long a start waits to be ready before it says that it runs, degraded. */
const READY_WAIT_MS = 5_000
const READY_LOOK_MS = 20
const HOUSEKEEPING_MS = 60 * 60 * 1000
/** Limits for real networks and for devnets, where everybody has one address and records cost nothing. */
const REGISTRATIONS_PER_ADDRESS = 30
const DEVNET_REGISTRATIONS_PER_ADDRESS = 10_000

/** What a node is told by its process. */
export interface VoloNodeInit {
  config: NodeConfig
  version: string
  logger: Logger
}

const clock = (): number => Date.now()
const random: Random = length => Uint8Array.from(randomBytes(length))

/** A node that runs. */
export class VoloNode {
  /** Origin for people on this machine. */
  readonly url: string
  /** Settles with the error if the node cannot go on. */
  readonly failed: Promise<Error>
  readonly #stack: AsyncDisposableStack
  readonly #readiness: () => Readiness
  #isStopping = false

  private constructor(url: string, failed: Promise<Error>, stack: AsyncDisposableStack, readiness: () => Readiness) {
    this.url = url
    this.failed = failed
    this.#stack = stack
    this.#readiness = readiness
  }

  /**
   * Starts all parts, in the order in which they need each other. Comes back once people can chat, or after a few
   * seconds if something outside keeps the node from being ready.
   *
   * @throws ConfigError with one sentence for what an operator can mend; whatever had started is stopped.
   */
  static async start(init: VoloNodeInit): Promise<VoloNode> {
    const stack = new AsyncDisposableStack()
    try {
      const node = await build(init, stack, (...parts) => new VoloNode(...parts))
      for (const end = clock() + READY_WAIT_MS; clock() < end && node.readiness().reasons.length > 0;) {
        await sleep(READY_LOOK_MS)
      }
      return node
    } catch (error) {
      await stack.disposeAsync()
      throw error
    }
  }

  /** What `/readyz` tells. */
  readiness(): Readiness {
    if (!this.#isStopping) return this.#readiness()
    return { reasons: [{ code: 'stopping', message: 'This node is shutting down.' }], warnings: [] }
  }

  /** Stops all parts in reverse order; what is in hand is finished or on disk. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#stack.disposeAsync()
  }
}

type Create = (url: string, failed: Promise<Error>, stack: AsyncDisposableStack, readiness: () => Readiness) => VoloNode

async function build(init: VoloNodeInit, stack: AsyncDisposableStack, create: Create): Promise<VoloNode> {
  const { config, version, logger } = init
  const crypto = createNodeCrypto()
  const failure = Promise.withResolvers<Error>()

  // Stores first: they tell whether the data folder is ours.
  const database = new AppDatabase(join(config.dataDir, 'app'))
  await database.open()
  stack.defer(() => database.close())
  // Started now, so that its rules load while this thread loads everything else.
  const devnet = config.chainUrl === undefined ? startDevnet(config, logger, stack) : undefined
  const keyStore = new KeyStore(join(config.dataDir, 'keys'))
  await keyStore.open()
  stack.defer(() => keyStore.close())

  const port = await reservePublicPort(config)
  stack.defer(() => port.release())
  const url = localUrl(config.host, port.port)
  const publicUrl = config.publicUrl ?? url

  const nodeSeed = openKeyFile(nodeKeyFile(config))
  const nodeKey = await crypto.signingKeyFromSeed(nodeSeed)
  const definition = loadNetwork(crypto, config, nodeKey, publicUrl)
  const { genesis } = definition
  const network = networkIdOf(crypto, genesis)
  const chainEpochs = await openEpochs(definition, network, database, logger)
  const epochs = chainEpochs?.inForce ?? definition.epochs
  const listed = epochs.at(-1)!.nodes.find(node => toHex(node.key) === toHex(nodeKey.publicKey))
  const chainDescription = describeChain(genesis)

  const http: HttpServer = new HttpServer(
    { logger },
    {
      version,
      trustProxy: config.trustProxy,
      requestsPerMinute: config.httpRequestsPerMinute,
      overTls: publicUrl.startsWith('https:'),
      epoch: () => nodeNetwork.currentEpoch(),
      loopbackOnly: config.publicUrl === undefined && LOOPBACK_HOST.test(new URL(url).hostname) && !isOpen(config.host)
    }
  )
  const nodeNetwork: NodeNetwork = new NodeNetwork(
    {
      crypto,
      network,
      genesis,
      nodeSeed,
      logger,
      clock,
      random,
      httpServer: http.server,
      onFatal: error => failure.resolve(error)
    },
    networkInit(config, epochs, listed)
  )

  const view = new DirectoryView({ crypto, clock }, { network, genesis, finalWatcher: chainEpochs })
  const chain = await ChainService.create(
    { crypto, clock, logger, database },
    {
      config,
      chainUrl: config.chainUrl ?? (await devnet!).url,
      network,
      genesis,
      onChange: async change => {
        await keyDistribution.onChainChange(change)
        if (change.finalThrough !== undefined) await chainEpochs?.settle(epochUser)
      }
    }
  )
  stack.defer(() => chain.stop())
  const { publisher, follower } = chain
  const epochUser: EpochUser = {
    blockAt: height => follower.blockAt(height),
    setEpochs: inForce => nodeNetwork.setEpochs(inForce)
  }
  const ownRecords = new OwnRecords(
    { crypto, clock, logger, view, database, publisher, network: nodeNetwork },
    { network }
  )
  const transactions = { transactionBytes: follower.bytesOf.bind(follower) }
  const keyDistribution = new KeyDistributionService(
    { crypto, clock, logger, view, keyStore, ownRecords, network: nodeNetwork, transactions },
    { network }
  )
  nodeNetwork.serve(keyDistribution)

  const demo = await openDemoProvider(config, publicUrl)
  const signIn = createSignIn(init, crypto, network, demo && { ...demo, localUrl: loopbackUrl(config.host, port.port) })
  const registration = new RegistrationService(
    { crypto, clock, random, logger, nodeKey, signIn, database, view, ownRecords, network: nodeNetwork },
    {
      network,
      perAddressPerHour:
        config.registrationsPerAddressPerHour ??
        (chainDescription.emulated ? DEVNET_REGISTRATIONS_PER_ADDRESS : REGISTRATIONS_PER_ADDRESS),
      perIdentityPerDay: config.registrationsPerIdentityPerDay
    }
  )

  let isStarted = false
  const readiness = (): Readiness => ({
    reasons: isStarted
      ? [...nodeNetwork.readiness(), ...chain.reasons()]
      : [{ code: 'starting', message: 'This node is starting.' }],
    warnings: [...chain.warnings(), ...(chainEpochs?.warnings() ?? [])]
  })
  const node = create(url, failure.promise, stack, readiness)

  await http.prepare()
  await http.addOpen(app => healthRoutes(app, version, () => node.readiness()))
  await http.addOpen(app => staticApp(app, webFolder(config)))
  await http.addLimited(app => {
    allowAnyOrigin(app)
    networkRoutes(app, {
      networkId: network,
      genesis,
      epoch: () => nodeNetwork.currentEpoch(),
      listProof: epoch => keyDistribution.nodeListProof(epoch, chainEpochs?.heightOf(epoch) ?? 0),
      nodeKey: nodeKey.publicKey,
      chain: chainDescription,
      version
    })
    directoryRoutes(app, keyDistribution)
    providerRoutes(app, signIn)
    app.get('/v1/openapi.json', { schema: { hide: true } }, async () => http.openApi())
  })
  await http.addLimited(async app => {
    signInRoutes(app, signIn, { publicUrl: config.publicUrl })
    signInCodeRoutes(app, signIn)
    registrationRoutes(app, registration)
    if (demo) demo.addRoutes(app)
  })

  stack.defer(() => http.stop())
  await nodeNetwork.start().catch((cause: Error) => throwLinkProblem(cause, config, listed))
  stack.defer(() => nodeNetwork.stop())
  await port.release()
  await http.listen(config.host, port.port)
  await chain.start(view)
  await ownRecords.start()
  stack.defer(() => ownRecords.stop())

  const desk = new OperatorDesk({ network, view, ownRecords, epoch: () => nodeNetwork.currentEpoch() })
  const metrics = new Metrics()
  metrics.addSource(() => nodeNetwork.metrics())
  metrics.addSource(() => serviceMetrics(view, registration, ownRecords, chain))
  metrics.addSource(() => chainEpochs?.metrics() ?? [])
  const admin = new AdminServer({
    logger,
    metrics,
    desk,
    status: () => ({
      version,
      url: publicUrl,
      node: nodeKey.publicKey,
      network,
      readiness: node.readiness(),
      peers: nodeNetwork.status(),
      chain: { ...chainDescription, follower: follower.health(), publisher: publisher.health() },
      directory: { accounts: view.current.accountCount, pendingRecords: view.pool.size }
    })
  })
  const adminPort = await listenAdmin(admin, config)
  stack.defer(() => admin.stop())
  writeFileSync(
    join(config.dataDir, 'listening.json'),
    `${JSON.stringify({ pid: process.pid, url, adminUrl: `http://127.0.0.1:${adminPort}` })}\n`
  )

  const housekeeping = setInterval(() => {
    database.forgetIdentities(clock()).catch((error: unknown) => logger.error('housekeeping failed', { error }))
  }, HOUSEKEEPING_MS)
  stack.defer(() => clearInterval(housekeeping))
  isStarted = true
  return node
}

function startDevnet(config: NodeConfig, logger: Logger, stack: AsyncDisposableStack): Promise<EmbeddedDevnet> {
  const starting = EmbeddedDevnet.start(
    { logger },
    { dataDir: join(config.dataDir, 'devnet'), blockMs: DEVNET_PACE_MS }
  )
  stack.defer(async () => (await starting.catch(() => undefined))?.stop())
  // Whoever needs it will meet the failure; until then it is nobody's.
  starting.catch(() => undefined)
  return starting
}

function nodeKeyFile(config: NodeConfig): string {
  return config.nodeKeyFile ?? join(config.dataDir, 'node.key')
}

function reservePublicPort(config: NodeConfig): Promise<PortReservation> {
  const isExplicit = config.sources.port !== 'default'
  return PortReservation.take({ host: config.host, port: config.port, isExplicit, setting: '--port or VOLO_PORT' })
}

/** How people on this machine reach a listener. */
function localUrl(host: string, port: number): string {
  const shown = isOpen(host) ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}

/** Whether a listener takes connections from everywhere, under whatever names this machine has. */
function isOpen(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** How this process reaches its own listener, whatever its public name is. */
const loopbackUrl = localUrl

/** The network of the configured file; without one a network of this node alone, made once and kept. */
function loadNetwork(crypto: Crypto, config: NodeConfig, nodeKey: SigningKey, publicUrl: string): NetworkDefinition {
  if (config.networkFile !== undefined) return readNetworkFile(config.networkFile)
  if (config.chainUrl !== undefined) {
    throw new ConfigError('VOLO_CHAIN_URL needs VOLO_NETWORK_FILE: the file says which network of that chain this is.')
  }
  const key = nodeKey.publicKey as NodeKey
  const self: ListedNode = { key, operator: key as Uint8Array as OperatorId, url: publicUrl, link: '' }
  const file = join(config.dataDir, 'network.json')
  if (!existsSync(file)) writeFileSync(file, networkFileText(createNetwork(crypto, [self])))
  const { genesis, epochs } = readNetworkFile(file)
  // Alone, this node is wherever it listens today.
  return { genesis, epochs: epochs.map(epoch => ({ ...epoch, nodes: [self] })) }
}

/** Lists of nodes from the chain, where genesis says so. */
async function openEpochs(
  { genesis, epochs }: NetworkDefinition,
  network: NetworkId,
  database: AppDatabase,
  logger: Logger
): Promise<ChainEpochs | undefined> {
  const { placement } = genesis
  if (placement === undefined) return undefined
  const components = { logger, store: database.storeFor('epochs') }
  return ChainEpochs.open(components, { network, genesis, placement, configured: epochs[0]! })
}

function networkInit(config: NodeConfig, epochs: Epoch[], listed: ListedNode | undefined): NodeNetworkInit {
  const isAlone = epochs.every(({ nodes }) => nodes.length === 1)
  const limits = {
    maxClients: config.maxClients,
    maxClientsPerAddress: config.maxClientsPerAddress,
    connectionsPerSecond: config.connectionsPerSecond,
    requestsPerSecond: config.requestsPerSecond,
    requestBurst: config.requestBurst,
    diskLowWaterBytes: config.diskLowWaterMib && config.diskLowWaterMib * MIB
  }
  return {
    dataDirectory: join(config.dataDir, 'messages'),
    listenTcp: config.linkListen ?? (isAlone ? undefined : listed?.link),
    epochs,
    trustForwardedFor: config.trustProxy,
    limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
  }
}

/** A link port that cannot be had is the operator's to mend; anything else is ours. */
function throwLinkProblem(cause: Error, config: NodeConfig, listed: ListedNode | undefined): never {
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(cause.message)?.[1]
  if (code === undefined) throw cause
  const address = config.linkListen ?? listed?.link
  throw new ConfigError(
    `Cannot listen for links on ${address} (${code}): choose another address with --link-listen, or stop what uses it.`,
    { cause }
  )
}

function webFolder(config: NodeConfig): string {
  if (config.webDir !== undefined) return config.webDir
  // This file is dist/node/volo-node.js, or node/volo-node.ts when it runs unbuilt.
  const candidates = [resolve(import.meta.dirname, '../web'), resolve(import.meta.dirname, '../dist/web')]
  return candidates.find(folder => existsSync(join(folder, 'assets'))) ?? candidates[0]!
}

interface Demo {
  provider: import('./accounts/demo-sign-in/demo-provider.ts').DemoProvider
  addRoutes(app: import('fastify').FastifyInstance): void
}

async function openDemoProvider(config: NodeConfig, origin: string): Promise<Demo | undefined> {
  if (!(config.demoSignIn ?? config.signInProvidersFile === undefined)) return undefined
  // Loaded here, because a node with real providers has no use for it.
  const [{ DemoProvider }, { demoRoutes }] = await Promise.all([
    import('./accounts/demo-sign-in/demo-provider.ts'),
    import('./http/demo-sign-in-routes.ts')
  ])
  const provider = await DemoProvider.create(origin)
  return { provider, addRoutes: app => demoRoutes(app, provider, { publicUrl: config.publicUrl }) }
}

function createSignIn(
  { config, logger }: VoloNodeInit,
  crypto: Crypto,
  network: NetworkId,
  demo: (Demo & { localUrl: string }) | undefined
): SignInService {
  const configured = config.signInProvidersFile ? readProviders(config.signInProvidersFile) : []
  const providers = configured.map(provider => new SignInProvider(provider))
  if (demo) {
    const { origin } = new URL(demo.provider.config.issuer)
    providers.push(
      new SignInProvider(demo.provider.config, {
        // The demo provider is this node: it is asked over loopback, wherever its public name leads.
        fetch: (url, options) => fetch(url.replace(origin, demo.localUrl), options as RequestInit)
      })
    )
  }
  return new SignInService(
    { providers, clock, random, logger },
    { nonceOf: (keys, salt) => signInNonce(crypto, network, keys, salt, random(32)) }
  )
}

async function listenAdmin(admin: AdminServer, config: NodeConfig): Promise<number> {
  try {
    return await admin.listen(config.adminPort)
  } catch (cause) {
    if (config.sources.adminPort === 'default') return admin.listen(0)
    const { code } = cause as NodeJS.ErrnoException
    throw new ConfigError(
      `The administration port ${config.adminPort} cannot be had (${code}): choose another with --admin-port.`,
      { cause }
    )
  }
}

function serviceMetrics(
  view: DirectoryView,
  registration: RegistrationService,
  ownRecords: OwnRecords,
  chain: ChainService
) {
  const publisher = chain.publisher.health()
  const gauge = (name: string, help: string, value: number) => ({ name, help, type: 'gauge' as const, value })
  return [
    gauge('volo_directory_accounts', 'Accounts in the key directory, pending ones included', view.current.accountCount),
    gauge('volo_directory_pending_records', 'Records that are not settled on the chain', view.pool.size),
    gauge('volo_own_waiting_records', 'Records of own devices that no block has', ownRecords.waiting),
    gauge('volo_chain_height', 'Height of the newest block seen', view.tip?.height ?? 0),
    gauge('volo_publisher_queued_records', 'Records that wait for a transaction', publisher.queuedRecords),
    gauge('volo_publisher_live_transactions', 'Transactions that are watched', publisher.liveTransactions),
    gauge('volo_publisher_spent_lovelace', 'Fees of records in the last hour', Number(publisher.spentLastHour)),
    gauge('volo_publisher_budget_lovelace', 'Most that an hour may cost', Number(chain.hourlyBudget)),
    gauge('volo_wallet_lovelace', 'Balance of the wallet that pays for records', Number(publisher.balance ?? 0n)),
    {
      name: 'volo_registrations_total',
      help: 'Accounts registered since the start',
      type: 'counter' as const,
      value: registration.registered
    }
  ]
}

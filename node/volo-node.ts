/**
 * A whole node: the only place that builds its parts and hands them to each other. `#build` reads as a table of contents:
 * the parts in the order in which they need each other, then the order in which they start. They stop in reverse.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../protocol/bytes.ts'
import { createNodeCrypto } from '../protocol/crypto/backends/node-crypto.ts'
import type { Random } from '../protocol/crypto/crypto.ts'
import { networkIdOf } from '../protocol/network.ts'
import { RegistrationService } from './accounts/registration-service.ts'
import { DeviceRegistrationService } from './linking/device-registration-service.ts'
import { Rendezvous } from './linking/rendezvous.ts'
import { WalletSignIn } from './accounts/wallet/wallet-sign-in.ts'
import { createSignIn } from './accounts/sign-in/create-sign-in.ts'
import { AppDatabase } from './app-database.ts'
import type { NodeConfig } from './config/config.ts'
import { openKeyFile } from './config/key-file.ts'
import { loadNetwork, nodeKeyFile } from './config/load-network.ts'
import { isOpen, localUrl } from './config/local-url.ts'
import { PortReservation } from './config/port-reservation.ts'
import { makePrivate, writePrivateFile } from './config/private-files.ts'
import { relayInit, throwLinkProblem } from './config/relay-init.ts'
import { requireNoHalfRestore } from './config/restore-mark.ts'
import { EmbeddedDevnet } from './devnet/embedded-devnet.ts'
import type { Readiness } from './http/health-routes.ts'
import { HttpServer } from './http/http-server.ts'
import { openDemoSignIn } from './http/open-demo-sign-in.ts'
import { addPublicApi } from './http/public-api.ts'
import { DeviceAuthorization } from './http/device-authorization.ts'
import { LOOPBACK_HOST } from './http/security-headers.ts'
import { DEVNET_PACE_MS, describeChain } from './key-directory/chain-service.ts'
import { ComplaintBook } from './complaints/complaint-book.ts'
import { createDirectoryServices } from './key-directory/directory-services.ts'
import { KeyStore } from './key-directory/key-store.ts'
import { NameProofs } from './key-directory/name-proofs.ts'
import { MessageRelay } from './message-relay.ts'
import { openEpochs } from './network/chain-epochs.ts'
import { AdminServer } from './operator/admin-server.ts'
import { backupParts } from './operator/backup/backup-parts.ts'
import { Metrics } from './operator/metrics.ts'
import { OperatorDesk } from './operator/operator-desk.ts'
import { LISTENING_FILE, type Listening } from './operator/running-node.ts'
import { serviceMetrics } from './operator/service-metrics.ts'
import { storeSizes } from './operator/store-sizes.ts'
import type { Logger } from './ports.ts'
import { InviteRecords } from './invites/invite-records.ts'
import { InviteService } from './invites/invite-service.ts'
import { createMailer } from './invites/mailer.ts'
import { BackupHeads } from './storage/backup-heads.ts'
import { ReportService } from './reports/report-service.ts'
import { AccountLinks } from './social/account-links.ts'
import { SiteChecker } from './social/site-checker.ts'
import { createObjectService } from './storage/create-object-service.ts'

/** How long a start waits to be ready before it says that it runs, degraded. */
const READY_WAIT_MS = 5_000
const READY_LOOK_MS = 20
const ADMIN_SECRET_BYTES = 32
const HOUSEKEEPING_MS = 60 * 60 * 1000
/** Limits for real networks and for devnets, where all devices have one address and records cost nothing. */
const REGISTRATIONS_PER_ADDRESS = 30
const DEVNET_REGISTRATIONS_PER_ADDRESS = 10_000

/** What the process hands to its node. */
export interface VoloNodeInit {
  config: NodeConfig
  version: string
  logger: Logger
}

/** Network magic of Cardano's mainnet; everything else is a testnet. */
const CARDANO_MAINNET = 764_824_073

const clock = (): number => Date.now()
const random: Random = length => Uint8Array.from(randomBytes(length))

/** A node that runs. */
export class VoloNode {
  readonly #stack = new AsyncDisposableStack()
  readonly #failure = Promise.withResolvers<Error>()
  readonly #drainAsked = Promise.withResolvers<void>()
  #url = ''
  #state: 'starting' | 'running' | 'stopping' = 'starting'
  #readiness: () => Readiness = () => ({ reasons: [], warnings: [] })

  private constructor() {}

  /**
   * Starts all parts, in the order in which they need each other. Resolves once people can chat, or after a few seconds if
   * something outside keeps the node from being ready.
   *
   * @throws ConfigError with one sentence for what an operator can mend; whatever had started is stopped.
   */
  static async start(init: VoloNodeInit): Promise<VoloNode> {
    const node = new VoloNode()
    try {
      await node.#build(init)
      for (const end = clock() + READY_WAIT_MS; clock() < end && node.readiness().reasons.length > 0;) {
        await sleep(READY_LOOK_MS)
      }
      return node
    } catch (error) {
      await node.#stack.disposeAsync()
      throw error
    }
  }

  /** Origin for people on this machine. */
  get url(): string {
    return this.#url
  }

  /** Settles with the error if the node cannot go on. */
  get failed(): Promise<Error> {
    return this.#failure.promise
  }

  /** Settles when the operator's `drain` command asks this node to end. */
  get drainAsked(): Promise<void> {
    return this.#drainAsked.promise
  }

  /** What `/readyz` answers. */
  readiness(): Readiness {
    switch (this.#state) {
      case 'starting':
        return { ...this.#readiness(), reasons: [{ code: 'starting', message: 'This node is starting.' }] }
      case 'running':
        return this.#readiness()
      case 'stopping':
        return { reasons: [{ code: 'stopping', message: 'This node is shutting down.' }], warnings: [] }
    }
  }

  /** Stops all parts in reverse order; what is in hand is finished or on disk. Safe to call twice. */
  async stop(): Promise<void> {
    this.#state = 'stopping'
    await this.#stack.disposeAsync()
  }

  async #build({ config, version, logger }: VoloNodeInit): Promise<void> {
    const stack = this.#stack
    const crypto = createNodeCrypto()
    const common = { crypto, clock, random, logger }

    makePrivate(config.dataDir, logger)
    requireNoHalfRestore(config.dataDir)
    // Stores first: if another process uses the data folder, the node ends here.
    const onFatal = (error: Error): void => this.#failure.resolve(error)
    const database = new AppDatabase(join(config.dataDir, 'app'), onFatal)
    await database.open()
    stack.defer(() => database.close())
    // Started now, so that its rules load while this thread loads everything else.
    const devnet = config.chainUrl === undefined ? this.#startDevnet(config, logger, onFatal) : undefined
    const keyStore = new KeyStore(join(config.dataDir, 'keys'), onFatal)
    await keyStore.open()
    stack.defer(() => keyStore.close())

    // Who this node is, and in which network.
    const port = await reservePublicPort(config)
    stack.defer(() => port.release())
    const url = (this.#url = localUrl(config.host, port.port))
    const publicUrl = config.publicUrl ?? url
    const nodeSeed = openKeyFile(nodeKeyFile(config))
    const nodeKey = await crypto.signingKeyFromSeed(nodeSeed)
    const definition = loadNetwork(crypto, config, nodeKey, publicUrl)
    const { genesis } = definition
    const network = networkIdOf(crypto, genesis)
    const chainDescription = describeChain(genesis)
    const chainEpochs = await openEpochs(
      { logger, store: database.storeFor('epochs') },
      { network, genesis, configured: definition.epochs[0]! }
    )
    const epochs = chainEpochs?.inForce ?? definition.epochs
    const listed = epochs.at(-1)!.nodes.find(node => toHex(node.key) === toHex(nodeKey.publicKey))

    // The public port and the message relay, which takes the WebSockets of that port.
    const http: HttpServer = new HttpServer(
      { logger },
      {
        version,
        trustProxy: config.trustProxy,
        requestsPerMinute: config.httpRequestsPerMinute,
        overTls: publicUrl.startsWith('https:'),
        epoch: () => relay.currentEpoch(),
        loopbackOnly:
          config.publicUrl === undefined && LOOPBACK_HOST.test(new URL(url).hostname) && !isOpen(config.host)
      }
    )
    const relay: MessageRelay = new MessageRelay(
      {
        ...common,
        network,
        genesis,
        nodeSeed,
        profileStore: database.storeFor('profiles'),
        httpServer: http.server,
        onFatal
      },
      relayInit(config, epochs, listed)
    )

    // The services: key directory, sign-in, registration.
    const { keyDirectory, chain, restore, recordOutbox, keyDistribution } = await createDirectoryServices(
      { ...common, database, keyStore, relay, onFatal },
      {
        config,
        chainUrl: config.chainUrl ?? (await devnet!).url,
        network,
        genesis,
        nodeSeed,
        version,
        finalWatcher: chainEpochs,
        onFinal: async follower =>
          chainEpochs?.settle({
            blockAt: height => follower.blockAt(height),
            setEpochs: inForce => relay.setEpochs(inForce)
          })
      }
    )
    stack.defer(() => chain.stop())
    stack.defer(() => restore.stop())
    relay.serve(keyDistribution)
    const demo = await openDemoSignIn(config, publicUrl)
    const signIn = createSignIn(common, {
      network,
      providersFile: config.signInProvidersFile,
      wallet: config.walletSignIn,
      demo: demo && { config: demo.provider.config, localUrl: url }
    })
    const isMainnet = genesis.cardanoMagic === CARDANO_MAINNET
    const wallet = config.walletSignIn ? new WalletSignIn({ ...common, signIn }, { network, isMainnet }) : undefined
    const registration = new RegistrationService(
      { ...common, nodeKey, signIn, database, keyDirectory, recordOutbox, relay },
      {
        network,
        perAddressPerHour: registrationsPerAddress(config, chainDescription.emulated),
        perIdentityPerDay: config.registrationsPerIdentityPerDay
      }
    )

    const devices = new DeviceRegistrationService({ ...common, keyDirectory, recordOutbox, relay }, { network })
    const rendezvous = new Rendezvous(common)

    const objects = await createObjectService({ ...common, database }, config)
    const mailer = createMailer({ logger }, config, publicUrl)
    const invites = new InviteService(
      { ...common, records: new InviteRecords(database.storeFor('invites')), directory: keyDistribution, mailer },
      { network, publicUrl }
    )
    const heads = new BackupHeads({ ...common, store: database.storeFor('backups') }, { network })
    const authorization = new DeviceAuthorization(
      { ...common, directory: keyDistribution },
      { network, nodeKey: nodeKey.publicKey }
    )

    const reports = new ReportService({ ...common, store: database.storeFor('reports') })

    // What people and operators see of all this.
    this.#readiness = () => ({
      reasons: [...relay.readiness(), ...chain.reasons()],
      warnings: [...relay.warnings(), ...chain.warnings(), ...(chainEpochs?.warnings() ?? [])]
    })
    await addPublicApi(
      {
        http,
        directory: keyDistribution,
        signIn,
        wallet,
        registration,
        records: recordOutbox,
        rendezvous,
        devices,
        objects,
        invites,
        sites: new SiteChecker(common),
        reports,
        links: new AccountLinks({ ...common, nodeKey, signIn }, { network }),
        nameProofs: new NameProofs({ ...common, directory: keyDistribution }, { network, genesis }),
        heads,
        authorization,
        complaints: new ComplaintBook({ ...common, store: database.storeFor('complaints') }, { network }),
        custody: relay,
        demo,
        readiness: () => this.readiness()
      },
      config,
      {
        networkId: network,
        genesis,
        epoch: () => relay.currentEpoch(),
        listProof: epoch => keyDistribution.nodeListProof(epoch, chainEpochs?.heightOf(epoch) ?? 0),
        nodeKey: nodeKey.publicKey,
        chain: chainDescription,
        version
      }
    )
    const metrics = new Metrics()
    metrics.addSource(() => relay.metrics())
    metrics.addSource(() => serviceMetrics({ keyDirectory, registration, recordOutbox, chain }))
    metrics.addSource(() => chainEpochs?.metrics() ?? [])
    const startedAt = clock()
    const secret = toHex(random(ADMIN_SECRET_BYTES))
    const admin = new AdminServer({
      logger,
      metrics,
      secret,
      backup: () =>
        backupParts({
          app: () => database.snapshot(),
          keys: () => keyStore.snapshot(),
          messages: () => relay.snapshot(),
          devnet: () => devnet?.then(running => running.snapshot())
        }),
      drain: () => this.#drainAsked.resolve(),
      desk: new OperatorDesk({ network, keyDirectory, recordOutbox, epoch: () => relay.currentEpoch() }),
      peers: () => relay.peers(),
      reports: () => reports.list(),
      shards: () => relay.shards(),
      status: async () => ({
        version,
        startedAt,
        clock: clock(),
        store: await storeSizes(config.dataDir),
        url: publicUrl,
        node: nodeKey.publicKey,
        network,
        readiness: this.readiness(),
        peers: relay.status(),
        chain: { ...chainDescription, follower: chain.follower.health(), publisher: chain.publisher.health() },
        directory: { accounts: keyDirectory.current.accountCount, pendingRecords: keyDirectory.pool.size }
      })
    })

    // Everything is built: start.
    stack.defer(() => http.stop())
    // First: who waits at a box holds a request open.
    stack.defer(() => rendezvous.stop())
    await relay.start().catch((cause: Error) => throwLinkProblem(cause, config, listed))
    stack.defer(() => relay.stop())
    await port.release()
    await http.listen(config.host, port.port)
    await chain.start(keyDirectory, restore)
    await recordOutbox.start()
    stack.defer(() => recordOutbox.stop())
    const adminPort = await admin.listen(config)
    stack.defer(() => admin.stop())
    writeListening(config, { url, adminUrl: `http://127.0.0.1:${adminPort}`, secret })
    this.#keepHouse(logger, [
      () => database.forgetIdentities(clock()),
      () => objects.sweep(),
      () => invites.sweep(),
      () => keyStore.sweep(id => keyDirectory.current.account(id) !== undefined),
      () => reports.sweep()
    ])
    this.#state = 'running'
  }

  #startDevnet(config: NodeConfig, logger: Logger, onFatal: (error: Error) => void): Promise<EmbeddedDevnet> {
    const init = { dataDir: join(config.dataDir, 'devnet'), blockMs: DEVNET_PACE_MS }
    const starting = EmbeddedDevnet.start({ logger, onFatal }, init)
    this.#stack.defer(async () => (await starting.catch(() => undefined))?.stop())
    // The failure surfaces where the promise is awaited; do not report it twice.
    starting.catch(() => undefined)
    return starting
  }

  #keepHouse(logger: Logger, chores: (() => Promise<unknown>)[]): void {
    const timer = setInterval(() => {
      for (const chore of chores) chore().catch((error: unknown) => logger.error('housekeeping failed', { error }))
    }, HOUSEKEEPING_MS)
    this.#stack.defer(() => clearInterval(timer))
  }
}

function reservePublicPort({ host, port, sources }: NodeConfig): Promise<PortReservation> {
  const isExplicit = sources.port !== 'default'
  return PortReservation.reserve({ host, port, isExplicit, setting: '--port or VOLO_PORT' })
}

function registrationsPerAddress(config: NodeConfig, isEmulated: boolean): number {
  const byDefault = isEmulated ? DEVNET_REGISTRATIONS_PER_ADDRESS : REGISTRATIONS_PER_ADDRESS
  return config.registrationsPerAddressPerHour ?? byDefault
}

/** Tells the operator's own commands where this process listens, and what proves that they are the operator's. */
function writeListening(config: NodeConfig, listening: Omit<Listening, 'pid'>): void {
  writePrivateFile(join(config.dataDir, LISTENING_FILE), `${JSON.stringify({ pid: process.pid, ...listening })}\n`)
}

/**
 * The network half of a node: everything from a client's stream to the fsynced store, and between nodes. It builds its
 * parts and hands them to each other; the order in which they start and stop is its subject.
 */
import type { Libp2p } from '@libp2p/interface'
import type { SigningKey } from '../protocol/crypto/crypto.ts'
import { decode, encode } from '../protocol/codec.ts'
import type { AccountId, DeviceId } from '../protocol/identity/device.ts'
import { evictionCodec, signEviction } from '../protocol/wire/custody.ts'
import type { DeliveryId } from '../protocol/wire/envelope.ts'
import type { Epoch, NodeKey } from '../protocol/wire/placement.ts'
import { AccountReplication } from './replication/account-replication.ts'
import { ChatService } from './messages/chat-service.ts'
import { ClientServer } from './clients/client-server.ts'
import { ConnectionManager, DEFAULT_NETWORK_LIMITS } from './clients/connection-manager.ts'
import { CustodyOrigin } from './messages/custody-origin.ts'
import { PRODUCTION_CUSTODY, type CustodyPolicy } from './messages/custody-policy.ts'
import { CustodyReplica } from './messages/custody-replica.ts'
import { DeliveryService } from './messages/message-delivery-service.ts'
import { DiskGuard } from './pending-messages/disk-guard.ts'
import { NodeError } from './errors.ts'
import { BanList, Gossip, gossipOptions } from './network/gossip.ts'
import { HandoverService } from './replication/handover.ts'
import { HeartbeatService } from './network/heartbeat.ts'
import { createClientHost, createNodeHost, libp2pKeyOf, type NodeHost } from './network/libp2p-host.ts'
import { MessageQueue } from './messages/message-queue.ts'
import { networkMetrics } from './operator/relay-metrics.ts'
import { NetworkView } from './network/network-view.ts'
import { listedKeyOf, NodeLinks } from './network/node-links.ts'
import { DEFAULT_MAILBOX_LIMITS, type MailboxLimits } from './pending-messages/mailbox-room.ts'
import { PendingMessageStore } from './pending-messages/pending-message-store.ts'
import type {
  DirectoryPort,
  Logger,
  MetricSample,
  NetworkPort,
  NetworkStatus,
  NodeNetworkComponents,
  NodeNetworkInit,
  ReadinessReason
} from './ports.ts'
import { RepairService } from './replication/repair.ts'
import { ReplicaReader } from './messages/replica-reader.ts'
import { replicaHandlers } from './replication/replica-server.ts'
import { StoreKeeper } from './pending-messages/store-keeper.ts'
import { TokenBuckets } from './limits/token-bucket.ts'
import { WebSocketServer } from './clients/websocket-server.ts'

/** Pending records that one listed node may pass on, a second and at once. */
const RECORDS_PER_SECOND = 200
const RECORDS_BURST = 2_000

/** Settings that only tests change. */
export interface NodeNetworkTestInit {
  custody?: CustodyPolicy
  mailboxLimits?: Partial<MailboxLimits>
  ballastBytes?: number
}

/** Everything that runs between start and stop. */
export interface Running {
  key: SigningKey
  view: NetworkView
  store: PendingMessageStore
  disk: DiskGuard
  keeper: StoreKeeper
  nodeHost: NodeHost
  clientHost: Libp2p
  links: NodeLinks
  gossip: Gossip
  bans: BanList
  heartbeat: HeartbeatService
  replica: CustodyReplica
  origin: CustodyOrigin
  queue: MessageQueue
  chat: ChatService
  reader: ReplicaReader
  delivery: DeliveryService
  repair: RepairService
  handover: HandoverService
  accounts: AccountReplication
  connections: ConnectionManager
  clients: ClientServer
}

const now = (): number => performance.now()

export class NodeNetwork implements NetworkPort {
  readonly #components: NodeNetworkComponents
  readonly #init: NodeNetworkInit & NodeNetworkTestInit
  readonly #log: Logger
  #epochs: Epoch[]
  #directory: DirectoryPort | undefined
  #running: Running | undefined
  #stopping: Promise<void> | undefined

  constructor(components: NodeNetworkComponents, init: NodeNetworkInit & NodeNetworkTestInit) {
    this.#components = components
    this.#init = init
    this.#epochs = init.epochs
    this.#log = components.logger.forComponent('volo:network')
  }

  /** Sets who answers for the directory; before {@link start}. */
  serve(directory: DirectoryPort): void {
    this.#directory = directory
  }

  /**
   * Opens the store, listens and dials.
   * @throws what the database or the listener said; whatever had started is stopped.
   */
  async start(): Promise<void> {
    if (this.#directory === undefined) throw new Error('serve() comes before start()')
    const parts = await this.#build(this.#directory)
    this.#running = parts
    try {
      await this.#startParts(parts)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Ends client streams and links, lets what is in hand reach the disk, closes the store. Safe to call twice. */
  async stop(): Promise<void> {
    const parts = this.#running
    if (parts === undefined) return
    this.#stopping ??= this.#stopParts(parts).finally(() => {
      this.#running = undefined
      this.#stopping = undefined
    })
    await this.#stopping
  }

  /** Puts other lists of nodes in force, oldest first; see NodeNetworkInit. */
  setEpochs(epochs: Epoch[]): void {
    this.#running?.view.setEpochs(epochs)
    this.#epochs = epochs
  }

  currentEpoch(): Epoch {
    return this.#epochs.at(-1)!
  }

  /** Multiaddrs on which other nodes reach this one, with the port that was taken. */
  linkAddresses(): string[] {
    return this.#running?.nodeHost.getMultiaddrs().map(address => address.toString()) ?? []
  }

  status(): NetworkStatus {
    const parts = this.#running
    return {
      epoch: this.currentEpoch().number,
      nodeKey: (parts?.key.publicKey ?? new Uint8Array(32)) as NodeKey,
      peers: (parts?.view.others ?? []).map(node => ({
        node,
        connected: parts!.links.isUp(node.key),
        lastHeartbeat: parts!.heartbeat.lastSeen(node.key)
      })),
      clients: parts?.connections.devices ?? 0,
      connections: parts?.connections.connections ?? 0,
      storeOk: parts?.store.isUsable ?? false,
      pendingCount: parts?.store.heldCount ?? 0
    }
  }

  readiness(): ReadinessReason[] {
    const parts = this.#running
    if (parts === undefined) return [{ code: 'not-started', message: 'This node has not started its network yet.' }]
    const reasons: ReadinessReason[] = []
    if (!parts.store.isUsable)
      reasons.push({ code: 'store-failed', message: 'The message store failed; restart this node.' })
    if (!parts.disk.hasRoom) reasons.push({ code: 'disk-low', message: 'The disk is nearly full; free some space.' })
    if (parts.view.listed(parts.view.nodeKey) === undefined) {
      reasons.push({ code: 'not-listed', message: 'This node is not in the list of its network.' })
    }
    return [...reasons, ...this.#tooFewNodes(parts)]
  }

  metrics(): MetricSample[] {
    return this.#running === undefined ? [] : networkMetrics(this.#running)
  }

  async broadcastRecords(records: Uint8Array[]): Promise<void> {
    await this.#parts.accounts.broadcastRecords(records)
  }

  putBundle(accountId: AccountId, bundle: Uint8Array): Promise<void> {
    return this.#parts.accounts.putBundle(accountId, bundle)
  }

  getBundles(accountId: AccountId): Promise<Uint8Array[]> {
    return this.#parts.accounts.getBundles(accountId)
  }

  /** The parts, for tests that look inside; undefined while stopped. */
  get parts(): Running | undefined {
    return this.#running
  }

  get #parts(): Running {
    if (this.#running === undefined) throw new NodeError('busy', 'the network has not started')
    return this.#running
  }

  /** Sending works while enough operators are reachable to sign for every shard's messages. */
  #tooFewNodes(parts: Running): ReadinessReason[] {
    const { view, links } = parts
    const short = Array.from({ length: view.shardCount }, (_, shard) => view.replicas(view.current, shard)).find(
      replicas => {
        const reachable = replicas.filter(node => view.isSelf(node.key) || links.isUp(node.key))
        return reachable.length < this.#custody.receiptsRequired(replicas)
      }
    )
    if (short === undefined) return []
    const up = links.upCount + 1
    const message = `Only ${up} of ${view.current.nodes.length} nodes are reachable: some messages wait until more are.`
    return [{ code: 'too-few-nodes', message }]
  }

  get #custody(): CustodyPolicy {
    return this.#init.custody ?? PRODUCTION_CUSTODY
  }

  async #build(directory: DirectoryPort): Promise<Running> {
    const { crypto, network, genesis, nodeSeed, clock, random, logger, httpServer } = this.#components
    const key = await crypto.signingKeyFromSeed(nodeSeed)
    const nodeKey = key.publicKey as NodeKey
    const privateKey = libp2pKeyOf(nodeSeed, key.publicKey)
    const policy = this.#custody
    const limits = { ...DEFAULT_NETWORK_LIMITS, ...this.#init.limits }
    const common = { crypto, network, key, clock, logger, random, now, policy }

    const view = new NetworkView({ crypto, network, genesis, nodeKey }, this.#epochs)
    const store: PendingMessageStore = new PendingMessageStore(
      { crypto, network, clock, logger, shardOf: mailbox => view.shardOf(mailbox), events: this.#storeEvents(key) },
      { directory: this.#init.dataDirectory, limits: this.#mailboxLimits(view), syncWrites: policy.syncWrites }
    )
    const { ballastBytes } = this.#init
    const disk = new DiskGuard(logger, {
      directory: this.#init.dataDirectory,
      lowWaterBytes: limits.diskLowWaterBytes,
      ...(ballastBytes === undefined ? {} : { ballastBytes })
    })
    const keeper = new StoreKeeper({ store, disk, logger })

    const bans = new BanList(now)
    const nodeHost = await createNodeHost({
      privateKey,
      listen: this.#init.listenTcp,
      isListed: peer => listedKeyOf(view, peer) !== undefined && !bans.isBanned(peer),
      gossip: gossipOptions(genesis.shardCount)
    })
    const links = new NodeLinks({ ...common, host: nodeHost, view })
    const gossip = new Gossip(nodeHost, bans, { view, logger, now })
    const heartbeat = new HeartbeatService({ ...common, view, gossip, links })

    const onStored: DeliveryService['onStored'] = (...stored) => delivery.onStored(...stored)
    const onArriving: DeliveryService['onArriving'] = (...arriving) => delivery.onArriving(...arriving)
    const onWriting: DeliveryService['onWriting'] = (...writing) => delivery.onWriting(...writing)
    const hasRoom = (): boolean => disk.hasRoom
    const reader = new ReplicaReader({ ...common, store, links, hasRoom, onStored })
    const delivery: DeliveryService = new DeliveryService({ ...common, view, store, links, reader })
    const replica = new CustodyReplica({ ...common, view, store, links, hasRoom, onArriving, onWriting, onStored })
    const origin = new CustodyOrigin({ ...common, view, gossip, links, replica })
    const queue = new MessageQueue(
      (epoch, shard, envelopes) => void origin.send(epoch, shard, envelopes),
      () => origin.unsettledCount
    )
    const repair = new RepairService({ ...common, view, store, links, reader, delivery })
    const handover = new HandoverService({ ...common, view, store, origin })
    const recordBuckets = new TokenBuckets(RECORDS_PER_SECOND, RECORDS_BURST, 4096)
    const accounts = new AccountReplication({ view, links, gossip, directory, recordBuckets, now })
    links.serve(replicaHandlers({ ...common, view, store, replica, origin, delivery, directory }))

    const connections = new ConnectionManager(now, limits)
    const chat = new ChatService({ ...common, view, queue, connectionManager: connections, directory })
    const webSockets = new WebSocketServer(
      { httpServer, connectionManager: connections, logger },
      { trustForwardedFor: this.#init.trustForwardedFor ?? false }
    )
    const clientHost = await createClientHost(privateKey, webSockets)
    const sessionParts = { ...common, view, connectionManager: connections, chat, delivery, directory }
    const clients = new ClientServer(clientHost, webSockets, {
      ...sessionParts,
      logger: logger.forComponent('volo:peer-session')
    })
    return {
      key,
      view,
      store,
      disk,
      keeper,
      nodeHost,
      clientHost,
      links,
      gossip,
      bans,
      heartbeat,
      replica,
      origin,
      queue,
      chat,
      reader,
      delivery,
      repair,
      handover,
      accounts,
      connections,
      clients
    }
  }

  async #startParts(parts: Running): Promise<void> {
    const { heartbeat, replica, accounts } = parts
    await parts.keeper.start()
    await parts.nodeHost.start()
    parts.gossip.start({
      onBatch: (...batch) => replica.onGossip(...batch),
      onHeartbeat: data => heartbeat.onHeartbeat(data),
      onRecords: (data, from) => accounts.onRecords(data, from)
    })
    heartbeat.start()
    parts.origin.start()
    parts.delivery.start()
    parts.repair.start()
    parts.handover.start()
    await parts.links.start()
    await parts.clients.start()
  }

  async #stopParts(parts: Running): Promise<void> {
    // Clients first: what they have been told must be true, so what is in hand is finished before the store closes.
    parts.queue.flush()
    await parts.clients.stop()
    await parts.delivery.stop()
    parts.origin.stop()
    await parts.handover.stop()
    parts.repair.stop()
    parts.heartbeat.stop()
    parts.gossip.stop()
    await parts.links.stop()
    await parts.nodeHost.stop()
    await parts.keeper.stop()
  }

  #mailboxLimits(view: NetworkView): MailboxLimits {
    const limits = { ...DEFAULT_MAILBOX_LIMITS, ...this.#init.mailboxLimits }
    // Alone, this node is the origin of everything.
    return view.operatorCount === 1 ? { ...limits, originShare: 1 } : limits
  }

  #storeEvents(key: SigningKey) {
    const { network, clock } = this.#components
    return {
      signEviction: async (mailbox: DeviceId, ids: DeliveryId[]): Promise<Uint8Array> => {
        const eviction = { node: key.publicKey as NodeKey, time: clock(), mailbox, ids }
        return encode(evictionCodec, await signEviction(network, key, eviction))
      },
      onEvicted: (mailbox: DeviceId, eviction: Uint8Array): void => {
        const decoded = decode(evictionCodec, eviction, { maxBytes: 64 * 1024 })
        this.#running?.delivery.onEvicted(mailbox, decoded)
      },
      onCorrupt: (mailbox: DeviceId, ids: DeliveryId[]): void => {
        void this.#running?.repair.fetchAgain(mailbox, ids)
      },
      onFatal: (error: Error): void => {
        this.#log.error('nothing can be stored any more', { reason: String(error.cause ?? error) })
        this.#components.onFatal(error)
      }
    }
  }
}

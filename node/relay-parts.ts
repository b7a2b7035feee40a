/** The parts of a message relay, and how they are handed to each other. What they do together: `message-relay.ts`. */
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import type { SigningKey } from '../protocol/crypto/crypto.ts'
import { decode, encode } from '../protocol/codec.ts'
import type { DeviceId } from '../protocol/identity/device.ts'
import { evictionCodec, signEviction } from '../protocol/wire/custody.ts'
import type { DeliveryId } from '../protocol/wire/envelope.ts'
import type { Epoch, NodeKey } from '../protocol/wire/placement.ts'
import { createClientHost } from './clients/client-host.ts'
import { ClientServer } from './clients/client-server.ts'
import { ConnectionManager, DEFAULT_RELAY_LIMITS } from './clients/connection-manager.ts'
import { WebSocketServer } from './clients/websocket-server.ts'
import type { DirectoryPort } from './key-directory/directory-port.ts'
import { ClientQuotas } from './limits/client-quotas.ts'
import { TokenBuckets } from './limits/token-bucket.ts'
import { AttachedDevices } from './messages/attached-devices.ts'
import { ChatService } from './messages/chat-service.ts'
import { CustodyOrigin } from './messages/custody-origin.ts'
import { CustodyReplica } from './messages/custody-replica.ts'
import { MailboxTokens } from './messages/mailbox-tokens.ts'
import { MessageDeliveryService } from './messages/message-delivery-service.ts'
import { MessageQueue } from './messages/message-queue.ts'
import { ReplicaReader } from './messages/replica-reader.ts'
import { BanList } from './network/ban-list.ts'
import { Gossip, gossipOptions } from './network/gossip.ts'
import { HeartbeatService } from './network/heartbeat.ts'
import { createNodeHost, libp2pKeyOf, type NodeHost } from './network/libp2p-host.ts'
import { NetworkView } from './network/network-view.ts'
import { listedKeyOf, NodeLinks } from './network/node-links.ts'
import { DiskGuard } from './pending-messages/disk-guard.ts'
import { DEFAULT_MAILBOX_LIMITS } from './pending-messages/mailbox-room.ts'
import type { MailboxLimits } from './ports.ts'
import { PendingMessageStore } from './pending-messages/pending-message-store.ts'
import type { StoreEvents } from './pending-messages/store-item.ts'
import { StoreKeeper } from './pending-messages/store-keeper.ts'
import type { MessageRelayComponents, MessageRelayInit } from './ports.ts'
import { AccountReplication } from './replication/account-replication.ts'
import { HandoverService } from './replication/handover.ts'
import { RepairService } from './replication/repair.ts'
import { replicaHandlers } from './replication/replica-server.ts'
import { ProfileReplication } from './replication/profile-replication.ts'
import { ProfileStore } from './profiles/profile-store.ts'
import { TokenReplication } from './replication/token-replication.ts'

/** Pending records that one listed node may pass on, a second and at once. */
const RECORDS_PER_SECOND = 200
const RECORDS_BURST = 2_000
/** Listed nodes whose use of these is remembered. */
const MAX_REMEMBERED_NODES = 4_096

/** Links to the other nodes. */
interface NetworkParts {
  key: SigningKey
  view: NetworkView
  bans: BanList
  nodeHost: NodeHost
  links: NodeLinks
  gossip: Gossip
  heartbeat: HeartbeatService
}

/** Messages on this node's disk. */
interface StoreParts {
  store: PendingMessageStore
  disk: DiskGuard
  keeper: StoreKeeper
}

/** Custody and delivery of messages, and their copies at other nodes. */
interface MessageParts {
  mailboxTokens: MailboxTokens
  tokens: TokenReplication
  profiles: ProfileStore
  publicProfiles: ProfileReplication
  attached: AttachedDevices
  reader: ReplicaReader
  delivery: MessageDeliveryService
  replica: CustodyReplica
  origin: CustodyOrigin
  queue: MessageQueue
  repair: RepairService
  handover: HandoverService
  accounts: AccountReplication
}

/** Connections of clients. */
interface ClientParts {
  connections: ConnectionManager
  quotas: ClientQuotas
  chat: ChatService
  clientHost: Libp2p
  clients: ClientServer
}

/** Everything that runs between start and stop. */
export interface RelayParts extends NetworkParts, StoreParts, MessageParts, ClientParts {}

const now = (): number => performance.now()

/** What most parts see. */
interface Common extends Omit<MessageRelayComponents, 'nodeSeed' | 'httpServer' | 'onFatal'> {
  key: SigningKey
  /** Milliseconds of a clock that never goes back. */
  now: () => number
}

/** Builds all parts; nothing is opened or listens yet. @param epochs - lists in force, oldest first. */
export async function buildRelayParts(
  components: MessageRelayComponents,
  init: MessageRelayInit,
  epochs: Epoch[],
  directory: DirectoryPort
): Promise<RelayParts> {
  const { crypto, network, genesis, nodeSeed, clock, random, logger, profileStore } = components
  const key = await crypto.signingKeyFromSeed(nodeSeed)
  const privateKey = libp2pKeyOf(nodeSeed, key.publicKey)
  const common: Common = { crypto, network, genesis, key, clock, logger, random, profileStore, now }
  const networkParts = await buildNetwork(common, init, epochs, privateKey)
  const events: StoreEvents = {
    signEviction: (mailbox, ids) => encodedEviction(common, mailbox, ids),
    // The store is built before the parts that hear of its removals.
    onEvicted: (mailbox, eviction) => messages.delivery.onEvicted(mailbox, decodedEviction(eviction)),
    onCorrupt: (mailbox, ids) => void messages.repair.fetchAgain(mailbox, ids),
    onFatal: error => components.onFatal(error)
  }
  const storeParts = buildStore(common, init, networkParts.view, events)
  const messages = buildMessages(common, { ...networkParts, ...storeParts }, directory)
  const serving = { ...networkParts, ...storeParts, ...messages }
  const clients = await buildClients({ ...common, ...serving, directory }, components, init, privateKey)
  return { ...serving, ...clients }
}

async function buildNetwork(
  common: Common,
  init: MessageRelayInit,
  epochs: Epoch[],
  privateKey: PrivateKey
): Promise<NetworkParts> {
  const { crypto, network, genesis, key, logger } = common
  const view = new NetworkView({ crypto, network, genesis, nodeKey: key.publicKey as NodeKey }, epochs)
  const bans = new BanList(now)
  const nodeHost = await createNodeHost({
    privateKey,
    listen: init.listenTcp,
    isListed: peer => listedKeyOf(view, peer) !== undefined && !bans.isBanned(peer),
    gossip: gossipOptions(genesis.shardCount)
  })
  const links = new NodeLinks({ ...common, host: nodeHost, view })
  const gossip = new Gossip(nodeHost, bans, { view, logger, now })
  const heartbeat = new HeartbeatService({ ...common, view, gossip, links })
  return { key, view, bans, nodeHost, links, gossip, heartbeat }
}

function buildStore(common: Common, init: MessageRelayInit, view: NetworkView, events: StoreEvents): StoreParts {
  const { logger } = common
  const { dataDirectory, ballastBytes } = init
  const store = new PendingMessageStore(
    { ...common, shardOf: mailbox => view.shardOf(mailbox), events },
    { directory: dataDirectory, limits: mailboxLimits(init, view) }
  )
  const disk = new DiskGuard(logger, {
    directory: dataDirectory,
    lowWaterBytes: limitsOf(init).diskLowWaterBytes,
    ...(ballastBytes === undefined ? {} : { ballastBytes })
  })
  return { store, disk, keeper: new StoreKeeper({ store, disk, logger }) }
}

function buildMessages(common: Common, parts: NetworkParts & StoreParts, directory: DirectoryPort): MessageParts {
  const { view, links, gossip, store, disk } = parts
  const attached = new AttachedDevices(common)
  const mailboxTokens = new MailboxTokens({ ...common, store })
  const profiles = new ProfileStore(common.profileStore)
  const publicProfiles = new ProfileReplication({ ...common, view, links, directory, profiles })
  const tokens = new TokenReplication({ ...common, view, links, directory, tokens: mailboxTokens })
  const custody = { ...common, view, store, links, hasRoom: () => disk.hasRoom, events: attached, mailboxTokens }
  const reader = new ReplicaReader(custody)
  const delivery = new MessageDeliveryService({ ...common, view, store, links, attached, reader })
  const replica = new CustodyReplica(custody)
  const origin = new CustodyOrigin({ ...common, view, gossip, links, replica })
  const queue = new MessageQueue(
    (epoch, shard, envelopes) => void origin.send(epoch, shard, envelopes),
    () => origin.unsettledCount
  )
  const repair = new RepairService({ ...common, view, store, links, reader, delivery, tokens })
  const handover = new HandoverService({ ...common, view, store, origin, tokens, mailboxTokens })
  const recordBuckets = new TokenBuckets(RECORDS_PER_SECOND, RECORDS_BURST, MAX_REMEMBERED_NODES)
  const accounts = new AccountReplication({ view, links, gossip, directory, recordBuckets, now })
  const served = { view, store, replica, origin, delivery, directory, mailboxTokens, tokens, publicProfiles }
  links.serve(replicaHandlers({ ...common, ...served }))
  return {
    profiles,
    publicProfiles,
    mailboxTokens,
    tokens,
    attached,
    reader,
    delivery,
    replica,
    origin,
    queue,
    repair,
    handover,
    accounts
  }
}

async function buildClients(
  parts: Common & NetworkParts & MessageParts & { directory: DirectoryPort },
  { httpServer }: MessageRelayComponents,
  init: MessageRelayInit,
  privateKey: PrivateKey
): Promise<ClientParts> {
  const { logger } = parts
  const limits = limitsOf(init)
  const connections = new ConnectionManager(now, limits)
  const quotas = new ClientQuotas(now, limits)
  const chat = new ChatService({ ...parts, quotas })
  const webSockets = new WebSocketServer(
    { httpServer, connectionManager: connections, logger },
    { trustForwardedFor: init.trustForwardedFor ?? false }
  )
  const clientHost = await createClientHost(privateKey, webSockets)
  const session = { ...parts, connectionManager: connections, quotas, chat }
  const clients = new ClientServer(clientHost, webSockets, {
    ...session,
    logger: logger.forComponent('volo:peer-session')
  })
  return { connections, quotas, chat, clientHost, clients }
}

function limitsOf(init: MessageRelayInit): typeof DEFAULT_RELAY_LIMITS {
  return { ...DEFAULT_RELAY_LIMITS, ...init.limits }
}

function mailboxLimits(init: MessageRelayInit, view: NetworkView): MailboxLimits {
  const limits = { ...DEFAULT_MAILBOX_LIMITS, ...init.mailboxLimits }
  // Alone, this node is the origin of everything.
  return view.operatorCount === 1 ? { ...limits, originShare: 1 } : limits
}

async function encodedEviction(
  { network, key, clock }: Common,
  mailbox: DeviceId,
  ids: DeliveryId[]
): Promise<Uint8Array> {
  const eviction = { node: key.publicKey as NodeKey, time: clock(), mailbox, ids }
  return encode(evictionCodec, await signEviction(network, key, eviction))
}

const decodedEviction = (eviction: Uint8Array) => decode(evictionCodec, eviction, { maxBytes: 64 * 1024 })

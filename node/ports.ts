/**
 * What the two halves of a node know of each other: the message relay (`message-relay.ts`, streams and custody) and the
 * services (directory, HTTP, accounts). `volo-node.ts` builds both and hands them to each other:
 *
 * ```ts
 * const relay = new MessageRelay(components, init)
 * const keyDistribution = new KeyDistributionService({ relay, … })
 * relay.serve(keyDistribution)
 * await relay.start()
 * ```
 */
import type { Server } from 'node:http'
import type { ChainStore } from '../chain/chain-store.ts'
import type { Clock, Crypto, Random } from '../protocol/crypto/crypto.ts'
import type { AccountId, DeviceId, DevicePublicKeys } from '../protocol/identity/device.ts'
import type { Genesis, NetworkId } from '../protocol/network.ts'
import type { EnvelopeClass } from '../protocol/wire/envelope.ts'
import type { Epoch, ListedNode, NodeKey } from '../protocol/wire/placement.ts'

/** One logger per part: `logger.forComponent('volo:delivery-service')`. Fields are ids, counts, sizes, durations. */
export interface Logger {
  forComponent(name: string): Logger
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** A device that proved itself on its stream. */
export interface AuthenticatedDevice {
  deviceId: DeviceId
  accountId: AccountId
  keys: DevicePublicKeys
}

/** Why `/readyz` is not ready. */
export interface ReadinessReason {
  /** Stable: `store-failed`, `disk-low`, `clock`, `too-few-nodes`, `not-listed`, `not-started`; as a warning `key-used-twice`. */
  code: string
  message: string
}

/** A listed node as this one sees it. */
export interface NodeLinkStatus {
  node: ListedNode
  connected: boolean
  /** Milliseconds since 1970 of its last heartbeat, or undefined if none was seen since the start. */
  lastHeartbeat: number | undefined
}

export interface RelayStatus {
  epoch: number
  nodeKey: NodeKey
  peers: NodeLinkStatus[]
  /** Client streams that are authenticated / all client connections. */
  clients: number
  connections: number
  storeOk: boolean
  /** Deliveries that this node keeps for mailboxes. */
  pendingCount: number
}

/** One sample for the administration port; counters only rise. */
export interface MetricSample {
  /** Prometheus name, such as `volo_deliveries_stored_total`. */
  name: string
  help: string
  type: 'counter' | 'gauge'
  value: number
}

/** The message relay as the services see it. */
export interface RelayPort {
  /** The list of nodes in force. */
  currentEpoch(): Epoch
  status(): RelayStatus
  /** Empty when people can chat through this node. */
  readiness(): ReadinessReason[]
  metrics(): MetricSample[]
  /** Passes pending records to every listed node. Best effort: the publisher's own queue is the guarantee. */
  broadcastRecords(records: Uint8Array[]): Promise<void>
  /**
   * Keeps a bundle at the replicas of its account's shard, this node included if it is one.
   * @throws NodeError `busy` unless enough replicas (w of them) have fsynced it in time.
   */
  putBundle(accountId: AccountId, bundle: Uint8Array): Promise<void>
  /** All bundles that the replicas of the account's shard hold, unchecked: the newest wins at the caller. */
  getBundles(accountId: AccountId): Promise<Uint8Array[]>
}

/** What the message relay talks to. */
export interface MessageRelayComponents {
  crypto: Crypto
  network: NetworkId
  genesis: Genesis
  /** 32-byte Ed25519 seed: the libp2p identity of both listeners, and the key of receipts. */
  nodeSeed: Uint8Array
  logger: Logger
  clock: Clock
  random: Random
  /** Keeps public profiles. */
  profileStore: ChainStore
  /** Server of the public port; `upgrade` requests to `/` belong to the relay, it adds and removes its listener. */
  httpServer: Server
  /** Called once when the store fails: end the process (exit code ≠ 0), nothing can be acknowledged any more. */
  onFatal(error: Error): void
}

export interface MessageRelayInit {
  /** Folder for pending messages, made if missing. */
  dataDirectory: string
  /** Where other nodes reach this one, such as `/ip4/0.0.0.0/tcp/4001`; port 0 takes a free one. Undefined: no links. */
  listenTcp: string | undefined
  /**
   * The configured lists, oldest first; the last is current. With two, the first is still in transition: writes go to
   * the replicas of both.
   */
  epochs: Epoch[]
  /** Take a client's address from `X-Forwarded-For` (behind a proxy that sets it). Default false. */
  trustForwardedFor?: boolean
  /** Bounds that an operator may change; defaults are the constants of the parts. */
  limits?: Partial<RelayLimits>
  /** Bounds of a mailbox, if not those of the protocol. */
  mailboxLimits?: Partial<MailboxLimits>
  /** Size of the file that is dropped when the disk is full; see `DiskGuard`. */
  ballastBytes?: number
}

/** Bounds of one node, per operator's choice. */
export interface RelayLimits {
  /** Client connections at once. */
  maxClients: number
  /** Client connections at once from one address. */
  maxClientsPerAddress: number
  /** New client connections per second from one address. */
  connectionsPerSecond: number
  /** Requests per second of one device, on average, and as a burst. */
  requestsPerSecond: number
  requestBurst: number
  /** Envelopes without a contact's proof that one account may hand in per day, by recipient. */
  strangersPerDay: number
  /** Free bytes on the store's disk below which nothing new is accepted. */
  diskLowWaterBytes: number
}

/** Bounds of one mailbox, per class. */
export interface MailboxLimits {
  envelopes: Record<EnvelopeClass, number>
  bytes: Record<EnvelopeClass, number>
  /** Part of a class that deliveries through one origin may fill: 1 where the network has a single operator. */
  originShare: number
}

/**
 * What the two halves of a node know of each other: the network half (`node-network.ts`, streams and custody) and the
 * services half (directory, HTTP, accounts). `volo-node.ts` builds both and hands them to each other:
 *
 * ```ts
 * const network = new NodeNetwork(components, init)
 * const keyDistribution = new KeyDistributionService({ network, … })
 * network.serve(keyDistribution)
 * await network.start()
 * ```
 */
import type { Server } from 'node:http'
import type { Clock, Crypto, Random } from '../protocol/crypto/crypto.ts'
import type { AccountId, DeviceId, DevicePublicKeys } from '../protocol/identity/device.ts'
import type { Genesis, NetworkId } from '../protocol/network.ts'
import type { Epoch, ListedNode, NodeKey } from '../protocol/wire/placement.ts'

/** One logger per part: `logger.forComponent('volo:delivery-service')`. Fields are ids, counts, sizes, durations. */
export interface Logger {
  forComponent(name: string): Logger
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** What the directory knows of a device. `pending` ones (not yet on chain) are served like live ones. */
export interface DirectoryDevice {
  accountId: AccountId
  keys: DevicePublicKeys
  state: 'pending' | 'live' | 'revoked'
}

/** A device that proved itself on its stream. */
export interface AuthenticatedDevice {
  deviceId: DeviceId
  accountId: AccountId
  keys: DevicePublicKeys
}

/** An account that holds a name. */
export interface NameMatch {
  /** 32 bytes. */
  tag: Uint8Array
  accountId: AccountId
  state: 'pending' | 'recorded' | 'settled'
}

/**
 * The services half as the network half sees it. Every method may throw `NodeError`, whose code reaches the client.
 * `local…` methods answer other nodes and touch only this node's own store.
 */
export interface DirectoryPort {
  /** The device, or undefined if no record of it is known here. */
  device(deviceId: DeviceId): Promise<DirectoryDevice | undefined>
  /**
   * An encoded `AccountProof`, or undefined if the account is unknown.
   * @throws NodeError `too-large` if it takes more than `maxBytes`.
   */
  accountProof(accountId: AccountId, maxBytes: number): Promise<Uint8Array | undefined>
  /** An encoded `ReleaseProof` of the newest releases of the web app. */
  releaseProof(): Promise<Uint8Array>
  /** Names whose tag begins so. @param tagPrefix - 2 to 32 bytes. */
  names(tagPrefix: Uint8Array): Promise<{ matches: NameMatch[]; complete: boolean }>
  /** Current encoded bundles of an account's devices, wherever they are kept. */
  bundles(accountId: AccountId): Promise<Uint8Array[]>
  /** Checks a bundle handed in by its own device and replicates it. */
  storeBundle(bundle: Uint8Array, from: AuthenticatedDevice): Promise<void>
  /** Checks records handed in by a device of their account and queues them for the chain. */
  publishRecords(records: Uint8Array[], from: AuthenticatedDevice): Promise<void>

  /** Another node (a listed one) replicates a bundle here: check it, keep it if newer, fsync, resolve. */
  storeLocalBundle(accountId: AccountId, bundle: Uint8Array): Promise<void>
  /** Another node asks for the bundles that this node keeps itself. */
  localBundles(accountId: AccountId): Promise<Uint8Array[]>
  /** Pending records that a listed node passed on; to be checked like a client's. Must not throw. */
  onRecords(records: Uint8Array[], from: NodeKey): void
}

/** Why `/readyz` is not ready. */
export interface ReadinessReason {
  /** Stable: `store-failed`, `disk-low`, `too-few-nodes`, `not-listed`, `not-started`. */
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

export interface NetworkStatus {
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

/** The network half as the services half sees it. */
export interface NetworkPort {
  /** The list of nodes in force. */
  currentEpoch(): Epoch
  status(): NetworkStatus
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

/** What the network half talks to. */
export interface NodeNetworkComponents {
  crypto: Crypto
  network: NetworkId
  genesis: Genesis
  /** 32-byte Ed25519 seed: the libp2p identity of both listeners, and the key of receipts. */
  nodeSeed: Uint8Array
  logger: Logger
  clock: Clock
  random: Random
  /** Server of the public port; `upgrade` requests to `/` belong to the network half, it adds and removes its listener. */
  httpServer: Server
  /** Called once when the store fails: end the process (exit code ≠ 0), nothing can be acknowledged any more. */
  onFatal(error: Error): void
}

export interface NodeNetworkInit {
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
  limits?: Partial<NodeNetworkLimits>
}

/** Bounds of one node, per operator's choice. */
export interface NodeNetworkLimits {
  /** Client connections at once. */
  maxClients: number
  /** Client connections at once from one address. */
  maxClientsPerAddress: number
  /** New client connections per second from one address. */
  connectionsPerSecond: number
  /** Requests per second of one device, on average, and as a burst. */
  requestsPerSecond: number
  requestBurst: number
  /** Free bytes on the store's disk below which nothing new is accepted. */
  diskLowWaterBytes: number
}

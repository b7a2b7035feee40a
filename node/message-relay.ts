/**
 * The network half of a node: everything from a client's stream to the fsynced store, and between nodes. It builds its
 * parts and hands them to each other; the order in which they start and stop is its subject.
 */
import type { StoreSnapshot } from '../chain/store/store-dump.ts'
import type { AccountId } from '../protocol/identity/device.ts'
import { RECEIPTS_REQUIRED } from '../protocol/limits.ts'
import { receiptsRequired, type Epoch, type ListedNode, type NodeKey } from '../protocol/wire/placement.ts'
import type { CustodyAnswer, CustodyQuestion } from '../protocol/wire/custody-question.ts'
import { NodeError } from './errors.ts'
import type { DirectoryPort } from './key-directory/directory-port.ts'
import { relayMetrics } from './operator/relay-metrics.ts'
import { peerReports, shardReports, type PeerReport, type ShardReport } from './operator/relay-report.ts'
import type {
  Logger,
  MessageRelayComponents,
  MessageRelayInit,
  MetricSample,
  ReadinessReason,
  RelayPort,
  RelayStatus
} from './ports.ts'
import { buildRelayParts, type RelayParts } from './relay-parts.ts'

const MINUTE_MS = 60_000

export class MessageRelay implements RelayPort {
  readonly #components: MessageRelayComponents
  readonly #init: MessageRelayInit
  readonly #log: Logger
  #epochs: Epoch[]
  #directory: DirectoryPort | undefined
  #running: RelayParts | undefined
  #stopping: Promise<void> | undefined

  constructor(components: MessageRelayComponents, init: MessageRelayInit) {
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
    const components = { ...this.#components, onFatal: (error: Error) => this.#onFatal(error) }
    const parts = await buildRelayParts(components, this.#init, this.#epochs, this.#directory)
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

  /** Puts other lists of nodes in force, oldest first; see MessageRelayInit. */
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

  status(): RelayStatus {
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
    return [...reasons, ...this.#wrongClock(parts), ...this.#tooFewNodes(parts)]
  }

  /** What an operator should look at, although people can chat. */
  warnings(): ReadinessReason[] {
    return (this.#running?.links.contested() ?? []).map(({ url }) => ({
      code: 'key-used-twice',
      message: `Two processes seem to use the key of ${url}: its operator must stop one of them, such as a restored or cloned machine.`
    }))
  }

  /** The other nodes, for the operator. */
  peers(): Promise<PeerReport[]> {
    return peerReports(this.#parts)
  }

  /** The shards that this node keeps, for the operator. */
  shards(): Promise<ShardReport[]> {
    return shardReports(this.#parts)
  }

  /** The store of pending messages at this moment, for a backup. */
  snapshot(): Promise<StoreSnapshot> {
    return this.#parts.store.snapshot()
  }

  /** Signs for what this node holds of the asked deliveries, and denies the rest. @throws NodeError as a replica does. */
  holds(question: CustodyQuestion): Promise<CustodyAnswer> {
    return this.#parts.replica.onHave(question)
  }

  metrics(): MetricSample[] {
    return this.#running === undefined ? [] : relayMetrics(this.#running)
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
  get parts(): RelayParts | undefined {
    return this.#running
  }

  get #parts(): RelayParts {
    if (this.#running === undefined) throw new NodeError('busy', 'the network has not started')
    return this.#running
  }

  #onFatal(error: Error): void {
    this.#log.error('nothing can be stored any more', { reason: String(error.cause ?? error) })
    this.#components.onFatal(error)
  }

  /** Other nodes refuse what a wrong clock signs, and this one refuses what they sign. */
  #wrongClock({ heartbeat }: RelayParts): ReadinessReason[] {
    const error = heartbeat.clockError()
    if (error === undefined) return []
    const minutes = Math.round(Math.abs(error) / MINUTE_MS)
    const side = error > 0 ? 'ahead of' : 'behind'
    const message = `The clock of this machine is ${minutes} minutes ${side} those of most other nodes: set it, and keep it set by NTP.`
    return [{ code: 'clock', message }]
  }

  /** Sending works while enough operators are reachable to sign for every shard's messages. */
  #tooFewNodes(parts: RelayParts): ReadinessReason[] {
    const { view, links } = parts
    const isShort = (replicas: ListedNode[]): boolean => {
      const reachable = replicas.filter(node => view.isSelf(node.key) || links.isUp(node.key))
      return reachable.length < receiptsRequired(replicas, RECEIPTS_REQUIRED)
    }
    const short = view.groups().find(shard => isShort(view.replicas(view.current, shard)))
    if (short === undefined) return []
    const up = links.upCount + 1
    const message = `Only ${up} of ${view.current.nodes.length} nodes are reachable: some messages wait until more are.`
    return [{ code: 'too-few-nodes', message }]
  }

  async #startParts(parts: RelayParts): Promise<void> {
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

  async #stopParts(parts: RelayParts): Promise<void> {
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
    await parts.profiles.idle()
    await parts.keeper.stop()
  }
}

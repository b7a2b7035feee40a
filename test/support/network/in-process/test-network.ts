/** Real nodes on loopback: TCP between them, WebSockets for clients, LevelDB in temporary folders. */
import { createServer as createHttpServer, type Server } from 'node:http'
import { join } from 'node:path'
import { toHex } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import {
  configuredEpoch,
  replicaSet,
  shardOf,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'
import { MessageRelay } from '../../../../node/message-relay.ts'
import type { MessageRelayInit } from '../../../../node/ports.ts'
import type { RelayParts } from '../../../../node/relay-parts.ts'
import { MemoryStore } from '../../chain/simulated-chain.ts'
import { freePort } from '../../free-port.ts'
import { crypto, genesis, network, newMailbox, quietLogger, random, temporaryFolder } from './fixtures.ts'
import { eventually } from '../../wait-for.ts'
import { TestClient } from './test-client.ts'
import { TestDirectory, type KnownDevices } from './test-directory.ts'

export interface TestNetworkOptions extends Pick<MessageRelayInit, 'limits' | 'mailboxLimits' | 'ballastBytes'> {
  /** Makes a node that started break a rule. */
  mutate?: (parts: RelayParts) => void
  clock?: () => number
  /** How many of the nodes the first epoch lists; all by default. */
  listed?: number
}

/** One node of a test, which can be stopped and started again with its data. */
export class TestNode {
  readonly seed: Uint8Array
  readonly listed: ListedNode
  readonly directory: TestDirectory
  readonly folder: string
  readonly fatal: Error[] = []
  #options: TestNetworkOptions
  #http: Server | undefined
  #network: MessageRelay | undefined
  readonly #epochs: () => Epoch[]

  constructor(
    seed: Uint8Array,
    listed: ListedNode,
    folder: string,
    devices: KnownDevices,
    epochs: () => Epoch[],
    options: TestNetworkOptions
  ) {
    this.seed = seed
    this.listed = listed
    this.folder = folder
    this.directory = new TestDirectory(devices)
    this.#epochs = epochs
    this.#options = options
  }

  /** Public profiles, as the app's database keeps them. */
  readonly profiles = new MemoryStore()

  get key(): string {
    return toHex(this.listed.key)
  }

  get network(): MessageRelay {
    return this.#network!
  }

  get parts(): RelayParts {
    return this.#network!.parts!
  }

  get isRunning(): boolean {
    return this.#network !== undefined
  }

  get port(): number {
    return Number(new URL(this.listed.url).port)
  }

  async start(): Promise<void> {
    const http = createHttpServer((_, response) => response.writeHead(404).end())
    await new Promise<void>(resolve => http.listen(this.port, '127.0.0.1', resolve))
    this.#http = http
    const node = new MessageRelay(
      {
        crypto,
        network,
        genesis,
        nodeSeed: this.seed,
        logger: quietLogger,
        clock: this.#options.clock ?? Date.now,
        random,
        profileStore: this.profiles,
        httpServer: http,
        onFatal: error => this.fatal.push(error)
      },
      {
        ballastBytes: 0,
        ...this.#options,
        // Most tests write to mailboxes without an owner, which can hand out no token.
        limits: { strangersPerDay: 1e9, ...this.#options.limits },
        dataDirectory: this.folder,
        listenTcp: this.listed.link,
        epochs: this.#epochs()
      }
    )
    node.serve(this.directory)
    await node.start()
    this.#options.mutate?.(node.parts!)
    this.#network = node
  }

  async stop(): Promise<void> {
    const [node, http] = [this.#network, this.#http]
    this.#network = undefined
    this.#http = undefined
    await node?.stop()
    http?.closeAllConnections()
    await new Promise(resolve => (http ? http.close(resolve) : resolve(undefined)))
  }

  change(options: Partial<TestNetworkOptions>): void {
    this.#options = { ...this.#options, ...options }
  }
}

/** Some nodes, one operator each, linked with each other. */
export class TestNetwork {
  readonly nodes: TestNode[] = []
  readonly devices: KnownDevices = new Map()
  readonly clients: TestClient[] = []
  epochs: Epoch[] = []
  #remove: () => Promise<void> = async () => undefined

  static async start(count: number, options: TestNetworkOptions = {}): Promise<TestNetwork> {
    const started = new TestNetwork()
    const folder = await temporaryFolder()
    started.#remove = folder.remove
    for (let i = 0; i < count; i++) {
      const seed = random(32)
      const key = (await crypto.signingKeyFromSeed(seed)).publicKey as NodeKey
      const listed: ListedNode = {
        key,
        operator: random(32) as OperatorId,
        url: `http://127.0.0.1:${await freePort()}`,
        link: `/ip4/127.0.0.1/tcp/${await freePort()}`
      }
      const path = join(folder.path, `node-${i}`)
      started.nodes.push(new TestNode(seed, listed, path, started.devices, () => started.epochs, options))
    }
    started.epochs = [started.epochOf(0, started.nodes.slice(0, options.listed ?? count))]
    const first = started.nodes.slice(0, options.listed ?? count)
    await Promise.all(first.map(node => node.start()))
    await started.linked()
    return started
  }

  epochOf(number: number, nodes: TestNode[]): Epoch {
    return configuredEpoch(
      number,
      random(32),
      nodes.map(node => node.listed)
    )
  }

  /** Puts lists in force at every running node. */
  setEpochs(epochs: Epoch[]): void {
    this.epochs = epochs
    for (const node of this.nodes) if (node.isRunning) node.network.setEpochs(epochs)
  }

  /** Waits until all running listed nodes are linked and hear each other's shards. */
  async linked(): Promise<void> {
    const listed = new Set(this.epochs.flatMap(epoch => epoch.nodes.map(node => toHex(node.key))))
    const running = this.nodes.filter(node => node.isRunning && listed.has(node.key))
    await eventually(
      () =>
        running.every(node =>
          running.every(other => {
            if (other === node) return true
            const { links, gossip } = node.parts
            const topics = other.parts.view.keptGroups().map(shard => `/volo/1/shard/${shard}`)
            return links.isUp(other.listed.key) && topics.every(topic => gossip.hears(other.listed, topic))
          })
        ),
      { what: 'all links', timeoutMs: 20_000 }
    )
  }

  /** Nodes that keep a mailbox in the current epoch. */
  replicasOf(mailbox: DeviceId, epoch: Epoch = this.epochs.at(-1)!): TestNode[] {
    const keys = replicaSet(crypto, network, genesis, epoch, shardOf(crypto, network, genesis, mailbox)).map(node =>
      toHex(node.key)
    )
    return this.nodes.filter(node => keys.includes(node.key))
  }

  othersThan(mailbox: DeviceId): TestNode[] {
    const replicas = this.replicasOf(mailbox)
    return this.nodes.filter(node => !replicas.includes(node))
  }

  /** A device that every node knows, connected and proven at a node. */
  async client(node: TestNode, device?: TestClient): Promise<TestClient> {
    const client = device ?? (await this.device())
    await client.connect(node.port, node.listed.key)
    return client
  }

  /** A device that every node knows, not connected. @param suits - another device is made until one does. */
  async device(suits: (mailbox: DeviceId) => boolean = () => true): Promise<TestClient> {
    for (;;) {
      const client = await TestClient.create()
      if (!suits(client.deviceId)) continue
      this.devices.set(toHex(client.deviceId), { accountId: client.accountId, keys: client.keys, state: 'live' })
      this.clients.push(client)
      return client
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map(client => client.close()))
    await Promise.all(this.nodes.map(node => node.stop()))
    await this.#remove()
  }

  /** A mailbox whose replicas meet a condition; it has no owner. */
  mailboxWhere(suits: (replicas: TestNode[]) => boolean): DeviceId {
    for (;;) {
      const mailbox = newMailbox()
      if (suits(this.replicasOf(mailbox))) return mailbox
    }
  }
}

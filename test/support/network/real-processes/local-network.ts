/** A devnet and several nodes, each a process of its own that a test may kill, pause and start again. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKeyFile } from '../../../../node/config/key-file.ts'
import { createNetwork, networkFileText, type NetworkDefinition } from '../../../../node/config/network-file.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { Genesis } from '../../../../protocol/network.ts'
import type { ListedNode, NodeKey, OperatorId } from '../../../../protocol/wire/placement.ts'
import { freePort } from '../../free-port.ts'
import { CommandProcess, QUICK_NAME_TAGS, temporaryFolder } from './node-process.ts'

const READY_DEADLINE_MS = 90_000
const READY_LOOK_MS = 100

export interface LocalNetworkInit {
  nodes: number
  /** Environment of every node, such as other limits. */
  env?: Record<string, string>
  /** Parameters of the network that differ from the usual ones. */
  genesis?: Partial<Genesis>
  /** Lists of nodes follow the chain. */
  placement?: { epochBlocks: number; finalBlocks: number }
  /** The last so many nodes are not in the network file. */
  unlisted?: number
  /** Devnet arguments, such as `['--block-ms', '500']`. */
  devnet?: string[]
  /** Base URL of a ledger that runs already, which the caller stops; the network has none of its own then. */
  chainUrl?: string
  /** Which program a node is; the default is `node/main.ts`. */
  program?: (index: number) => string
}

interface NetworkPorts {
  http: number
  link: number
}

export class LocalNetwork {
  readonly definition: NetworkDefinition
  readonly #dataDir: string
  readonly #ports: NetworkPorts[]
  readonly #env: Record<string, string>
  readonly #devnet: CommandProcess | undefined
  readonly #program: (index: number) => string
  readonly #nodes: CommandProcess[] = []

  private constructor(
    dataDir: string,
    definition: NetworkDefinition,
    ports: NetworkPorts[],
    devnet: CommandProcess | undefined,
    env: Record<string, string>,
    program: (index: number) => string
  ) {
    this.#dataDir = dataDir
    this.definition = definition
    this.#ports = ports
    this.#devnet = devnet
    this.#env = env
    this.#program = program
  }

  /** Starts everything and waits until every node is ready. */
  static async start({
    nodes,
    env = {},
    genesis = {},
    placement,
    unlisted = 0,
    devnet: devnetArguments = [],
    chainUrl,
    program = () => 'node/main.ts'
  }: LocalNetworkInit): Promise<LocalNetwork> {
    const dataDir = temporaryFolder()
    const ports: NetworkPorts[] = []
    for (let i = 0; i < nodes; i++) ports.push({ http: await freePort(), link: await freePort() })
    const definition = await defineNetwork(dataDir, ports, nodes - unlisted, placement)
    Object.assign(definition.genesis, { nameTagCost: QUICK_NAME_TAGS }, genesis)
    writeFileSync(join(dataDir, 'network.json'), networkFileText(definition))
    const devnetData = join(dataDir, 'devnet')
    const devnet =
      chainUrl === undefined
        ? new CommandProcess('chain/devnet/main.ts', ['--port', '0', '--data', devnetData, ...devnetArguments])
        : undefined
    const ledger = chainUrl ?? (await devnet!.printed(/"url":\s*"(http:[^"]+)"/))[1]!
    const network = new LocalNetwork(dataDir, definition, ports, devnet, { ...env, VOLO_CHAIN_URL: ledger }, program)
    try {
      await Promise.all(ports.map((_, index) => network.startNode(index)))
      return network
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  /** Origins of the nodes' HTTP API, in order. */
  get urls(): string[] {
    return this.#ports.map(({ http }) => `http://127.0.0.1:${http}`)
  }

  /** Base URL of the devnet. */
  get chainUrl(): string {
    return this.#env['VOLO_CHAIN_URL']!
  }

  /** JSON with the network's genesis and nodes. */
  get networkFile(): string {
    return join(this.#dataDir, 'network.json')
  }

  /** Folder of one node's stores. */
  dataOf(index: number): string {
    return join(this.#dataDir, `node-${index + 1}`)
  }

  /** Process of one node, for those that take messages. */
  processOf(index: number): CommandProcess {
    return this.#nodes[index]!
  }

  /** Process id of one node. */
  pidOf(index: number): number {
    return this.#nodes[index]!.child.pid!
  }

  /** Starts a node that is not running, and waits until it is ready. */
  async startNode(index: number): Promise<void> {
    const node = new CommandProcess(this.#program(index), ['start'], {
      env: {
        ...this.settingsOf(index),
        VOLO_PORT: String(this.#ports[index]!.http),
        VOLO_STRANGERS_PER_DAY: '1000000',
        VOLO_ADMIN_PORT: '0'
      }
    })
    this.#nodes[index] = node
    const isListed = index < this.definition.epochs[0]!.nodes.length
    await untilOk(`${this.urls[index]!}${isListed ? '/readyz' : '/healthz'}`, node)
    // The node prints its administration port last, when everything has started.
    await node.printed(/ready at/)
  }

  /** Environment of a node and its operator's commands; past the last node, of an operator that has keys only. */
  settingsOf(index: number): Record<string, string> {
    const ports = this.#ports[index]
    return {
      ...this.#env,
      VOLO_DATA_DIR: this.dataOf(index),
      VOLO_NETWORK_FILE: this.networkFile,
      ...(ports && { VOLO_LINK_LISTEN: `/ip4/127.0.0.1/tcp/${ports.link}` })
    }
  }

  /** Ends a node as a crash does. */
  async kill(index: number): Promise<void> {
    await this.#nodes[index]!.stop('SIGKILL')
  }

  /** Ends a node as its operator does. */
  async stopNode(index: number): Promise<void> {
    await this.#nodes[index]!.stop('SIGTERM')
  }

  /** Freezes a node: its connections stay, nothing answers. */
  pause(index: number): void {
    this.#nodes[index]!.child.kill('SIGSTOP')
  }

  resume(index: number): void {
    this.#nodes[index]!.child.kill('SIGCONT')
  }

  /** Ends everything. @param keepData - leave the stores for a look; {@link remove} takes them away. */
  async stop({ keepData = false } = {}): Promise<void> {
    const processes = this.#devnet ? [...this.#nodes, this.#devnet] : this.#nodes
    await Promise.all(processes.map(process => process.stop()))
    if (!keepData) this.remove()
  }

  remove(): void {
    rmSync(this.#dataDir, { recursive: true, force: true })
  }
}

async function defineNetwork(
  dataDir: string,
  ports: NetworkPorts[],
  listedCount: number,
  placement: LocalNetworkInit['placement']
): Promise<NetworkDefinition> {
  const crypto = createNodeCrypto()
  const listed: ListedNode[] = []
  for (const [index, { http, link }] of ports.slice(0, listedCount).entries()) {
    const folder = join(dataDir, `node-${index + 1}`)
    mkdirSync(folder, { recursive: true })
    const { publicKey } = await crypto.signingKeyFromSeed(openKeyFile(join(folder, 'node.key')))
    const operator = placement && (await crypto.signingKeyFromSeed(openKeyFile(join(folder, 'operator.key'))))
    listed.push({
      key: publicKey as NodeKey,
      operator: (operator?.publicKey ?? crypto.sha256(publicKey)) as OperatorId,
      url: `http://127.0.0.1:${http}`,
      link: `/ip4/127.0.0.1/tcp/${link}`
    })
  }
  return createNetwork(crypto, listed, placement)
}

async function untilOk(url: string, node: CommandProcess): Promise<void> {
  for (const end = Date.now() + READY_DEADLINE_MS; Date.now() < end; await sleep(READY_LOOK_MS)) {
    if (node.child.exitCode !== null) throw new Error(`${url} ended at once: ${node.stderr}`)
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
  }
  throw new Error(`${url} did not answer well: ${node.stderr}`)
}

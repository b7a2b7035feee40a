/**
 * Nodes for people whom nobody here knows, set up by the steps of docs/operators/README.md: the settings of its quick start in
 * files, production mode, keys from `volo-node key show`, TLS in front, an OpenID provider.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createNetwork, networkFileText, type NetworkDefinition } from '../../../node/config/network-file.ts'
import { createNodePeer } from '../../../peer/node-peer.ts'
import { fromHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import type { NodeKey, OperatorId } from '../../../protocol/wire/placement.ts'
import { freePort } from '../free-port.ts'
import { CommandProcess, root, temporaryFolder, type CommandResult } from '../network/real-processes/node-process.ts'
import type { NetworkPeer } from '../network/real-processes/network-peers.ts'
import { CookieJar, demoSignIn } from '../sign-in.ts'
import { OpenIdProvider } from './openid-provider.ts'
import { TestAuthority } from './test-authority.ts'
import { startTlsProxy, type TlsProxy } from './tls-proxy.ts'

const GUIDE = join(root, 'docs/operators/README.md')
const PROVIDER_ID = 'guide'
const RETURN_TO = 'http://127.0.0.1:9/'
const NAME_TIMEOUT_MS = 120_000
/** Only the user of the node. */
const SECRET_MODE = 0o600

interface Ports {
  http: number
  link: number
  public: number
}

export interface GuideNetworkInit {
  /** Nodes of the network file. */
  nodes: number
  /** Machines beside them, for nodes that come later. */
  spare?: number
  /** Lists of nodes follow the chain. */
  placement?: { epochBlocks: number; finalBlocks: number }
}

/** The settings of the quick start, as the guide prints them. */
function settingsOfGuide(): [name: string, value: string][] {
  const block = /```ini\n([\s\S]*?)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1]
  if (block === undefined) throw new Error('the guide has no settings')
  return block
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
}

export class GuideNetwork {
  readonly #folder = temporaryFolder()
  readonly #authority = new TestAuthority()
  readonly #trustedBefore = getCACertificates('default')
  readonly #ports: Ports[] = []
  readonly #nodes: CommandProcess[] = []
  #providerPorts = { http: 0, public: 0 }
  #chainUrl = ''
  #ledger: CommandProcess | undefined
  #provider: OpenIdProvider | undefined
  #proxy: TlsProxy | undefined
  definition!: NetworkDefinition

  private constructor() {
    // Peers run in this process and dial the nodes by wss.
    setDefaultCACertificates([...this.#trustedBefore, this.#authority.root])
  }

  /** Starts everything and waits until every node is ready. */
  static async start(init: GuideNetworkInit): Promise<GuideNetwork> {
    const network = new GuideNetwork()
    try {
      await network.#prepare(init)
      await Promise.all(Array.from({ length: init.nodes }, (_, index) => network.startNode(index)))
      return network
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  /** Which proxy ends TLS: a program's name, or `stand-in`. */
  get proxyKind(): string {
    return this.#proxy!.kind
  }

  /** Public address of a node. */
  urlOf(index: number): string {
    return `https://localhost:${this.#ports[index]!.public}`
  }

  dataOf(index: number): string {
    return join(this.#folder, `node-${index + 1}`, 'data')
  }

  processOf(index: number): CommandProcess {
    return this.#nodes[index]!
  }

  /** Base URL of the ledger. */
  get chainUrl(): string {
    return this.#chainUrl
  }

  async #prepare({ nodes, spare = 0, placement }: GuideNetworkInit): Promise<void> {
    const root = join(this.#folder, 'authority.pem')
    writeFileSync(root, this.#authority.root)
    for (let i = 0; i < nodes + spare; i++) {
      this.#ports.push({ http: await freePort(), link: await freePort(), public: await freePort() })
    }
    this.#providerPorts = { http: await freePort(), public: await freePort() }
    const ledgerData = join(this.#folder, 'ledger')
    const pace = placement === undefined ? [] : ['--block-ms', '200']
    this.#ledger = new CommandProcess('chain/devnet/main.ts', ['--port', '0', '--data', ledgerData, ...pace])
    const issuer = `https://localhost:${this.#providerPorts.public}`
    const redirects = this.#ports.map((_, index) => `${this.urlOf(index)}/v1/auth/${PROVIDER_ID}/callback`)
    this.#provider = await OpenIdProvider.start(issuer, this.#providerPorts.http, redirects)
    this.#proxy = await startTlsProxy(
      [...this.#ports, this.#providerPorts].map(ports => ({ publicPort: ports.public, nodePort: ports.http })),
      this.#authority.issue(),
      join(this.#folder, 'proxy')
    )
    const defined = this.#defineNetwork(nodes, placement)
    this.#chainUrl = (await this.#ledger.printed(/"url":\s*"(http:[^"]+)"/))[1]!
    for (const [index] of this.#ports.entries()) this.#writeFiles(index, issuer)
    await defined
  }

  /** The files of the quick start's second step. */
  #writeFiles(index: number, issuer: string): void {
    const folder = join(this.#folder, `node-${index + 1}`)
    mkdirSync(folder, { recursive: true })
    const file = (name: string, content: string): string => {
      const path = join(folder, name)
      writeFileSync(path, content)
      chmodSync(path, SECRET_MODE)
      return path
    }
    const provider = { id: PROVIDER_ID, kind: 'oidc', name: 'Guide', issuer, scope: 'openid', authentication: 'post' }
    const clientSecretFile = file('client-secret', `${this.#provider!.client.clientSecret}\n`)
    const providers = [{ ...provider, clientId: this.#provider!.client.clientId, clientSecretFile }]
    const here: Record<string, string> = {
      VOLO_PUBLIC_URL: this.urlOf(index),
      VOLO_NETWORK_FILE: join(this.#folder, 'network.json'),
      VOLO_CHAIN_URL: this.#chainUrl,
      VOLO_CHAIN_PROJECT_ID_FILE: file('project-id', 'devnet\n'),
      VOLO_SIGN_IN_PROVIDERS_FILE: file('providers.json', JSON.stringify({ providers }))
    }
    // What the guide says, with the paths and addresses of this machine.
    const lines = settingsOfGuide().map(([name, value]) => `${name}=${here[name] ?? value}`)
    file('node.env', `${lines.join('\n')}\n`)
  }

  /** Every operator tells their key; the list of all is the network file. */
  async #defineNetwork(count: number, placement: GuideNetworkInit['placement']): Promise<void> {
    const indexes = Array.from({ length: count }, (_, index) => index)
    const key = (index: number, ...words: string[]): Promise<string> => this.#shownKey(index, words)
    const listed = await Promise.all(
      indexes.map(async index => {
        const node = fromHex(await key(index, 'key', 'show'), 32) as NodeKey
        const operator = placement
          ? (fromHex(await key(index, 'operator', 'show'), 32) as OperatorId)
          : (createNodeCrypto().sha256(node) as Uint8Array as OperatorId)
        return { key: node, operator, url: this.urlOf(index), link: `/ip4/127.0.0.1/tcp/${this.#ports[index]!.link}` }
      })
    )
    this.definition = createNetwork(createNodeCrypto(), listed, placement)
    // Cheaper names, so that the test waits for the network and not for its own processor.
    Object.assign(this.definition.genesis, { nameTagCost: { memoryKib: 8, passes: 1 } })
    writeFileSync(join(this.#folder, 'network.json'), networkFileText(this.definition))
  }

  async #shownKey(index: number, words: string[]): Promise<string> {
    // Before there is a network, so without its file.
    const env = { VOLO_DATA_DIR: this.dataOf(index) }
    const { stdout, stderr } = await new CommandProcess('node/main.ts', words, { env }).ended
    const found = /\b[0-9a-f]{64}\b/.exec(stdout)?.[0]
    if (found === undefined) throw new Error(`"volo-node ${words.join(' ')}" shows no key: ${stdout}${stderr}`)
    return found
  }

  /** The environment that systemd makes of a node's files. */
  settingsOf(index: number): Record<string, string> {
    const lines = readFileSync(join(this.#folder, `node-${index + 1}`, 'node.env'), 'utf8')
      .trim()
      .split('\n')
    return {
      ...Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
      NODE_ENV: 'production',
      NODE_EXTRA_CA_CERTS: join(this.#folder, 'authority.pem'),
      VOLO_DATA_DIR: this.dataOf(index),
      // On one machine every node needs ports of its own.
      VOLO_PORT: String(this.#ports[index]!.http),
      VOLO_LINK_LISTEN: `/ip4/127.0.0.1/tcp/${this.#ports[index]!.link}`,
      VOLO_ADMIN_PORT: '0'
    }
  }

  /** Starts a node that is not running, and waits until it says that it is ready. */
  async startNode(index: number): Promise<void> {
    const node = new CommandProcess('node/main.ts', ['start'], { env: this.settingsOf(index) })
    this.#nodes[index] = node
    await node.printed(/ready at/)
  }

  /** Runs a command of the operator of a node. */
  command(index: number, ...args: string[]): Promise<CommandResult> {
    return new CommandProcess('node/main.ts', args, { env: this.settingsOf(index) }).ended
  }

  /** Gives a new machine the operator's key of an old one. */
  moveOperator(from: number, to: number): void {
    mkdirSync(this.dataOf(to), { recursive: true })
    copyFileSync(join(this.dataOf(from), 'operator.key'), join(this.dataOf(to), 'operator.key'))
  }

  /** Registers a person through the OpenID provider; resolves once others can find the name. */
  async register(index: number, name: string): Promise<NetworkPeer> {
    const dataDir = temporaryFolder()
    const engine = await createNodePeer({ dataDir, nodeUrl: this.urlOf(index) })
    await engine.start()
    const start = await engine.account.startSignIn(PROVIDER_ID, RETURN_TO)
    const { hash } = await demoSignIn(start, name, new CookieJar())
    const code = new URLSearchParams(hash.slice(hash.indexOf('?') + 1)).get('code')
    if (code === null) throw new Error(`the sign-in of ${name} ends with ${hash}`)
    await engine.account.finishSignIn(code)
    const me = await engine.account.register({ username: name, displayName: name, deviceName: 'guide' })
    if (!(await engine.account.settleName(NAME_TIMEOUT_MS))) throw new Error(`@${name} could not be reserved in time`)
    return { name, engine, me, dataDir }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.stop()))
    await this.#ledger?.stop()
    await this.#proxy?.stop()
    await this.#provider?.stop()
    setDefaultCACertificates(this.#trustedBefore)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

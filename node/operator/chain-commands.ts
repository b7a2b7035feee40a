/**
 * `volo-node announce`, `vouch`, `nodes` and `operator show`: what an operator puts on the chain. Records are signed here,
 * by a key that the running node never reads, and handed to that node, which publishes them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import { isNodeLink } from '../../protocol/directory/node-list.ts'
import { isNodeOrigin } from '../../protocol/node-origin.ts'
import { buildCreate, buildNode, buildVouch, type RecordSigner } from '../../protocol/identity/build-record.ts'
import { deviceIdOf, type AccountId, type DeviceId, type RecordId } from '../../protocol/identity/device.ts'
import { encodeRecord, recordIdOf, type DirectoryRecord } from '../../protocol/identity/record.ts'
import { labelledHash } from '../../protocol/labels.ts'
import { networkIdOf, type NetworkId } from '../../protocol/network.ts'
import { ConfigError } from '../config/config-error.ts'
import { readConfig, type NodeConfig } from '../config/config.ts'
import { openKeyFile } from '../config/key-file.ts'
import { nodeKeyFile } from '../config/load-network.ts'
import { readNetworkFile } from '../config/network-file.ts'
import type { NodeFacts, OperatorAccountFacts } from './operator-desk.ts'
import { UsageError } from './usage-error.ts'

const ASK_TIMEOUT_MS = 10_000

/** Names of the commands that {@link runOperatorCommand} knows. */
export const OPERATOR_COMMANDS = ['announce', 'vouch', 'nodes', 'operator']

interface Arguments {
  positionals: string[]
  json: boolean
  withdraw: boolean
  url: string | undefined
  link: string | undefined
  config: NodeConfig
}

/**
 * Runs one of {@link OPERATOR_COMMANDS}.
 *
 * @param args - the command and all after it.
 * @returns what it did, for people or with `--json` for programs.
 * @throws UsageError, or ConfigError for what an operator can mend.
 */
export async function runOperatorCommand(args: string[], env: Record<string, string | undefined>): Promise<string> {
  const [command, ...rest] = args
  const parsed = readArguments(command!, rest, env)
  const { text, json } = await COMMANDS[command!]!(parsed)
  return parsed.json ? JSON.stringify(json, null, 2) : text
}

interface Outcome {
  text: string
  json: unknown
}

const COMMANDS: Record<string, (args: Arguments) => Promise<Outcome>> = { announce, vouch, nodes, operator }
/** How many words beside flags each takes. */
const WORDS: Record<string, number> = { announce: 0, vouch: 1, nodes: 0, operator: 1 }

function readArguments(command: string, args: string[], env: Record<string, string | undefined>): Arguments {
  const positionals: string[] = []
  const flags: string[] = []
  const own = { url: undefined as string | undefined, link: undefined as string | undefined }
  let [json, withdraw] = [false, false]
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i]!.split(/=(.*)/s) as [string, string | undefined]
    if (flag === '--json') json = true
    else if (flag === '--withdraw' && command === 'announce') withdraw = true
    else if ((flag === '--url' || flag === '--link') && command === 'announce') {
      own[flag === '--url' ? 'url' : 'link'] = inline ?? args[++i] ?? ''
    } else if (flag.startsWith('--'))
      flags.push(args[i]!, ...(inline === undefined && i + 1 < args.length ? [args[++i]!] : []))
    else positionals.push(args[i]!)
  }
  if (positionals.length !== WORDS[command]) {
    const usage = {
      announce: 'announce',
      vouch: 'vouch <node key or operator>',
      nodes: 'nodes',
      operator: 'operator show'
    }
    throw new UsageError(`write "volo-node ${usage[command as keyof typeof usage]} [settings]"`)
  }
  return { positionals, json, withdraw, ...own, config: readConfig(flags, env) }
}

/** The operator's key, its network, and the running node. */
class Operator {
  readonly crypto: Crypto
  readonly network: NetworkId
  readonly key: SigningKey
  readonly deviceId: DeviceId
  readonly #messagingKeyHash: Uint8Array
  readonly #adminUrl: string

  private constructor(crypto: Crypto, network: NetworkId, key: SigningKey, adminUrl: string) {
    this.crypto = crypto
    this.network = network
    this.key = key
    // No messaging key has this hash, so nobody can write to an operator's account.
    this.#messagingKeyHash = labelledHash(crypto, 'messaging-key', network, new Uint8Array(0))
    const keys = { signingKey: key.publicKey, messagingKeyHash: this.#messagingKeyHash }
    this.deviceId = deviceIdOf(crypto, network, keys)
    this.#adminUrl = adminUrl
  }

  static async open(config: NodeConfig): Promise<Operator> {
    const crypto = createNodeCrypto()
    const network = networkIdOf(crypto, readNetworkFile(networkFileOf(config)).genesis)
    const key = await operatorKey(crypto, config)
    const operator = new Operator(crypto, network, key, listening(config).adminUrl)
    const facts = await operator.nodes()
    if (facts.network !== toHex(network))
      throw new ConfigError('The running node belongs to another network than the file.')
    return operator
  }

  nodes(): Promise<NodeFacts> {
    return this.#ask('/nodes') as Promise<NodeFacts>
  }

  /** @param id - of a device or account, lower-case hex. */
  async account(id: string): Promise<OperatorAccountFacts | undefined> {
    return ((await this.#ask(`/accounts/${id}`)) as OperatorAccountFacts | null) ?? undefined
  }

  /** The operator's own account. */
  own(): Promise<OperatorAccountFacts | undefined> {
    return this.account(toHex(this.deviceId))
  }

  /** Hands in a record, after the account's first one if that is not there yet. @returns account and ids. */
  async publish(
    build: (signer: RecordSigner) => Promise<DirectoryRecord>
  ): Promise<{ account: string; records: string[] }> {
    const own = await this.own()
    const records: DirectoryRecord[] = []
    let prev = own && (fromHex(own.head) as RecordId)
    if (prev === undefined) {
      // A time of its own would make another account of each attempt.
      const init = { messagingKeyHash: this.#messagingKeyHash, recoveryKey: null, time: 0 }
      const create = await buildCreate(this.network, this.key, init)
      records.push(create)
      prev = recordIdOf(this.crypto, this.network, create)
    }
    const account = own?.account ?? toHex(prev)
    records.push(await build({ key: this.key, deviceId: this.deviceId, prev, time: Date.now() }))
    await this.#ask('/records', JSON.stringify({ records: records.map(record => toHex(encodeRecord(record))) }))
    return { account, records: records.map(record => toHex(recordIdOf(this.crypto, this.network, record))) }
  }

  /** @throws ConfigError if the node does not answer or refuses. */
  async #ask(path: string, body?: string): Promise<unknown> {
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: body! }
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
    let answer: Response
    try {
      answer = await fetch(this.#adminUrl + path, body === undefined ? { signal } : { ...post, signal })
    } catch (cause) {
      throw new ConfigError(`The node does not answer at ${this.#adminUrl}: start it first, with the same settings.`, {
        cause
      })
    }
    const text = await answer.text()
    if (answer.ok) return JSON.parse(text)
    const message = /"message": "([^"]*)"/.exec(text)?.[1] ?? text.trim()
    throw new ConfigError(`The node did not take it: ${message}.`)
  }
}

function networkFileOf(config: NodeConfig): string {
  return config.networkFile ?? join(config.dataDir, 'network.json')
}

function operatorKey(crypto: Crypto, config: NodeConfig): Promise<SigningKey> {
  return crypto.signingKeyFromSeed(openKeyFile(config.operatorKeyFile ?? join(config.dataDir, 'operator.key')))
}

function listening(config: NodeConfig): { url: string; adminUrl: string } {
  const file = join(config.dataDir, 'listening.json')
  if (!existsSync(file)) {
    throw new ConfigError(`No node has run with the data folder ${config.dataDir}: start it first, or set --data-dir.`)
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { url: string; adminUrl: string }
}

async function announce({ config, withdraw, url, link }: Arguments): Promise<Outcome> {
  const operator = await Operator.open(config)
  const nodeKey = await operator.crypto.signingKeyFromSeed(openKeyFile(nodeKeyFile(config)))
  const node = toHex(nodeKey.publicKey)
  const addresses = withdraw ? [] : addressesOf(config, nodeKey, url, link)
  const own = await operator.own()
  const known = own?.nodes.find(announced => announced.node === node)?.addresses ?? []
  if (known.join(' ') === addresses.join(' ')) {
    const text = withdraw
      ? 'This node is not announced: nothing to withdraw.'
      : 'This node is announced with these addresses already.'
    return { text, json: { account: own?.account ?? null, node, addresses, records: [] } }
  }
  const { account, records } = await operator.publish(signer => buildNode(operator.network, signer, nodeKey, addresses))
  const what = withdraw ? 'is withdrawn' : `is announced at ${addresses.join(' and ')}`
  const text = `Node ${node} ${what}.\nOperator ${account}. The record is on its way to the chain; "volo-node nodes" shows how far it is.`
  return { text, json: { account, node, addresses, records } }
}

/** What people and nodes reach this node by. @throws ConfigError naming what is missing. */
function addressesOf(
  config: NodeConfig,
  { publicKey }: SigningKey,
  url = config.publicUrl ?? listening(config).url,
  link = linkOf(config, publicKey)
): string[] {
  const origin = URL.canParse(url) ? new URL(url).origin : url
  if (!isNodeOrigin(origin)) throw new ConfigError(`--url takes an origin such as https://node.example, got "${url}".`)
  if (!isNodeLink(link)) {
    throw new ConfigError(
      `Say with --link where other nodes reach this one, such as /ip4/192.0.2.1/tcp/4001${link && `, not ${link}`}.`
    )
  }
  return [origin, link]
}

/** The address of the network file, or the one that the node listens on unless that means "everywhere". */
function linkOf(config: NodeConfig, key: Uint8Array): string {
  const { epochs } = readNetworkFile(networkFileOf(config))
  const listed = epochs.at(-1)!.nodes.find(node => equalBytes(node.key, key))?.link
  if (listed) return listed
  return config.linkListen && !/\/(0\.0\.0\.0|::)\/|\/tcp\/0$/.test(config.linkListen) ? config.linkListen : ''
}

async function vouch({ config, positionals }: Arguments): Promise<Outcome> {
  const id = positionals[0]!.toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(id)) throw new UsageError('vouch takes a node key or an operator: 64 hex characters')
  const operator = await Operator.open(config)
  const own = await operator.own()
  const { nodes } = await operator.nodes()
  const node = nodes.find(announced => announced.node === id)
  const target = await operator.account(node?.operator ?? id)
  if (target === undefined) {
    throw new ConfigError(`No node or operator ${id} is known here yet: it has to be announced first, and recorded.`)
  }
  if (own !== undefined && target.account === own.account) throw new ConfigError('Nobody vouches for themselves.')
  if (!own?.admitted) {
    throw new ConfigError(
      'This operator is not admitted itself: its word would count for nothing. Announce your node first.'
    )
  }
  const facts = { account: own.account, operator: target.account, nodes: target.nodes.map(({ node: key }) => key) }
  const vouchers = nodes.find(announced => announced.operator === target.account)?.vouchers ?? []
  if (target.admitted || vouchers.includes(own.account)) {
    const text = target.admitted ? 'That operator is admitted already.' : 'You have vouched for that operator already.'
    return { text, json: { ...facts, records: [] } }
  }
  const accountId = fromHex(target.account) as AccountId
  const { records } = await operator.publish(signer => buildVouch(operator.network, signer, accountId))
  const text = `You vouch for operator ${target.account}. It is admitted once two operators do, and cannot be put out again.`
  return { text, json: { ...facts, records } }
}

async function nodes({ config }: Arguments): Promise<Outcome> {
  const operator = await Operator.open(config)
  const facts = await operator.nodes()
  const lines = facts.nodes.map(({ node, operator: account, addresses, admitted, vouchers, listed, confirmations }) => {
    const state = confirmations === 0 ? 'waits for a block' : `${confirmations} confirmations`
    const standing = admitted ? 'admitted' : `${vouchers.length} of 2 vouchers`
    return `${node}\n  operator ${account}, ${standing}\n  ${addresses.join(' ')}\n  ${state}, ${listed ? 'in' : 'not in'} the list in force`
  })
  const text = [`${facts.nodes.length} announced nodes; epoch ${facts.epoch} is in force`, ...lines].join('\n')
  return { text, json: facts }
}

async function operator({ config, positionals }: Arguments): Promise<Outcome> {
  if (positionals[0] !== 'show') throw new UsageError('write "volo-node operator show [settings]"')
  const { publicKey } = await operatorKey(createNodeCrypto(), config)
  return { text: toHex(publicKey), json: { operator: toHex(publicKey) } }
}

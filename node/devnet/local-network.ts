/**
 * `npm run network`: a devnet and several nodes on this machine, each a process with data of its own, so that any of them
 * can be killed. What was made once (keys, genesis, ports) is used again.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { ListedNode, NodeKey, OperatorId } from '../../protocol/wire/placement.ts'
import { isBlockedByBrowsers } from '../../protocol/node-origin.ts'
import { ConfigError } from '../config/config-error.ts'
import { openKeyFile } from '../config/key-file.ts'
import { createNetwork, networkFileText, readNetworkFile } from '../config/network-file.ts'
import { PortReservation } from '../config/port-reservation.ts'

const HELP = `volo network: several nodes and a devnet on this machine

  --nodes N       how many nodes, 1 to 32 (default 3)
  --base-port P   node i serves on port P + i - 1 (default 8801)
  --data DIR      folder of all keys and stores (default .data/network-N)
  --help          this text

Other settings of volo-node can be given as environment variables; they hold for every node.`

const MAX_NODES = 32
/** The links between nodes and the devnet are this far above the base port, where that is free. */
const LINK_OFFSET = 100
const DEVNET_OFFSET = 99
const READY_LOOK_MS = 100
const READY_DEADLINE_MS = 180_000
const STOP_DEADLINE_MS = 12_000
const EXIT_FAILED = 1
const EXIT_USAGE = 2

/** TypeScript when this runs unbuilt, JavaScript when it is built. */
const extension = import.meta.filename.endsWith('.ts') ? '.ts' : '.js'

interface Settings {
  nodes: number
  basePort: number
  dataDir: string
}

/** Ports that were chosen once: what is written in the network file must stay true. */
interface Ports {
  basePort: number
  devnet: number
  links: number[]
}

class UsageError extends Error {}

function readSettings(): Settings | undefined {
  const options = {
    nodes: { type: 'string', default: '3' },
    'base-port': { type: 'string', default: '8801' },
    data: { type: 'string' },
    help: { type: 'boolean', default: false }
  } as const
  try {
    const { values } = parseArgs({ options })
    if (values.help) return undefined
    const nodes = numberOf(values.nodes, 'nodes', 1, MAX_NODES)
    const basePort = numberOf(values['base-port'], 'base-port', 1, 65_535 - LINK_OFFSET - MAX_NODES)
    const blocked = Array.from({ length: nodes }, (_, i) => basePort + i).find(isBlockedByBrowsers)
    if (blocked !== undefined)
      throw new Error(`browsers refuse to connect to port ${blocked}: choose another --base-port`)
    return { nodes, basePort, dataDir: resolve(values.data ?? join('.data', `network-${nodes}`)) }
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

function numberOf(text: string, name: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${name} takes a number from ${min} to ${max}, got "${text}"`)
}

const nodeFolder = (dataDir: string, index: number): string => join(dataDir, `node-${index + 1}`)

async function choosePorts({ nodes, basePort, dataDir }: Settings): Promise<Ports> {
  const file = join(dataDir, 'ports.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ports) : undefined
  if (kept?.basePort === basePort && kept.links.length === nodes) return kept
  const devnet = await freePort(basePort + DEVNET_OFFSET)
  const links: number[] = []
  for (let i = 0; i < nodes; i++) links.push(await freePort(basePort + LINK_OFFSET + i))
  const ports = { basePort, devnet, links }
  writeFileSync(file, JSON.stringify(ports))
  return ports
}

/** The port, or any free one if it is taken. */
async function freePort(port: number): Promise<number> {
  const request = { host: '127.0.0.1', setting: '--base-port', isExplicit: true }
  const reservation = await PortReservation.reserve({ ...request, port }).catch(() =>
    PortReservation.reserve({ ...request, port: 0 })
  )
  await reservation.release()
  return reservation.port
}

/** Writes the network file: a new genesis the first time, the same one with today's addresses after that. */
async function writeNetworkFile({ nodes, basePort, dataDir }: Settings, ports: Ports): Promise<string> {
  const crypto = createNodeCrypto()
  const listed: ListedNode[] = []
  for (let i = 0; i < nodes; i++) {
    const { publicKey } = await crypto.signingKeyFromSeed(openKeyFile(join(nodeFolder(dataDir, i), 'node.key')))
    listed.push({
      key: publicKey as NodeKey,
      // Every node is an operator of its own, so that copies are kept by different ones.
      operator: crypto.sha256(publicKey) as OperatorId,
      url: `http://127.0.0.1:${basePort + i}`,
      link: `/ip4/127.0.0.1/tcp/${ports.links[i]}`
    })
  }
  const file = join(dataDir, 'network.json')
  let definition = createNetwork(crypto, listed)
  if (existsSync(file)) {
    const { genesis, epochs } = readNetworkFile(file)
    if (epochs[0]!.nodes.length !== nodes) {
      throw new ConfigError(
        `${dataDir} holds a network of ${epochs[0]!.nodes.length} nodes: start it with --nodes ${epochs[0]!.nodes.length}, or choose another folder with --data.`
      )
    }
    definition = { genesis, epochs: epochs.map(epoch => ({ ...epoch, nodes: listed })) }
  }
  writeFileSync(file, networkFileText(definition))
  return file
}

/** Everything this launcher started, to be ended with it. */
const children = new Set<ChildProcess>()

function start(file: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [file, ...args], {
    // The channel tells a node that its launcher is gone, however it went.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...env }
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** First line that a process prints. @throws ConfigError if it ends without one. */
function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => reject(new ConfigError(`${what} ended at once (exit code ${code}); see above.`)))
    createInterface({ input: child.stdout! }).once('line', resolve)
  })
}

async function startDevnet(dataDir: string, port: number): Promise<string> {
  const file = resolve(import.meta.dirname, `../../chain/devnet/main${extension}`)
  const child = start(file, ['--data', join(dataDir, 'devnet'), '--port', String(port)])
  return (JSON.parse(await firstLine(child, 'The devnet')) as { url: string }).url
}

async function startNode(
  settings: Settings,
  index: number,
  shared: { network: string; chain: string }
): Promise<string> {
  const { basePort, dataDir } = settings
  const child = start(resolve(import.meta.dirname, `../main${extension}`), ['start'], {
    VOLO_PORT: String(basePort + index),
    VOLO_ADMIN_PORT: '0',
    VOLO_DATA_DIR: nodeFolder(dataDir, index),
    VOLO_NETWORK_FILE: shared.network,
    VOLO_CHAIN_URL: shared.chain
  })
  const url = `http://127.0.0.1:${basePort + index}`
  await Promise.race([firstLine(child, `Node ${index + 1}`), untilReady(url)])
  await untilReady(url)
  // From here on a node may be killed: the others go on, and so do we.
  child.removeAllListeners('exit')
  child.once('exit', () => children.delete(child))
  return url
}

async function untilReady(url: string): Promise<void> {
  for (const end = Date.now() + READY_DEADLINE_MS; Date.now() < end; await sleep(READY_LOOK_MS)) {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
  }
  throw new ConfigError(`${url} did not become ready; its /readyz says why.`)
}

/** Ends everything that was started, and waits for it. */
async function stopAll(): Promise<void> {
  const running = [...children]
  const ended = Promise.all(running.map(child => new Promise(resolve => child.once('exit', resolve))))
  for (const child of running) child.kill('SIGTERM')
  const deadline = new AbortController()
  await Promise.race([ended, sleep(STOP_DEADLINE_MS, undefined, { signal: deadline.signal })])
  deadline.abort()
  for (const child of children) child.kill('SIGKILL')
}

function stopSignal(): Promise<'stop'> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'))
    if (process.channel) process.on('disconnect', () => resolve('stop'))
  })
}

async function startAll(settings: Settings): Promise<void> {
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 })
  const ports = await choosePorts(settings)
  const network = await writeNetworkFile(settings, ports)
  const chain = await startDevnet(settings.dataDir, ports.devnet)
  const indexes = Array.from({ length: settings.nodes }, (_, index) => index)
  const urls = await Promise.all(indexes.map(index => startNode(settings, index, { network, chain })))
  for (const [index, url] of urls.entries()) console.log(`node ${index + 1}: ${url}`)
}

async function main(): Promise<void> {
  const settings = readSettings()
  if (!settings) return console.log(HELP)
  const stop = stopSignal()
  try {
    const started = startAll(settings).then(() => 'started' as const)
    if ((await Promise.race([started, stop])) === 'started') await stop
    started.catch(() => undefined)
  } finally {
    await stopAll()
    if (process.channel) process.disconnect()
  }
}

try {
  await main()
} catch (error) {
  const isKnown = error instanceof UsageError || error instanceof ConfigError
  console.error(isKnown ? `volo network: ${error.message}` : error)
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
}

/** `volo-node`: the operator's command. */
import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { toHex } from '../protocol/bytes.ts'
import { createNodeCrypto } from '../protocol/crypto/backends/node-crypto.ts'
import { ConfigError } from './config/config-error.ts'
import { describeConfig, describeSettings, readConfig, type NodeConfig } from './config/config.ts'
import { openKeyFile } from './config/key-file.ts'
import { nodeKeyFile } from './config/load-network.ts'
import { LOOPBACK_HOST } from './http/security-headers.ts'
import { createLogger } from './logger.ts'
import { runChainCommand } from './operator/chain-rebuild.ts'
import { readNetworkFile } from './config/network-file.ts'
import { OPERATOR_COMMANDS, runOperatorCommand } from './operator/chain-commands.ts'
import { describeNodeCommands, NODE_COMMANDS, runNodeCommand } from './operator/node-commands.ts'
import { UsageError } from './operator/usage-error.ts'
import type { Logger } from './ports.ts'
import { readProviders } from './accounts/sign-in/provider-config.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
/** A stop that takes longer is cut short. */
const STOP_DEADLINE_MS = 10_000
/** Once stopped, lingering sockets have this long to go away by themselves. */
const LINGER_MS = 500

const USAGE = `volo-node: a node of a Volo network

  volo-node start [settings]         runs a node; without settings, a network of its own to try Volo
  volo-node config check [settings]  says what is wrong with the settings, or that nothing is
  volo-node config print [settings]  shows every setting and where it comes from; secrets are hidden
  volo-node key show [settings]      shows this node's public key, making its key file if there is none
  volo-node operator show [settings] shows the operator's public key, for the genesis of a network; makes it if there is none
  volo-node announce [settings]      announces this node on the chain, or its new addresses; the node must be running
                                     --url, --link: other addresses than its settings tell; --withdraw takes it back
  volo-node vouch <id> [settings]    vouches for the operator of a node (its key), or for an operator (its account)
  volo-node nodes [settings]         lists announced nodes, who is admitted, and who is in the list in force
  volo-node chain rebuild [settings] forgets what was read of the chain, while the node is stopped; the next start reads all
                                     of it again. For chain-contradiction on /readyz
                                     these five take --json
${describeNodeCommands()}
  volo-node --version | --help

Exit codes: 0 done, 1 it could not be done, 2 it was written wrongly.

Settings come from flags, then environment variables, then a JSON file named by --config or VOLO_CONFIG_FILE, such as
{ "port": 443, "host": "0.0.0.0" }. Each of them:
`

async function main(args: string[]): Promise<void> {
  const [command, subcommand] = args
  if (NODE_COMMANDS.includes(command ?? '')) return nodeCommand(args)
  if (args.includes('--help') || command === 'help') return console.log(`${USAGE}\n${describeSettings()}`)
  if (command === '--version') return console.log(version())
  if (command === 'start' || command === undefined || command.startsWith('--')) {
    return start(command === 'start' ? args.slice(1) : args)
  }
  const flags = args.slice(2)
  if (command === 'config' && subcommand === 'check') return checkConfig(readConfig(flags, process.env))
  if (command === 'config' && subcommand === 'print') {
    return console.log(describeConfig(readConfig(flags, process.env)))
  }
  if (command === 'key' && subcommand === 'show') return showKey(readConfig(flags, process.env))
  if (command === 'chain') return console.log(await runChainCommand(args, process.env))
  if (OPERATOR_COMMANDS.includes(command)) return console.log(await runOperatorCommand(args, process.env))
  process.exitCode = EXIT_USAGE
  console.error(`volo-node: there is no command "${args.slice(0, 2).join(' ')}"; "volo-node --help" lists them.`)
}

async function nodeCommand(args: string[]): Promise<void> {
  const { output, failure } = await runNodeCommand(args, process.env, version())
  console.log(output)
  if (failure === undefined) return
  process.exitCode = EXIT_FAILED
  console.error(`volo-node: ${failure}`)
}

async function start(flags: string[]): Promise<void> {
  // Whatever the shell or service manager says: nothing that a node writes is for others.
  process.umask(0o077)
  const config = readConfig(flags, process.env)
  const logger = createLogger(config.logLevel)
  const log = logger.forComponent('volo:main')
  const stop = stopSignal()
  const unknown = config.unknownVariables
  if (unknown.length > 0) log.warn('environment variables that are no settings', { unknown })
  const fault = unhandledFault(log)
  // Loaded here, so that --help and wrong settings answer at once; compiled code is kept for the next start.
  enableCompileCache()
  // Buffers of files count to the limit of the whole heap, not to that of its old part: else each few of them cost a full collection.
  setFlagsFromString('--external-memory-accounted-in-global-limit')
  const { VoloNode } = await import('./volo-node.ts')
  const node = await VoloNode.start({ config, version: version(), logger })
  announce(config, node.url)
  const { reasons } = node.readiness()
  if (reasons.length > 0) log.warn('this node runs, but people cannot chat through it yet', { reasons })
  const failure = await Promise.race([stop, node.drainAsked, node.failed, fault])
  if (failure instanceof Error) {
    log.error('this node cannot go on', { error: failure })
    console.error(`volo-node: ${failure.message}; see the log above. What was acknowledged is safe on disk.`)
    process.exitCode = EXIT_FAILED
  }
  const deadline = setTimeout(() => {
    console.error('volo-node: stopping took too long and was cut short; nothing that was acknowledged is lost.')
    process.exit(EXIT_FAILED)
  }, STOP_DEADLINE_MS)
  await node.stop()
  clearTimeout(deadline)
  setTimeout(() => process.exit(), LINGER_MS).unref()
}

/** Failures of one peer's connection, which must not end everybody's. */
const PEER_FAILURES = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ENOTCONN', 'ERR_STREAM_DESTROYED'])

/**
 * Resolves with a failure that nobody handled and that leaves the node in doubt: it stops cleanly then. A rejected promise
 * belongs to one request or peer; it is logged, and the others go on.
 */
function unhandledFault(log: Logger): Promise<Error> {
  return new Promise(resolve => {
    process.on('unhandledRejection', error => log.error('a failure that nobody handled', { error }))
    process.on('uncaughtException', error => {
      log.error('a failure that nobody handled', { error })
      if (!PEER_FAILURES.has((error as NodeJS.ErrnoException).code ?? '')) resolve(error)
    })
  })
}

/** Resolves when the node is asked to end: by a signal, or by the end of its parent process. */
function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    // Further signals are the same wish: a terminal sends one to the launcher and to us.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    if (process.channel) {
      process.on('disconnect', () => resolve())
      process.channel.unref()
    }
  })
}

/** The one line on stdout. */
function announce({ port, sources }: NodeConfig, url: string): void {
  const isMoved = sources.port === 'default' && new URL(url).port !== String(port)
  console.log(`Volo is ready at ${url}${isMoved ? ` (port ${port} is taken)` : ''}`)
}

function checkConfig(config: NodeConfig): void {
  const placement = config.networkFile ? readNetworkFile(config.networkFile).genesis.placement : undefined
  if (config.signInProvidersFile !== undefined) readProviders(config.signInProvidersFile)
  if (config.chainUrl !== undefined && config.networkFile === undefined) {
    throw new ConfigError('VOLO_CHAIN_URL needs VOLO_NETWORK_FILE: the file says which network of that chain this is.')
  }
  if (config.webDir !== undefined && !existsSync(join(config.webDir, 'index.html'))) {
    throw new ConfigError(`VOLO_WEB_DIR ${config.webDir} holds no web app (index.html).`)
  }
  requireWritable(config.dataDir)
  for (const variable of config.unknownVariables) console.log(`warning: ${variable} is not a setting`)
  const { publicUrl } = config
  if (publicUrl?.startsWith('http:') && !LOOPBACK_HOST.test(new URL(publicUrl).hostname)) {
    console.log(`warning: browsers use the app over https only, except on this machine; ${publicUrl} is not https`)
  }
  if (placement !== undefined) {
    const { epochBlocks, finalBlocks } = placement
    console.log(`Lists of nodes follow the chain: every ${epochBlocks} blocks, ${finalBlocks} blocks later.`)
  }
  console.log('The configuration is fine.')
}

/** The folder, or the nearest one above it that exists, must take new files. */
function requireWritable(folder: string): void {
  let existing = folder
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  try {
    accessSync(existing, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new ConfigError(`Cannot write to the data folder ${folder}: check its permissions or set VOLO_DATA_DIR.`, {
      cause
    })
  }
}

async function showKey(config: NodeConfig): Promise<void> {
  const seed = openKeyFile(nodeKeyFile(config))
  const { publicKey } = await createNodeCrypto().signingKeyFromSeed(seed)
  console.log(toHex(publicKey))
}

function version(): string {
  // The nearest package.json above this file is ours, built or not.
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = resolve(folder, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED
  // What an operator can mend is one sentence; anything else is a fault of ours, and shows where.
  console.error(isUsage || error instanceof ConfigError ? `volo-node: ${error.message}` : error)
}

import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** What the command is asked to do. */
export type ReleaseRequest =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly problem: string }
  | { readonly kind: 'key gen' | 'key show'; readonly key: string; readonly json: boolean }
  | { readonly kind: 'manifest'; readonly web: string; readonly json: boolean }
  | ({ readonly kind: 'publish' } & PublishArguments)

export interface PublishArguments {
  /** File of the release key. */
  readonly key: string
  /** File with the network's genesis. */
  readonly network: string
  /** Base URL of a Blockfrost-compatible server. */
  readonly blockfrost: string
  readonly projectIdFile: string | undefined
  /** Key file of the wallet that pays; made if missing. */
  readonly wallet: string
  /** Folder of the built app. */
  readonly web: string
  readonly minConf: number
  readonly timeoutMs: number
  readonly json: boolean
}

const DEFAULT_TIMEOUT_MIN = 30
const MINUTE_MS = 60_000
const DEFAULT_WEB = join('dist', 'web')

export const RELEASE_HELP = `Usage: npm run release -- <command> [options]

  key gen --key FILE     makes a release key in a new file of mode 0600 and prints its public half, for a network's genesis
  key show --key FILE    prints the public half
  manifest               holds the built app against its manifest and prints the manifest's hash
  publish                signs a RELEASE record that names the manifest, publishes it, and waits until it is recorded

  --key FILE             the release key
  --network FILE         JSON with the network's genesis, which names the release key
  --blockfrost URL       a Blockfrost-compatible API of the network's chain
  --project-id-file FILE its project id
  --wallet FILE          key file of the wallet that pays, mode 0600; made if missing (default .data/release/wallet.key)
  --web DIR              the built app (default ${DEFAULT_WEB})
  --min-conf N           blocks that must hold the record, its own included (default 1)
  --timeout MINUTES      (default ${DEFAULT_TIMEOUT_MIN})
  --json                 one JSON object on standard output

A build that is the newest release already is not published again.
Exit codes: 0 done, 1 failed, 2 usage.
`

const OPTIONS = {
  key: { type: 'string' },
  network: { type: 'string' },
  blockfrost: { type: 'string' },
  'project-id-file': { type: 'string' },
  wallet: { type: 'string' },
  web: { type: 'string' },
  'min-conf': { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' }
} as const

type Values = ReturnType<typeof parse>['values']

function parse(argv: string[]) {
  return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true })
}

const usage = (problem: string): ReleaseRequest => ({ kind: 'usage', problem })

/** Reads the command line. */
export function readReleaseRequest(argv: string[]): ReleaseRequest {
  let parsed
  try {
    parsed = parse(argv)
  } catch (error) {
    return usage((error as Error).message)
  }
  const { values, positionals } = parsed
  const command = positionals.join(' ')
  const { key, web = DEFAULT_WEB, json = false } = values
  if (values.help) return { kind: 'help' }
  if (command === 'manifest') return { kind: 'manifest', web, json }
  if (command === 'key gen' || command === 'key show') {
    return key === undefined ? usage('--key FILE is missing') : { kind: command, key, json }
  }
  return command === 'publish' ? readPublish(values) : usage(`there is no command "${command}"`)
}

function readPublish(values: Values): ReleaseRequest {
  const { key, network, blockfrost, web = DEFAULT_WEB, json = false } = values
  if (key === undefined || network === undefined || blockfrost === undefined) {
    return usage('publish needs --key, --network and --blockfrost')
  }
  if (!URL.canParse(blockfrost)) return usage(`--blockfrost takes an address, got "${blockfrost}"`)
  const minConf = wholeNumber(values['min-conf'] ?? '1')
  const timeoutMin = wholeNumber(values.timeout ?? String(DEFAULT_TIMEOUT_MIN))
  if (minConf === undefined || timeoutMin === undefined) return usage('--min-conf and --timeout take whole numbers')
  return {
    kind: 'publish',
    key,
    network,
    blockfrost,
    projectIdFile: values['project-id-file'],
    wallet: values.wallet ?? join('.data', 'release', 'wallet.key'),
    web,
    minConf: Math.max(1, minConf),
    timeoutMs: timeoutMin * MINUTE_MS,
    json
  }
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,6}$/.test(text) ? Number(text) : undefined)

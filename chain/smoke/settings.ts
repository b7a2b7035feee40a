/** What a smoke run is told, by flags and by the environment. The only file here that reads `process.env`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** Test ADA that a run needs at hand, in lovelace: two transactions and an output that stays. */
export const NEEDED_LOVELACE = 3_000_000n
const DEFAULT_TIMEOUT_MIN = 30
const MINUTE_MS = 60_000
const MAX_PROJECT_ID_LENGTH = 256

/** Where a run goes to. */
export type SmokeTarget =
  | { readonly kind: 'devnet' }
  /** Hosted Blockfrost: its project id names the network. */
  | { readonly kind: 'hosted'; readonly url: string; readonly projectId: string }
  /** A Blockfrost-compatible server of one's own. */
  | { readonly kind: 'server'; readonly url: string; readonly projectId: string | undefined }

export interface SmokeSettings {
  readonly target: SmokeTarget
  /** Key file of the wallet that pays; made if missing. */
  readonly walletKeyFile: string
  /** Milliseconds for the whole run. */
  readonly timeoutMs: number
  /** Whether to wait until the records are settled. */
  readonly settled: boolean
  readonly json: boolean
}

/** What the command line and the environment ask for. */
export type SmokeRequest =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly problem: string }
  /** There is nothing to run against. */
  | { readonly kind: 'not-run'; readonly reason: string; readonly json: boolean }
  | { readonly kind: 'run'; readonly settings: SmokeSettings }

export const SMOKE_HELP = `Usage: npm run smoke:preprod [-- options]

Takes one account through its whole life on a real Cardano test network: wallet, CREATE and NAME commitment in one
transaction, reveal, following, and volo-verify online and offline. Costs about 0.4 test ADA.

  --url URL          a Blockfrost-compatible server of your own instead of hosted Blockfrost
  --devnet           a local devnet with emulated ledger rules instead of a real network
  --wallet FILE      key file of the wallet that pays, mode 0600; made if missing
                     (default .data/smoke/wallet.key)
  --settled          wait for 15 confirmations, too
  --timeout MINUTES  for the whole run (default ${DEFAULT_TIMEOUT_MIN})
  --json             one JSON object a line
  -h, --help         this text

BLOCKFROST_PROJECT_ID, or BLOCKFROST_PROJECT_ID_FILE with the name of a file that holds it, says which network is meant:
preprod or preview. Mainnet is refused.

Exit codes: 0 all of it worked, 1 something did not, 2 usage, 3 it was not run: no project id, or an empty wallet.
`

const HOSTED = 'blockfrost.io/api/v0'
const HOSTED_NETWORKS = ['preprod', 'preview']

const OPTIONS = {
  url: { type: 'string' },
  devnet: { type: 'boolean' },
  wallet: { type: 'string' },
  settled: { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' }
} as const

/** Reads flags and environment. A project id stays out of every message. */
export function readSmokeRequest(argv: string[], env: NodeJS.ProcessEnv = process.env): SmokeRequest {
  let values
  try {
    values = parseArgs({ args: argv, options: OPTIONS }).values
  } catch (error) {
    return { kind: 'usage', problem: (error as Error).message }
  }
  if (values.help) return { kind: 'help' }
  const { url, devnet = false, json = false, settled = false } = values
  const timeoutMin = /^\d{1,4}$/.test(values.timeout ?? '') ? Number(values.timeout) : DEFAULT_TIMEOUT_MIN
  if (values.timeout !== undefined && String(timeoutMin) !== values.timeout) {
    return { kind: 'usage', problem: `--timeout takes whole minutes, got "${values.timeout}"` }
  }
  const target = targetOf(devnet, url, env)
  if (target.kind === 'usage') return target
  if (target.kind === 'not-run') return { ...target, json }
  const walletKeyFile = values.wallet ?? join('.data', 'smoke', 'wallet.key')
  return { kind: 'run', settings: { target, walletKeyFile, timeoutMs: timeoutMin * MINUTE_MS, settled, json } }
}

type Refused = { readonly kind: 'usage'; readonly problem: string }
type Missing = { readonly kind: 'not-run'; readonly reason: string }

function targetOf(devnet: boolean, url: string | undefined, env: NodeJS.ProcessEnv): SmokeTarget | Refused | Missing {
  if (devnet) {
    return url === undefined ? { kind: 'devnet' } : { kind: 'usage', problem: '--devnet and --url exclude each other' }
  }
  const projectId = projectIdOf(env)
  if (typeof projectId === 'object') return projectId
  if (url !== undefined) {
    const isWeb = URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol)
    return isWeb
      ? { kind: 'server', url, projectId }
      : { kind: 'usage', problem: `--url takes an address, got "${url}"` }
  }
  if (projectId === undefined) {
    const reason =
      'no project id is given: set BLOCKFROST_PROJECT_ID or BLOCKFROST_PROJECT_ID_FILE (blockfrost.io has free ones for preprod), or name a server with --url'
    return { kind: 'not-run', reason }
  }
  const network = HOSTED_NETWORKS.find(name => projectId.startsWith(name))
  if (!network) {
    return {
      kind: 'usage',
      problem: `the project id is of none of ${HOSTED_NETWORKS.join(', ')}: mainnet is not for trying`
    }
  }
  return { kind: 'hosted', url: `https://cardano-${network}.${HOSTED}`, projectId }
}

function projectIdOf(env: NodeJS.ProcessEnv): string | undefined | Refused {
  const { BLOCKFROST_PROJECT_ID: direct, BLOCKFROST_PROJECT_ID_FILE: file } = env
  if (direct) return direct.trim()
  if (!file) return undefined
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch {
    return { kind: 'usage', problem: `BLOCKFROST_PROJECT_ID_FILE ${file} cannot be read` }
  }
  if (text !== '' && text.length <= MAX_PROJECT_ID_LENGTH) return text
  return { kind: 'usage', problem: `BLOCKFROST_PROJECT_ID_FILE ${file} does not hold a project id` }
}

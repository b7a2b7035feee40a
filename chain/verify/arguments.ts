/** The command line. Imports nothing heavy, so that a wrong one is told at once. */
import { parseArgs } from 'node:util'
import { VerifyError } from './errors.ts'
import type { TrustLevel } from './report/report.ts'
import type { VerifyOptions } from './checks/verification.ts'

export const COMMAND_NAMES = [
  'account',
  'device',
  'keys',
  'signature',
  'record',
  'safety-number',
  'proof export',
  'proof check',
  'audit',
  'monitor',
  'name',
  'compare',
  'doctor',
  'bundle',
  'complaint',
  'nodes'
] as const

export type CommandName = (typeof COMMAND_NAMES)[number]

/** Default of `--max-tip-age`, in minutes: Cardano makes a block every 20 seconds on average. */
export const DEFAULT_MAX_TIP_AGE_MIN = 30
/** Default of `--min-conf`. */
export const DEFAULT_MIN_CONF = 1
/** Default of `--interval`, in seconds. */
export const DEFAULT_INTERVAL_S = 60
const MINUTE_MS = 60_000
const MAX_SOURCES = 16

/** A Blockfrost server that was named. */
export interface BlockfrostArgument {
  readonly url: string
  readonly projectIdFile: string | undefined
}

/** A command line that was understood. */
export interface Invocation {
  readonly command: CommandName
  readonly positionals: readonly string[]
  readonly nodes: readonly string[]
  readonly blockfrosts: readonly BlockfrostArgument[]
  readonly proofs: readonly string[]
  /** Sources of a kind that is to be found out. */
  readonly others: readonly string[]
  readonly networkFile: string | undefined
  readonly options: VerifyOptions
  readonly json: boolean
  readonly quiet: boolean
  /** Options of single commands, as typed. */
  readonly out: string | undefined
  readonly format: string | undefined
  readonly by: string | undefined
  readonly signature: string | undefined
  readonly expect: string | undefined
  readonly account: string | undefined
  readonly manifest: string | undefined
  readonly state: string | undefined
  readonly fromHeight: number | undefined
  readonly once: boolean
  readonly accept: boolean
  /** Seconds. */
  readonly interval: number
}

const OPTIONS = {
  node: { type: 'string', multiple: true },
  blockfrost: { type: 'string', multiple: true },
  'project-id-file': { type: 'string', multiple: true },
  proof: { type: 'string', multiple: true },
  source: { type: 'string', multiple: true },
  network: { type: 'string' },
  'min-conf': { type: 'string' },
  'trust-level': { type: 'string' },
  'at-height': { type: 'string' },
  'max-tip-age': { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  out: { type: 'string' },
  format: { type: 'string' },
  by: { type: 'string' },
  signature: { type: 'string' },
  expect: { type: 'string' },
  account: { type: 'string' },
  manifest: { type: 'string' },
  'from-height': { type: 'string' },
  interval: { type: 'string' },
  once: { type: 'boolean' },
  state: { type: 'string' },
  accept: { type: 'boolean' }
} as const

/** Options that belong to some commands only. */
const OWNED_BY: Readonly<Record<string, readonly CommandName[]>> = {
  out: ['proof export', 'keys'],
  format: ['keys'],
  by: ['signature'],
  signature: ['signature'],
  expect: ['safety-number'],
  account: ['record'],
  manifest: ['bundle'],
  source: ['compare'],
  'from-height': ['audit'],
  interval: ['monitor'],
  once: ['monitor'],
  state: ['monitor'],
  accept: ['monitor']
}

/** How many words each command takes after its name. */
const POSITIONALS: Readonly<Record<CommandName, readonly [min: number, max: number]>> = {
  account: [1, 1],
  device: [2, 2],
  keys: [1, 1],
  signature: [1, 1],
  record: [1, 1],
  'safety-number': [2, 2],
  'proof export': [1, 1],
  'proof check': [1, 2],
  audit: [0, 0],
  monitor: [1, 1],
  name: [1, 1],
  compare: [0, 64],
  doctor: [0, 0],
  bundle: [0, 0],
  complaint: [1, 1],
  nodes: [0, 64]
}

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly of: string | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly invocation: Invocation }

const usage = (message: string, cause?: unknown): VerifyError => new VerifyError('USAGE', message, { cause })

/** Parses the arguments after `volo-verify`. @throws VerifyError `USAGE` with a sentence that says what is wrong. */
export function parseArguments(argv: readonly string[]): Request {
  const { values, positionals, tokens } = tokenize(argv)
  const { command, rest } = splitCommand(positionals)
  if (values.help || positionals[0] === 'help') {
    const asked = positionals[0] === 'help' ? splitCommand(positionals.slice(1)).command : command
    return { kind: 'help', of: asked }
  }
  if (values.version) return { kind: 'version' }
  if (!command) {
    if (positionals.length === 0) throw usage('a command is missing')
    throw usage(`"${positionals.slice(0, 2).join(' ')}" is not a command`)
  }
  requireFit(command, rest, Object.keys(values))
  const { nodes, others } = { nodes: urls('node', values.node), others: urls('source', values.source) }
  const blockfrosts = pairProjectIds(tokens)
  const proofs = values.proof ?? []
  if (proofs.length > 0 && nodes.length + blockfrosts.length + others.length > 0) {
    throw usage('--proof is for use without any network: leave out --node and --blockfrost')
  }
  if (nodes.length + blockfrosts.length + others.length + proofs.length > MAX_SOURCES) {
    throw usage(`at most ${MAX_SOURCES} sources can be asked`)
  }
  const invocation: Invocation = {
    command,
    positionals: rest,
    nodes,
    blockfrosts,
    proofs,
    others,
    networkFile: values.network,
    options: {
      minConf: number('min-conf', values['min-conf']) ?? DEFAULT_MIN_CONF,
      trustLevel: trustLevel(values['trust-level']),
      atHeight: number('at-height', values['at-height']),
      maxTipAgeMs: (number('max-tip-age', values['max-tip-age']) ?? DEFAULT_MAX_TIP_AGE_MIN) * MINUTE_MS
    },
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    out: values.out,
    format: values.format,
    by: values.by,
    signature: values.signature,
    expect: values.expect,
    account: values.account,
    manifest: values.manifest,
    state: values.state,
    fromHeight: number('from-height', values['from-height']),
    once: values.once ?? false,
    accept: values.accept ?? false,
    interval: number('interval', values.interval, 1) ?? DEFAULT_INTERVAL_S
  }
  return { kind: 'run', invocation }
}

function tokenize(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true, tokens: true })
  } catch (cause) {
    throw usage((cause as Error).message.split('. ')[0]!, cause)
  }
}

function splitCommand(positionals: readonly string[]): { command: CommandName | undefined; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const name = positionals.slice(0, length).join(' ')
    const command = COMMAND_NAMES.find(known => known === name)
    if (command) return { command, rest: positionals.slice(length) }
  }
  return { command: undefined, rest: positionals }
}

function requireFit(command: CommandName, rest: readonly string[], options: readonly string[]): void {
  for (const option of options) {
    const owners = OWNED_BY[option]
    if (owners && !owners.includes(command)) throw usage(`--${option} belongs to "${owners.join('", "')}"`)
  }
  const [min, max] = POSITIONALS[command]
  if (rest.length < min) throw usage(`${command} needs ${min === 1 ? 'one argument' : `${min} arguments`}`)
  if (rest.length > max) throw usage(`"${rest[max]}" is too much for ${command}`)
}

function urls(option: string, values: readonly string[] | undefined): string[] {
  return (values ?? []).map(value => requireUrl(option, value))
}

function requireUrl(option: string, value: string): string {
  const protocol = URL.canParse(value) ? new URL(value).protocol : ''
  if (protocol === 'http:' || protocol === 'https:') return value
  throw usage(`--${option} must be an address such as https://node.example, got "${value}"`)
}

type Token = ReturnType<typeof tokenize>['tokens'][number]

/** A project id goes to the server named just before it, and to no other. */
function pairProjectIds(tokens: readonly Token[]): BlockfrostArgument[] {
  const servers: { url: string; projectIdFile: string | undefined }[] = []
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (token.name === 'blockfrost') {
      servers.push({ url: requireUrl('blockfrost', token.value ?? ''), projectIdFile: undefined })
    } else if (token.name === 'project-id-file') {
      const server = servers.at(-1)
      if (!server || server.projectIdFile !== undefined) throw usage('--project-id-file follows its --blockfrost URL')
      server.projectIdFile = token.value
    }
  }
  return servers
}

const MAX_NUMBER_DIGITS = 12

function number(option: string, text: string | undefined, min = 0): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) && text.length <= MAX_NUMBER_DIGITS ? Number(text) : NaN
  if (value >= min) return value
  throw usage(`--${option} takes a whole number from ${min} on, got "${text}"`)
}

function trustLevel(text: string | undefined): TrustLevel | undefined {
  if (text === undefined) return undefined
  const match = /^L?([0-4])$/i.exec(text)
  if (!match) throw usage(`--trust-level is one of L0 to L4, got "${text}"`)
  return Number(match[1]) as TrustLevel
}

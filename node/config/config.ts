/**
 * Configuration of `volo-node`: flags win over environment variables, these over the configuration file, this over the
 * defaults. Parsed once, here; nothing else in the node reads the environment.
 */
import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { isBlockedByBrowsers } from '../../protocol/node-origin.ts'
import { ConfigError } from './config-error.ts'
import { requireProduction } from './production.ts'
import {
  flagOf,
  SETTING_NAMES,
  SETTINGS,
  variableOf,
  type Setting,
  type SettingName,
  type SettingValues
} from './settings.ts'

/** Where a value came from. */
export type SettingSource = 'flag' | 'environment' | 'file' | 'default'

/** A node's configuration: all paths absolute, all secrets read from their files. */
export interface NodeConfig extends SettingValues {
  /** Where each value came from: a port that was asked for is not traded for another. */
  sources: Record<SettingName, SettingSource>
  /** Variables that begin with VOLO_ and are no setting, probably misspelt: worth a warning. */
  unknownVariables: string[]
}

const PATHS: SettingName[] = [
  'dataDir',
  'networkFile',
  'nodeKeyFile',
  'operatorKeyFile',
  'chainProjectIdFile',
  'secondChainProjectIdFile',
  'walletKeyFile',
  'signInProvidersFile',
  'storageKeyFile',
  'webDir'
]

/** Short forms of flags. */
const ALIASES: Record<string, SettingName> = { '--data': 'dataDir' }
const CONFIG_FLAG = '--config'
const CONFIG_VARIABLE = 'VOLO_CONFIG_FILE'

/**
 * Reads the configuration.
 * @param flags - command-line arguments after the command.
 * @throws {@link ConfigError} for anything unknown, malformed, contradictory or unreadable.
 */
export function readConfig(flags: string[], env: Record<string, string | undefined>, cwd = process.cwd()): NodeConfig {
  const fromFlags = parseFlags(flags)
  const file = fromFlags.get(CONFIG_FLAG) ?? env[CONFIG_VARIABLE]
  const fromFile = file ? readConfigFile(resolve(cwd, file)) : {}
  const sources = {} as Record<SettingName, SettingSource>
  const values: Record<string, unknown> = {}
  for (const name of SETTING_NAMES) {
    const found = find(name, fromFlags, env, fromFile)
    sources[name] = found.source
    values[name] = parseSetting(name, found)
  }
  const config = { ...(values as SettingValues), sources, unknownVariables: unknownVariables(env) }
  requireReachable(config)
  const complete = withSecrets(withAbsolutePaths(config, cwd))
  requireProduction(complete)
  return complete
}

/** Behind a public address of its own, no browser sees the port. */
function requireReachable({ port, publicUrl }: SettingValues): void {
  if (publicUrl !== undefined || !isBlockedByBrowsers(port)) return
  throw new ConfigError(`Browsers refuse to connect to port ${port}: choose another with --port or VOLO_PORT.`)
}

interface Found {
  source: SettingSource
  /** What the person wrote it into, for messages. */
  where: string
  value: unknown
}

function find(
  name: SettingName,
  flags: Map<string, string>,
  env: Record<string, string | undefined>,
  file: Record<string, unknown>
): Found {
  const flag = flags.get(name)
  if (flag !== undefined) return { source: 'flag', where: flagOf(name), value: flag }
  const variable = SETTINGS[name].env.find(candidate => env[candidate] !== undefined && env[candidate] !== '')
  if (variable !== undefined) return { source: 'environment', where: variable, value: env[variable] }
  if (file[name] !== undefined)
    return { source: 'file', where: `"${name}" in the configuration file`, value: file[name] }
  return { source: 'default', where: name, value: undefined }
}

function parseSetting(name: SettingName, { where, value }: Found): unknown {
  const setting: Setting = SETTINGS[name]
  const result = setting.schema.safeParse(value)
  if (result.success) return result.data
  const shown = setting.secret ? '' : `, got ${JSON.stringify(value)}`
  throw new ConfigError(`${where}: ${z.prettifyError(result.error).replace(/^✖ /, '').split('\n')[0]}${shown}.`)
}

/** @returns setting name (or `--config`) → text. */
function parseFlags(flags: string[]): Map<string, string> {
  const names = new Map<string, SettingName>(SETTING_NAMES.map(name => [flagOf(name), name]))
  const parsed = new Map<string, string>()
  for (let i = 0; i < flags.length; i++) {
    const [flag, inline] = splitFlag(flags[i]!)
    const name = flag === CONFIG_FLAG ? CONFIG_FLAG : (names.get(flag) ?? ALIASES[flag])
    if (name === undefined) throw new ConfigError(`Unknown argument "${flag}"; "volo-node --help" lists all settings.`)
    const value = inline ?? flags[++i]
    if (value === undefined || value === '') throw new ConfigError(`${flag} needs a value.`)
    parsed.set(name, value)
  }
  return parsed
}

function splitFlag(argument: string): [string, string | undefined] {
  const equals = argument.indexOf('=')
  return equals < 0 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)]
}

function readConfigFile(file: string): Record<string, unknown> {
  const content = readText(file, 'the configuration file')
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch (cause) {
    throw new ConfigError(`The configuration file ${file} is not JSON: ${(cause as Error).message}.`, { cause })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ConfigError(`The configuration file ${file} must hold one JSON object.`)
  }
  const unknown = Object.keys(json).find(key => !Object.hasOwn(SETTINGS, key))
  if (unknown !== undefined)
    throw new ConfigError(`The configuration file ${file} has an unknown setting "${unknown}".`)
  return json as Record<string, unknown>
}

/** Variables of ours that belong to other commands. */
const OTHER_COMMANDS = /^VOLO_(PASSPHRASE|CHROMIUM|TEST|BENCH|CHAOS|PEER)/

function unknownVariables(env: Record<string, string | undefined>): string[] {
  const known = new Set<string>([CONFIG_VARIABLE, ...SETTING_NAMES.flatMap(name => [...SETTINGS[name].env])])
  return Object.keys(env).filter(key => key.startsWith('VOLO_') && !known.has(key) && !OTHER_COMMANDS.test(key))
}

function withAbsolutePaths(config: NodeConfig, cwd: string): NodeConfig {
  const absolute: Record<string, unknown> = { ...config }
  for (const name of PATHS) {
    const value = config[name]
    if (typeof value === 'string' && !isAbsolute(value)) absolute[name] = resolve(cwd, value)
  }
  return absolute as unknown as NodeConfig
}

function withSecrets(config: NodeConfig): NodeConfig {
  return {
    ...config,
    chainProjectId: secretOf(config, 'chainProjectId', 'chainProjectIdFile'),
    secondChainProjectId: secretOf(config, 'secondChainProjectId', 'secondChainProjectIdFile')
  }
}

type ProjectId = 'chainProjectId' | 'secondChainProjectId'

/** A secret that is a setting itself, or stands in a file that a setting names. */
function secretOf(config: NodeConfig, name: ProjectId, nameOfFile: `${ProjectId}File`): string | undefined {
  const file = config[nameOfFile]
  if (file === undefined) return config[name]
  if (config[name] !== undefined) {
    throw new ConfigError(`${variableOf(name)} and ${variableOf(nameOfFile)} are both set; keep one of them.`)
  }
  return readText(file, 'the project id').trim()
}

/** @throws {@link ConfigError} naming the file. */
function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw new ConfigError(`Cannot read ${what} from ${file} (${code}); check the path and its permissions.`, { cause })
  }
}

/** The configuration for people, one setting a line, with its source; secrets are hidden. */
export function describeConfig(config: NodeConfig): string {
  return SETTING_NAMES.map(name => {
    const setting: Setting = SETTINGS[name]
    const value = config[name]
    const shown = value === undefined ? `(${setting.fallback})` : setting.secret ? '(hidden)' : String(value)
    return `${name.padEnd(31)} ${shown}  [${config.sources[name]}]`
  }).join('\n')
}

/** The table of settings for `--help`. */
export function describeSettings(): string {
  return SETTING_NAMES.map(name => {
    const setting: Setting = SETTINGS[name]
    return `  ${flagOf(name)}  ${setting.env.join(' or ')}\n      ${setting.help}\n      Default: ${setting.fallback}.`
  }).join('\n')
}

/** The table of settings for docs/operating.md. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map(name => {
    const setting: Setting = SETTINGS[name]
    const variables = setting.env.map(variable => `\`${variable}\``).join(', ')
    return `| \`${flagOf(name)}\` | ${variables} | ${setting.fallback} | ${setting.help} |`
  })
  return ['| flag | variable | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

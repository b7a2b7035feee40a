import { parseArgs } from 'node:util'

/** What every command can be told. */
export interface CommonOptions {
  data: string
  /** Origin of a node; undefined for the one used last. */
  node: string | undefined
  json: boolean
  /** Milliseconds; undefined for the command's own default. */
  timeoutMs: number | undefined
}

export type Command =
  | { kind: 'help'; of: string | undefined }
  | { kind: 'version' }
  | ({ kind: 'register'; username: string; demoUser: string; displayName: string; deviceName: string } & CommonOptions)
  | ({ kind: 'send'; to: string; text: string } & CommonOptions)
  | ({ kind: 'listen'; count: number | undefined } & CommonOptions)
  | ({ kind: 'messages'; with: string } & CommonOptions)
  | ({ kind: 'whoami' } & CommonOptions)
  | ({ kind: 'name'; username: string } & CommonOptions)
  | ({ kind: 'status' } & CommonOptions)
  | ({ kind: 'devices' } & CommonOptions)
  | ({ kind: 'revoke'; device: string; yes: boolean } & CommonOptions)

export const COMMAND_NAMES = [
  'register',
  'send',
  'listen',
  'messages',
  'whoami',
  'name',
  'status',
  'devices',
  'revoke'
] as const

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

const OPTIONS = {
  data: { type: 'string' },
  node: { type: 'string' },
  json: { type: 'boolean' },
  timeout: { type: 'string' },
  count: { type: 'string' },
  username: { type: 'string' },
  'demo-user': { type: 'string' },
  'display-name': { type: 'string' },
  'device-name': { type: 'string' },
  yes: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' }
} as const

/** Options that belong to one command only. */
const OWNED_BY: Record<string, (typeof COMMAND_NAMES)[number]> = {
  count: 'listen',
  username: 'register',
  'demo-user': 'register',
  'display-name': 'register',
  'device-name': 'register',
  yes: 'revoke'
}

/**
 * Parses the arguments after `volo-peer`.
 * @throws UsageError with a sentence that says what is wrong.
 */
export function parseCommandLine(argv: string[], defaultData: string): Command {
  const { values, positionals } = parse(argv)
  const [name, ...rest] = positionals
  if (values.help || name === 'help') return { kind: 'help', of: name === 'help' ? rest[0] : name }
  if (values.version) return { kind: 'version' }
  if (name === undefined) throw new UsageError('a command is missing')
  for (const [option, owner] of Object.entries(OWNED_BY)) {
    if (option in values && owner !== name) throw new UsageError(`--${option} belongs to "${owner}"`)
  }
  const common: CommonOptions = {
    data: nonEmpty('data', values.data) ?? defaultData,
    node: origin(values.node),
    json: values.json ?? false,
    timeoutMs: seconds(values.timeout)
  }
  switch (name) {
    case 'register': {
      const username = nonEmpty('username', values.username)?.replace(/^@/, '')
      if (username === undefined) throw new UsageError('register needs --username')
      noMore(name, rest)
      return {
        kind: name,
        username,
        demoUser: nonEmpty('demo-user', values['demo-user']) ?? username,
        displayName: values['display-name'] ?? username,
        deviceName: values['device-name'] ?? 'Command line',
        ...common
      }
    }
    case 'send': {
      const [to, text, ...more] = rest
      if (to === undefined || text === undefined) throw new UsageError('send needs a recipient and a text')
      if (text.trim() === '') throw new UsageError('the text is empty')
      noMore(name, more)
      return { kind: name, to, text, ...common }
    }
    case 'messages': {
      const [person, ...more] = rest
      if (person === undefined) throw new UsageError('messages needs a person')
      noMore(name, more)
      return { kind: name, with: person, ...common }
    }
    case 'listen':
      noMore(name, rest)
      return { kind: name, count: positiveInteger('count', values.count), ...common }
    case 'revoke': {
      const [device, ...more] = rest
      if (device === undefined) throw new UsageError('revoke needs a device')
      if (!/^[0-9a-f]{8,32}$/.test(device)) {
        throw new UsageError(`a device is named by 8 to 32 hex digits of its id, got "${device}"`)
      }
      noMore(name, more)
      return { kind: name, device, yes: values.yes ?? false, ...common }
    }
    case 'name': {
      const [username, ...more] = rest
      if (username === undefined) throw new UsageError('name needs a username')
      noMore(name, more)
      return { kind: name, username: username.replace(/^@/, ''), ...common }
    }
    case 'whoami':
    case 'status':
    case 'devices':
      noMore(name, rest)
      return { kind: name, ...common }
    default:
      throw new UsageError(`"${name}" is not a command`)
  }
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]!, { cause: error })
  }
}

function noMore(command: string, rest: string[]): void {
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is too much for ${command}; put texts with spaces in quotes`)
}

function nonEmpty(option: string, value: string | undefined): string | undefined {
  if (value === '') throw new UsageError(`--${option} is empty`)
  return value
}

function origin(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  try {
    const url = new URL(value)
    if (url.protocol === 'http:' || url.protocol === 'https:') return url.origin
  } catch {
    // Reported below.
  }
  throw new UsageError(`--node must be an address such as http://127.0.0.1:8787, got "${value}"`)
}

const LONGEST_TIMEOUT_S = 7 * 24 * 3600

function seconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() !== '' && number > 0 && number <= LONGEST_TIMEOUT_S) return Math.ceil(number * 1000)
  throw new UsageError(`--timeout must be a number of seconds above 0, got "${value}"`)
}

function positiveInteger(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() !== '' && Number.isSafeInteger(number) && number > 0) return number
  throw new UsageError(`--${option} must be a whole number above 0, got "${value}"`)
}

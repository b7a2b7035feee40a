/** What a command of an operator was given: its own flags, then settings. */
import { readConfig, type NodeConfig } from '../config/config.ts'
import { flagOf, SETTING_NAMES } from '../config/settings.ts'
import { UsageError } from './usage-error.ts'

/** Flags with a value that are no settings of a node but understood by all commands. */
const GENERAL_FLAGS = ['--config', '--data']

/** A command's own flags. */
export interface CommandArguments {
  json: boolean
  /** Values of the flags that the command has of its own, such as `--out`. */
  own: Record<string, string>
  config: NodeConfig
}

/**
 * Reads the arguments of a command.
 * @param command - its name, for messages.
 * @param ownFlags - flags that it has beside `--json` and settings; each takes a value and must be given.
 * @throws UsageError for what was written wrongly, ConfigError for a setting with a wrong value.
 */
export function readCommandArguments(
  command: string,
  args: string[],
  ownFlags: readonly string[],
  env: Record<string, string | undefined>
): CommandArguments {
  const settings = new Set([...GENERAL_FLAGS, ...SETTING_NAMES.map(flagOf)])
  const flags: string[] = []
  const own: Record<string, string> = {}
  let json = false
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i]!.split(/=(.*)/s) as [string, string | undefined]
    if (flag === '--json' && inline === undefined) {
      json = true
      continue
    }
    if (!settings.has(flag) && !ownFlags.includes(flag)) throw new UsageError(`${command} does not take "${args[i]!}"`)
    const value = inline ?? args[++i]
    if (value === undefined || value === '') throw new UsageError(`${flag} needs a value`)
    if (ownFlags.includes(flag)) own[flag] = value
    else flags.push(flag, value)
  }
  const missing = ownFlags.find(flag => own[flag] === undefined)
  if (missing !== undefined) throw new UsageError(`${command} needs ${missing} DIR`)
  return { json, own, config: readConfig(flags, env) }
}

/** What a command did, for people and for programs. */
export interface Outcome {
  text: string
  json: unknown
  /** Why the command ends with 1 although it did its work, such as a check of `doctor` that failed. */
  failure?: string
}

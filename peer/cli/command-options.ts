import type { Command as CommandWord } from 'commander'

/** What every command can be told. */
export interface CommonOptions {
  data: string
  /** Origin of a node; undefined for the one used last. */
  node: string | undefined
  json: boolean
  /** Milliseconds; undefined for the command's own default. */
  timeoutMs: number | undefined
}

/** Adds commands to the command line: `take` receives one of them, once it is understood. */
export type AddCommandsOf<Command> = (
  program: CommandWord,
  common: () => CommonOptions,
  take: (command: Command) => void
) => void

/** One run of `volo-peer`. Heavy parts load only once the command line has been understood. */
import type { Command } from './command-line.ts'
import type { Environment } from './config.ts'
import { writeNote, type Terminal } from './output.ts'

const EXIT = { done: 0, usage: 2 } as const

/**
 * Runs one command line.
 *
 * @returns the exit code.
 * @throws whatever no part of the program expects.
 */
export async function runPeer(argv: string[], environment: Environment, terminal: Terminal): Promise<number> {
  const { parseCommandLine, UsageError } = await import('./command-line.ts')
  let command: Command
  try {
    command = parseCommandLine(argv, environment.defaultData)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    writeNote(terminal, `${error.message}. See volo-peer --help.`)
    return EXIT.usage
  }
  if (command.kind === 'help') {
    await terminal.out(command.text)
    return EXIT.done
  }
  if (command.kind === 'version') {
    const { readVersion } = await import('./version.ts')
    await terminal.out(`${await readVersion()}\n`)
    return EXIT.done
  }
  const { runCommand } = await import('./run-command.ts')
  return runCommand(command, environment, terminal)
}

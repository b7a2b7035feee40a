/** The `volo-peer` command. Heavy parts load only once the command line has been understood. */
import { enableCompileCache } from 'node:module'
import type { Command } from './command-line.ts'
import { readEnvironment } from './config.ts'
import { writeNote } from './output.ts'

const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 3 } as const

async function run(argv: string[]): Promise<number> {
  // Compiled code is kept for the next start.
  enableCompileCache()
  const { parseCommandLine, UsageError } = await import('./command-line.ts')
  const environment = readEnvironment()
  let command: Command
  try {
    command = parseCommandLine(argv, environment.defaultData)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    writeNote(`${error.message}. See volo-peer --help.`)
    return EXIT.usage
  }
  if (command.kind === 'help') {
    process.stdout.write(command.text)
    return EXIT.done
  }
  if (command.kind === 'version') {
    const { readVersion } = await import('./version.ts')
    process.stdout.write(`${await readVersion()}\n`)
    return EXIT.done
  }
  const { runCommand } = await import('./run-command.ts')
  return runCommand(command, environment)
}

// Files are for their owner alone, whatever the shell says.
process.umask(0o077)
for (const stream of [process.stdout, process.stderr]) stream.on('error', leaveQuietly)

/** The reader of a pipe has enough, such as `head -1`. Everything that matters is on disk. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed)
}

run(process.argv.slice(2)).then(
  code => {
    process.exitCode = code
    // Sockets of an aborted dial may stay open; everything that matters has been awaited and is on disk.
    process.stdout.write('', () => process.exit(code))
  },
  (error: unknown) => {
    writeNote(error instanceof Error ? error.message : String(error))
    process.exit(EXIT.failed)
  }
)

/** The `volo-peer` command: one run in a process of its own. */
import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { readEnvironment } from './config.ts'
import { writeNote, type Terminal } from './output.ts'
import { runPeer } from './run-peer.ts'

const EXIT_FAILED = 1

const terminal: Terminal = {
  // A line that nobody takes is not printed, and the process ends by its stream's error.
  out: text => new Promise(resolve => process.stdout.write(text, error => error ?? resolve())),
  err: text => void process.stderr.write(text)
}

// Compiled code is kept for the next start.
enableCompileCache()
// Buffers of files count to the limit of the whole heap, not to that of its old part: else each few of them cost a full collection.
setFlagsFromString('--external-memory-accounted-in-global-limit')
// Files are for their owner alone, whatever the shell says.
process.umask(0o077)
for (const stream of [process.stdout, process.stderr]) stream.on('error', leaveQuietly)

/** The reader of a pipe has enough, such as `head -1`. Everything that matters is on disk. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED)
}

const environment = readEnvironment()

// A failure that nothing catches belongs to one message or connection: the command goes on.
process.on('unhandledRejection', error => {
  if (environment.debug) writeNote(terminal, `an unhandled failure: ${String(error)}`)
})

runPeer(process.argv.slice(2), environment, terminal).then(
  code => {
    process.exitCode = code
    // Sockets of an aborted dial may stay open; everything that matters has been awaited and is on disk.
    process.stdout.write('', () => process.exit(code))
  },
  (error: unknown) => {
    writeNote(terminal, error instanceof Error ? error.message : String(error))
    process.exit(EXIT_FAILED)
  }
)

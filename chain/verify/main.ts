/** The `volo-verify` command. */
import { runVerify, type Terminal } from './run-command.ts'

/** An unexpected error: a fault of this program that says nothing about the subject. */
const EXIT_INTERNAL = 70

const terminal: Terminal = {
  out: text => new Promise(resolve => process.stdout.write(text, () => resolve())),
  err: text => void process.stderr.write(text),
  isWatched: process.stderr.isTTY === true
}

// The reader of a pipe has enough, such as `head -1`.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_INTERNAL))

runVerify(process.argv.slice(2), terminal).then(
  // Connections that are kept alive for a next question must not keep the process.
  code => process.exit(code),
  (error: unknown) => {
    const trace = error instanceof Error ? error.stack : String(error)
    process.stderr.write(`volo-verify: this is a fault of the program: ${trace}\n`)
    process.exit(EXIT_INTERNAL)
  }
)

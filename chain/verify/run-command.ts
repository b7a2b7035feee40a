/** One run of `volo-verify`. Heavy parts load only once the command line is known to be fine. */
import { parseArguments, type CommandName, type Invocation } from './arguments.ts'
import { VerifyError } from './errors.ts'
import { helpText } from './help.ts'
import type { Surroundings } from './open-sources.ts'
import { renderHuman } from './report/render-human.ts'
import { renderJson, renderJsonError } from './report/render-json.ts'
import { EXIT_CODES, verdictOf, type VerificationReport } from './report/report.ts'

const NOTE_INTERVAL_MS = 1_000

/** Where a run prints: the process's streams, or memory. */
export interface Terminal {
  /** Prints a result. Resolves once the text has left: an exit right after must not cut a pipe short. */
  out(text: string): Promise<void>
  /** Prints a remark or a complaint. */
  err(text: string): void
  /** Whether a person reads the remarks. */
  isWatched: boolean
}

type Command = (
  invocation: Invocation,
  surroundings: Surroundings
) => Promise<VerificationReport | { readonly exitCode: number }>

const COMMANDS: Readonly<Record<CommandName, () => Promise<{ run: Command }>>> = {
  account: () => import('./commands/account.ts'),
  device: () => import('./commands/device.ts'),
  keys: () => import('./commands/keys.ts'),
  signature: () => import('./commands/signature.ts'),
  record: () => import('./commands/record.ts'),
  'safety-number': () => import('./commands/safety-number.ts'),
  'proof export': () => import('./commands/proof-export.ts'),
  'proof check': () => import('./commands/proof-check.ts'),
  audit: () => import('./commands/audit.ts'),
  monitor: () => import('./commands/monitor.ts'),
  name: () => import('./commands/name.ts'),
  compare: () => import('./commands/compare.ts'),
  doctor: () => import('./commands/doctor.ts'),
  bundle: () => import('./commands/bundle.ts'),
  complaint: () => import('./commands/complaint.ts'),
  nodes: () => import('./commands/nodes.ts')
}

/**
 * Runs one command line.
 *
 * @returns the exit code.
 * @throws whatever no part of the program expects; it says nothing about the subject.
 */
export async function runVerify(argv: readonly string[], terminal: Terminal): Promise<number> {
  let invocation: Invocation | undefined
  try {
    const request = parseArguments(argv)
    if (request.kind === 'help') {
      await terminal.out(helpText(request.of))
      return EXIT_CODES.verified
    }
    if (request.kind === 'version') {
      const { readVersion } = await import('./version.ts')
      await terminal.out(`${await readVersion()}\n`)
      return EXIT_CODES.verified
    }
    invocation = request.invocation
    return await execute(invocation, terminal)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    const isJson = invocation ? invocation.json && !invocation.quiet : argv.includes('--json')
    if (isJson) await terminal.out(`${renderJsonError(invocation?.command ?? null, error.message)}\n`)
    const help =
      error.code === 'USAGE' ? `. See volo-verify ${invocation?.command ?? ''}${invocation ? ' ' : ''}--help` : ''
    terminal.err(`volo-verify: ${error.message}${help}.\n`)
    return EXIT_CODES.usage
  }
}

async function execute(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { run } = await COMMANDS[invocation.command]()
  const print = (report: VerificationReport): Promise<void> =>
    invocation.quiet
      ? Promise.resolve()
      : terminal.out(invocation.json ? `${renderJson(report)}\n` : renderHuman(report))
  const stop = new AbortController()
  const isEndless = invocation.command === 'monitor' && !invocation.once
  // Everything else may be cut off at any moment: it only reads.
  if (isEndless) for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  const result = await run(invocation, {
    emit: report => void print(report),
    note: noteTaker(invocation, terminal),
    signal: stop.signal
  })
  if ('exitCode' in result) return result.exitCode
  await print(result)
  return EXIT_CODES[verdictOf(result)]
}

/** Progress for a person who waits, now and then. */
function noteTaker({ quiet }: Invocation, terminal: Terminal): (text: string) => void {
  let last = Date.now()
  return text => {
    const now = Date.now()
    if (quiet || !terminal.isWatched || now - last < NOTE_INTERVAL_MS) return
    last = now
    terminal.err(`volo-verify: ${text}\n`)
  }
}

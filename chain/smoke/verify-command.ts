import { spawn } from 'node:child_process'
import { extname, join } from 'node:path'

/** Longer than any answer of `volo-verify --json` about one account. */
const MAX_OUTPUT_CHARACTERS = 1_000_000

/** How `volo-verify` ended. */
export interface VerifyOutcome {
  readonly exitCode: number | null
  /** The trust level reached, such as `L1`; `undefined` if it printed no report. */
  readonly trust: string | undefined
  readonly verdict: string | undefined
  /** What it said is wrong. */
  readonly problem: string
}

/** Runs the real command as a process of its own, as a user does. */
export async function runVerify(args: readonly string[], signal: AbortSignal): Promise<VerifyOutcome> {
  const main = join(import.meta.dirname, '..', 'verify', `main${extname(import.meta.filename)}`)
  const child = spawn(process.execPath, [main, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => (stdout = (stdout + text).slice(0, MAX_OUTPUT_CHARACTERS)))
  child.stderr.setEncoding('utf8').on('data', text => (stderr = (stderr + text).slice(-MAX_OUTPUT_CHARACTERS)))
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { exitCode, ...readReport(stdout), problem: stderr.trim() || problemOf(stdout) }
}

interface ReportJson {
  verdict?: string
  trust?: { reached?: string }
  checks?: { outcome: string; claim: string; detail?: string }[]
}

function parse(stdout: string): ReportJson {
  try {
    return JSON.parse(stdout) as ReportJson
  } catch {
    return {}
  }
}

function readReport(stdout: string): Pick<VerifyOutcome, 'trust' | 'verdict'> {
  const { trust, verdict } = parse(stdout)
  return { trust: trust?.reached, verdict }
}

function problemOf(stdout: string): string {
  const bad = (parse(stdout).checks ?? []).filter(({ outcome }) => outcome !== 'passed')
  return bad.map(({ outcome, claim, detail }) => `${claim}: ${outcome}${detail ? ` (${detail})` : ''}`).join('; ')
}

import { runVerify, type Terminal } from '../../../chain/verify/run-command.ts'
import { CommandProcess } from '../network/real-processes/node-process.ts'

/** What `--json` prints, as far as tests read it. */
export interface VerifyJson {
  schema: string
  verdict: string
  exitCode: number
  trust: { asked: string; reached: string }
  checks: { id: string; outcome: string; claim: string; detail?: string; source?: string }[]
  facts: Record<string, unknown>
  [field: string]: unknown
}

/** How a run of the command ended. */
export interface VerifyRun {
  code: number
  json: VerifyJson
  stdout: string
  stderr: string
}

/** Runs `volo-verify … --json` in this process. */
export const verify = async (...args: string[]): Promise<VerifyRun> => parsed(await verifyText(...args, '--json'))

/**
 * Runs `volo-verify …` in this process, from its command line to what it prints. To start a process for each of a hundred
 * runs takes longer than all the runs.
 */
export async function verifyText(...args: string[]): Promise<Printed> {
  let stdout = ''
  let stderr = ''
  const terminal: Terminal = {
    out: async text => void (stdout += text),
    err: text => void (stderr += text),
    isWatched: false
  }
  return { code: await runVerify(args, terminal), stdout, stderr }
}

/** Runs `volo-verify …` as people do: a process of its own. */
export async function verifyAsProcess(...args: string[]): Promise<Printed> {
  return new CommandProcess('chain/verify/main.ts', args).ended
}

/** What a run printed, and how it ended. */
export interface Printed {
  code: number | null
  stdout: string
  stderr: string
}

/** Reads what `--json` printed. @throws Error for an exit code that is not a verdict. */
export function parsed({ code, stdout, stderr }: Printed): VerifyRun {
  if (code === null || code > 5) throw new Error(`volo-verify ended with ${code}: ${stderr}`)
  return { code, json: JSON.parse(stdout) as VerifyJson, stdout, stderr }
}

/** Ids of the checks with one outcome. */
export function checksOf({ json }: VerifyRun, outcome: string): string[] {
  return json.checks.filter(check => check.outcome === outcome).map(check => check.id)
}

/** One fact of a run, such as `factOf(run, 'account', 'devices')`. */
export function factOf({ json }: VerifyRun, ...path: string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], json.facts)
}

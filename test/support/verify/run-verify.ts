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

/** Runs `volo-verify … --json` as a process. */
export async function verify(...args: string[]): Promise<VerifyRun> {
  const { code, stdout, stderr } = await new CommandProcess('chain/verify/main.ts', [...args, '--json']).ended
  if (code === null || code > 5) throw new Error(`volo-verify ended with ${code}: ${stderr}`)
  return { code, json: JSON.parse(stdout) as VerifyJson, stdout, stderr }
}

/** Runs `volo-verify …` for people. */
export async function verifyText(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new CommandProcess('chain/verify/main.ts', args).ended
}

/** Ids of the checks with one outcome. */
export function checksOf({ json }: VerifyRun, outcome: string): string[] {
  return json.checks.filter(check => check.outcome === outcome).map(check => check.id)
}

/** One fact of a run, such as `factOf(run, 'account', 'devices')`. */
export function factOf({ json }: VerifyRun, ...path: string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], json.facts)
}

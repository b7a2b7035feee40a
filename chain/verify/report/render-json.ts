import { EXIT_CODES, REPORT_SCHEMA, verdictOf, type TrustLevel, type VerificationReport } from './report.ts'

/** `L0` to `L4`. */
export const levelName = (level: TrustLevel): string => `L${level}`

/** The report as one line of JSON, in the versioned form of docs/verify.md. */
export function renderJson(report: VerificationReport): string {
  const { command, subject, network, sources, trust, tips, checkedAt, checks, facts } = report
  const verdict = verdictOf(report)
  return JSON.stringify({
    schema: REPORT_SCHEMA,
    command,
    subject,
    verdict,
    exitCode: EXIT_CODES[verdict],
    checkedAt,
    network,
    sources,
    trust: { asked: levelName(trust.asked), reached: levelName(trust.reached), confirmed: trust.reached >= 2 },
    tips: tips.map(tip => ({ ...tip, ageSeconds: Math.round((checkedAt - tip.time) / 1000) })),
    checks,
    facts
  })
}

/** What `--json` prints when the command line or a given file cannot be understood. */
export function renderJsonError(command: string | null, message: string): string {
  return JSON.stringify({
    schema: REPORT_SCHEMA,
    command,
    verdict: 'usage',
    exitCode: EXIT_CODES.usage,
    error: message
  })
}

/**
 * What one run of the tool found. People's text, JSON and the exit code all follow from this and nothing else, so that
 * they cannot say different things.
 */

/** Version of the JSON form; it changes when a field goes or changes its meaning, see docs/verify.md. */
export const REPORT_SCHEMA = 'volo-verify/1'

/**
 * - `passed` looked at, and as it should be
 * - `failed` two things contradict each other: a signature, a hash, two sources
 * - `absent` not found, or revoked
 * - `unconfirmed` may be so, but not to the degree asked for
 * - `unreachable` a source did not answer
 * - `skipped` not looked at
 */
export type Outcome = 'passed' | 'failed' | 'absent' | 'unconfirmed' | 'unreachable' | 'skipped'

/** One line of the checklist. */
export interface Check {
  /** Stable, such as `signatures`; listed in docs/verify.md. */
  readonly id: string
  readonly outcome: Outcome
  /** What was looked at, as a claim. */
  readonly claim: string
  /** What was found. */
  readonly detail?: string
  /** The source it is about. */
  readonly source?: string
  /** The account it is about, where a command has several. */
  readonly about?: string
  /** Only with `skipped`: the person asked for it. */
  readonly asked?: boolean
}

/** How much a result rests on one party's word: see docs/verify.md. */
export type TrustLevel = 0 | 1 | 2 | 3 | 4

/** The last block that a source saw. */
export interface ReportTip {
  readonly source: string
  readonly height: number
  /** Lower-case hex. */
  readonly hash: string
  /** Milliseconds since 1970. */
  readonly time: number
}

/** The network that everything was checked for. */
export interface ReportNetwork {
  /** Lower-case hex. */
  readonly id: string
  readonly cardanoMagic: number
  readonly metadataLabel: number
  /** Where the parameters were taken from. */
  readonly from: string
}

export interface ReportSource {
  readonly name: string
  readonly kind: 'node' | 'blockfrost' | 'file'
}

export interface VerificationReport {
  readonly command: string
  /** What was asked for, as typed. */
  readonly subject: readonly string[]
  readonly network: ReportNetwork | null
  readonly sources: readonly ReportSource[]
  readonly trust: { readonly asked: TrustLevel; readonly reached: TrustLevel }
  readonly tips: readonly ReportTip[]
  /** Milliseconds since 1970: when it was looked at. */
  readonly checkedAt: number
  readonly checks: readonly Check[]
  /** What the command found out, as JSON. */
  readonly facts: Readonly<Record<string, unknown>>
  /** The same for people, a line each. */
  readonly lines: readonly string[]
}

export type Verdict = 'verified' | 'contradiction' | 'usage' | 'unconfirmed' | 'not-found' | 'unreachable'

/** Exit codes of the command. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  verified: 0,
  contradiction: 1,
  usage: 2,
  unconfirmed: 3,
  'not-found': 4,
  unreachable: 5
}

/**
 * The one place that decides. A contradiction outweighs everything; a source that was named and did not answer
 * outweighs what the others say is missing; nothing is verified while a check was skipped that nobody asked to skip, the
 * trust asked for was not reached, or nothing was checked at all.
 */
export function verdictOf({ checks, trust }: Pick<VerificationReport, 'checks' | 'trust'>): Verdict {
  const has = (outcome: Outcome): boolean => checks.some(check => check.outcome === outcome)
  if (has('failed')) return 'contradiction'
  if (has('unreachable')) return 'unreachable'
  if (has('absent')) return 'not-found'
  const isSkipped = checks.some(({ outcome, asked }) => outcome === 'skipped' && asked !== true)
  if (has('unconfirmed') || isSkipped || trust.reached < trust.asked || !has('passed')) return 'unconfirmed'
  return 'verified'
}

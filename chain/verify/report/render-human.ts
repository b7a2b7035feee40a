import { cutText } from '../../../protocol/graphemes.ts'
import { terminalLine } from '../../../protocol/terminal-text.ts'
import { levelName } from './render-json.ts'
import {
  EXIT_CODES,
  verdictOf,
  type Check,
  type Outcome,
  type ReportTip,
  type TrustLevel,
  type Verdict,
  type VerificationReport
} from './report.ts'

const MARKS: Readonly<Record<Outcome, string>> = {
  passed: '✓',
  failed: '✗',
  absent: '✗',
  unreachable: '✗',
  unconfirmed: '–',
  skipped: '–'
}

const TRUST_TEXTS: Readonly<Record<TrustLevel, string>> = {
  0: 'nothing checked; a word is all there is',
  1: 'hashes and signatures hold; unconfirmed by a second source, and one alone could withhold or invent transactions',
  2: 'two independent sources agree on transaction, block and place',
  3: 'own Cardano node',
  4: 'Mithril certificate'
}

const VERDICT_TEXTS: Readonly<Record<Verdict, string>> = {
  verified: 'VERIFIED',
  contradiction: 'CONTRADICTION: do not trust this',
  usage: 'NOT UNDERSTOOD',
  unconfirmed: 'UNCONFIRMED',
  'not-found': 'NOT FOUND OR REVOKED',
  unreachable: 'A SOURCE DID NOT ANSWER'
}

/** What an L1 result cannot rule out, said where the verdict is read: an exit code of 0 must not sound like more than it is. */
const ONE_SOURCE_WARNING = [
  '! one source only: it could withhold the latest records, a revocation too, invent transactions, or give a name away;',
  '  ask a second one of another operator, or say --trust-level L2 for an exit code of 3 without one'
]

const MAX_TEXT_LENGTH = 1_000

/** Sources are strangers: what they say must not be able to drive the terminal, nor fill it. */
export function printable(text: string): string {
  return terminalLine(cutText(text, MAX_TEXT_LENGTH))
}

/** A time between two, as people say it. @param ms - may be negative. */
export function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

/** `1 record`, `2 records`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}

function checkLine({ outcome, claim, detail, source, about }: Check): string {
  const prefix = about === undefined ? '' : `${about}: `
  const suffix = source === undefined ? '' : ` [${source}]`
  const word = outcome === 'unconfirmed' || outcome === 'skipped' ? `${outcome}: ` : ''
  return `${MARKS[outcome]} ${word}${prefix}${claim}${detail === undefined ? '' : `: ${detail}`}${suffix}`
}

function tipLine({ source, height, time }: ReportTip, checkedAt: number): string {
  const age = checkedAt - time
  return `  tip of ${source}: block ${height}, ${age < 0 ? `${duration(age)} in the future` : `${duration(age)} old`}`
}

/** Whether a verdict of "verified" rests on one source: no key is forged, but what came later may be missing. */
function restsOnOneSource(report: VerificationReport): boolean {
  return verdictOf(report) === 'verified' && report.trust.reached === 1
}

/** The report as a checklist for people, one line each, ending in a line feed. */
export function renderHuman(report: VerificationReport): string {
  const { command, subject, network, trust, tips, checkedAt, checks, lines } = report
  const verdict = verdictOf(report)
  const isOneWord = restsOnOneSource(report)
  const isTrusted = trust.reached >= trust.asked
  const asked = isTrusted ? '' : ` (asked: ${levelName(trust.asked)})`
  const output = [
    [`volo-verify ${command}`, ...subject].join(' '),
    ...(network ? [`  network ${network.id.slice(0, 16)}…, parameters from ${network.from}`] : []),
    ...checks.map(checkLine),
    // Where no key is looked at, there is nothing to trust.
    ...(trust.asked === 0 && trust.reached === 0
      ? []
      : [`${isTrusted ? '✓' : '–'} trust ${levelName(trust.reached)}${asked}: ${TRUST_TEXTS[trust.reached]}`]),
    ...tips.map(tip => tipLine(tip, checkedAt)),
    ...lines.map(line => `  ${line}`),
    ...(isOneWord ? ONE_SOURCE_WARNING : []),
    `${VERDICT_TEXTS[verdict]}${isOneWord ? ' AT L1, UNCONFIRMED by a second source' : ''} (exit ${EXIT_CODES[verdict]})`
  ]
  return `${output.map(printable).join('\n')}\n`
}

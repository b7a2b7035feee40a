/** What several sources say about one account, held against each other. */
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { compareProofs } from '../../../protocol/directory/proofs/proof.ts'
import { SETTLED_CONFIRMATIONS } from '../../../protocol/limits.ts'
import type { Answer, Seen } from './answer.ts'
import type { TrustLevel } from '../report/report.ts'
import { areIndependent } from '../sources/account-source.ts'

/** How one source compares with the one that shows most. */
export interface Disagreement {
  readonly kind: 'contradiction' | 'unconfirmed'
  readonly source: string
  readonly reason: string
}

export interface Agreement {
  /** The answer that shows most; `undefined` if no source shows the account. */
  readonly best: Seen | undefined
  readonly disagreements: readonly Disagreement[]
  /** As far as recorded changes go: L0 without any, L1 from one party, L2 from two that agree. */
  readonly level: TrustLevel
}

/** Recorded entries of a proof. */
const recordedCount = ({ checked }: Seen): number => checked.places.filter(({ order }) => order !== null).length

export function compareAnswers(answers: readonly Answer[]): Agreement {
  const seen = answers.filter(answer => answer.kind === 'seen')
  const best = seen.reduce<Seen | undefined>(
    (most, answer) => (most && recordedCount(most) >= recordedCount(answer) ? most : answer),
    undefined
  )
  if (!best) return { best, disagreements: [], level: 0 }
  const disagreements: Disagreement[] = []
  const agreeing: Seen[] = []
  for (const answer of answers) {
    const disagreement = compareWith(best, answer)
    if (disagreement) disagreements.push({ ...disagreement, source: answer.source.name })
    else if (answer.kind === 'seen') agreeing.push(answer)
  }
  return { best, disagreements, level: levelOf(best, agreeing) }
}

function levelOf(best: Seen, agreeing: readonly Seen[]): TrustLevel {
  if (recordedCount(best) === 0) return 0
  const isConfirmed = agreeing.some(({ source }) => agreeing.some(other => areIndependent(source, other.source)))
  return isConfirmed ? 2 : 1
}

function compareWith(best: Seen, answer: Answer): Omit<Disagreement, 'source'> | undefined {
  if (answer.kind === 'absent') return { kind: 'unconfirmed', reason: answer.reason }
  // The checklist already says what is wrong with the others.
  if (answer.kind !== 'seen' || answer === best) return undefined
  const { accountId } = best.checked.account
  if (!equalBytes(answer.checked.account.accountId, accountId)) {
    const other = toHex(answer.checked.account.accountId)
    return { kind: 'contradiction', reason: `it names account ${other}, ${best.source.name} ${toHex(accountId)}` }
  }
  const comparison = compareProofs(answer.checked, best.checked)
  if (comparison === 'same') return undefined
  if (comparison === 'contradiction') {
    return { kind: 'contradiction', reason: `${best.source.name} has the records in other transactions or blocks` }
  }
  return judgeMissing(best, answer)
}

/** A source that lacks records which its own tip buries deep does not merely lag: one of the two lies. */
function judgeMissing(best: Seen, answer: Seen): Omit<Disagreement, 'source'> {
  const missing = best.checked.places[recordedCount(answer)]!.order!.blockHeight
  const depth = answer.checked.tip.height - missing + 1
  const reason = `it lacks the records from block ${missing} on that ${best.source.name} shows`
  if (depth >= SETTLED_CONFIRMATIONS)
    return { kind: 'contradiction', reason: `${reason}, ${depth} blocks below its tip` }
  return { kind: 'unconfirmed', reason }
}

import { failureOf, PeerError, sentenceOf } from '../../../peer/errors.ts'
import { HOLD_REASONS, type HoldReason, type MessageProblem, type StatusProblem } from '../../../peer/problems.ts'
import type { Person } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/catalogue.ts'
import { personName } from './person-name.ts'

/** What to tell a person about a failed call. */
export function failureWords(error: unknown, words: Catalogue): string {
  if (!(error instanceof PeerError)) console.error(error)
  return sentenceOf(words.failures, failureOf(error))
}

/** Whether what this browser keeps can never be opened again, so that giving it up loses nothing. */
export function isBeyondRepair(error: unknown): boolean {
  const { code, facts } = failureOf(error)
  return code === 'store' && (facts.fault === 'key-missing' || facts.fault === 'key-damaged')
}

/** Why nothing can be sent to a person now. */
export function holdWords(reason: HoldReason, person: Person, words: Catalogue): string {
  const username = person.alert?.username ?? person.username ?? ''
  return words.holds[reason]({ name: personName(person, words), username })
}

/** Why an own message to a person waits or failed. */
export function messageProblemWords(problem: MessageProblem, person: Person, words: Catalogue): string {
  return isHold(problem) ? holdWords(problem, person, words) : words.messageProblems[problem]
}

const isHold = (problem: MessageProblem): problem is HoldReason => HOLD_REASONS.some(reason => reason === problem)

/** What needs attention about the connection. */
export function statusProblemWords({ code, facts }: StatusProblem, words: Catalogue): string {
  return (words.statusProblems[code] as (facts: unknown) => string)(facts)
}

import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { createDirectRoster, type RosterMember } from '../../../protocol/roster/roster.ts'
import { conversationNumber, groupDigits, personNumber } from '../../../protocol/conversation/safety-number.ts'
import { liveDevices } from '../../../protocol/directory/account.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import type { VerificationReport } from '../report/report.ts'
import { parseSubject } from '../checks/subject.ts'
import { lowestLevel, verifyAccount, type VerifiedAccount } from '../checks/verify-account.ts'
import type { Verification } from '../checks/verification.ts'

const CONVERSATION_DIGITS = 60
const PERSON_DIGITS = 30

/** `safety-number <a> <b>`: the numbers of a direct conversation, computed from the chain. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const subjects = invocation.positionals.map(parseSubject)
  const expected = parseExpected(invocation.expect)
  return withSources(invocation, surroundings, async run => {
    const [a, b] = [await verifyAccount(run, subjects[0]!), await verifyAccount(run, subjects[1]!)]
    const level = lowestLevel([a, b])
    if (!a || !b) return run.report(level)
    const { crypto, network } = run.init
    const number = conversationNumber(crypto, network.id, rosterOf(run, a, b))
    const people = [a, b].map(({ state }) => personNumber(crypto, network.id, state.accountId))
    if (expected !== undefined) compare(run, expected, number, people[1]!)
    const facts = {
      safetyNumber: number,
      people: [a, b].map(({ state }, i) => ({ accountId: toHex(state.accountId), number: people[i] }))
    }
    const lines = [
      `safety number ${groupDigits(number)}`,
      ...[a, b].map(({ subject }, i) => `${subject.label}: ${groupDigits(people[i]!)}`)
    ]
    return run.report(level, facts, lines)
  })
}

/** @returns digits only. @throws VerifyError `USAGE`. */
function parseExpected(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const digits = text.replace(/\s/g, '')
  if (/^\d+$/.test(digits) && [CONVERSATION_DIGITS, PERSON_DIGITS].includes(digits.length)) return digits
  throw new VerifyError('USAGE', `--expect takes ${CONVERSATION_DIGITS} digits, or ${PERSON_DIGITS} of one person`)
}

function rosterOf(run: Verification, a: VerifiedAccount, b: VerifiedAccount): ReturnType<typeof createDirectRoster> {
  const { crypto, network } = run.init
  const isSelf = equalBytes(a.state.accountId, b.state.accountId)
  const members = (isSelf ? [a] : [a, b]).map(memberOf)
  return createDirectRoster(crypto, network.id, members)
}

function memberOf({ state }: VerifiedAccount): RosterMember {
  const devices = liveDevices(state).map(({ deviceId, keys, messagingKeyHash }) => ({
    deviceId,
    signingKey: keys.signingKey,
    messagingKeyHash
  }))
  return { accountId: state.accountId, head: state.head, devices }
}

function compare(run: Verification, expected: string, conversation: string, person: string): void {
  const isPerson = expected.length === PERSON_DIGITS
  const isSame = expected === (isPerson ? person : conversation)
  const claim = `the ${isPerson ? "second person's" : 'safety'} number is the one expected`
  run.checklist.add('expected', isSame ? 'passed' : 'failed', claim)
}

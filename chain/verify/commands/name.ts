import { toHex } from '../../../protocol/bytes.ts'
import { nameTagOf } from '../../../protocol/identity/username.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { accountFacts, accountLines } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import type { VerificationReport } from '../report/report.ts'
import type { NameEvent } from '../sources/account-source.ts'
import { parseSubject } from '../checks/subject.ts'
import { verifyAccount, type VerifiedAccount } from '../checks/verify-account.ts'
import type { Verification } from '../checks/verification.ts'

/** `name <@name>`: who holds a name, and who claimed it before. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const subject = parseSubject(invocation.positionals[0]!)
  if (subject.kind !== 'name') throw new VerifyError('USAGE', 'a name is wanted, such as @ada')
  return withSources(invocation, surroundings, async run => {
    const tag = await nameTagOf(run.init.crypto, run.init.network.id, run.init.network.genesis, subject.username)
    const account = await verifyAccount(run, subject)
    const history = historyOf(run, tag, account)
    const facts = {
      name: {
        username: subject.username,
        tag: toHex(tag),
        holder: account ? toHex(account.state.accountId) : null,
        claims: history.claims,
        complete: history.isComplete
      },
      ...(account ? { account: accountFacts(run, account) } : {})
    }
    const lines = [
      `tag ${toHex(tag)}`,
      ...history.claims.map(claimLine),
      ...(history.isComplete ? [] : ['claims of other accounts are known only with --blockfrost']),
      ...(account ? accountLines(run, account) : [])
    ]
    return run.report(account?.level ?? 0, facts, lines)
  })
}

/** All claims where a source replays the chain; otherwise those in the holder's own records. */
function historyOf(
  run: Verification,
  tag: Uint8Array,
  account: VerifiedAccount | undefined
): { claims: readonly NameEvent[]; isComplete: boolean } {
  for (const source of run.sources) {
    const events = source.nameEvents?.(tag)
    if (events) return { claims: events, isComplete: true }
  }
  const order = account?.name?.claim.order
  if (!account || !order) return { claims: [], isComplete: false }
  return {
    claims: [{ kind: 'held', account: toHex(account.state.accountId), other: null, ...order }],
    isComplete: false
  }
}

function claimLine({ kind, account, other, blockHeight }: NameEvent): string {
  if (kind === 'released') return `block ${blockHeight}: ${account} gave it back`
  if (kind === 'taken') return `block ${blockHeight}: ${account} opened a claim, but ${other} had committed earlier`
  return `block ${blockHeight}: ${account} took it${other === null ? '' : ` from ${other}, having committed earlier`}`
}

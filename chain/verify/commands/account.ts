import type { Invocation } from '../arguments.ts'
import { accountFacts, accountLines } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import type { VerificationReport } from '../report/report.ts'
import { parseSubject } from '../checks/subject.ts'
import { verifyAccount } from '../checks/verify-account.ts'

/** `account <@name|id>`: the account's devices and records. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const subject = parseSubject(invocation.positionals[0]!)
  return withSources(invocation, surroundings, async run => {
    const account = await verifyAccount(run, subject)
    if (!account) return run.report(0)
    return run.report(account.level, { account: accountFacts(run, account) }, accountLines(run, account))
  })
}

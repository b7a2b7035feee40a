import type { Invocation } from '../arguments.ts'
import { compareWithReplay } from '../checks/compare-directory.ts'
import { VerifyError } from '../errors.ts'
import { accountFacts } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { replayAll } from '../checks/replays.ts'
import type { VerificationReport } from '../report/report.ts'
import { parseSubject, type Subject } from '../checks/subject.ts'
import { lowestLevel, verifyAccount } from '../checks/verify-account.ts'
import type { Verification } from '../checks/verification.ts'

/** `compare`: whether sources tell the same, on some accounts or on everything. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const { nodes, blockfrosts, others, positionals } = invocation
  const subjects = positionals.map(parseSubject)
  if (nodes.length + blockfrosts.length + others.length < 2) {
    throw new VerifyError('USAGE', 'compare needs two sources: --source A --source B')
  }
  return withSources(invocation, surroundings, run =>
    subjects.length > 0 ? compareAccounts(run, subjects) : compareDirectories(run)
  )
}

async function compareAccounts(run: Verification, subjects: readonly Subject[]): Promise<VerificationReport> {
  const accounts = []
  for (const subject of subjects) accounts.push(await verifyAccount(run, subject))
  const facts = { accounts: accounts.flatMap(account => (account ? [accountFacts(run, account)] : [])) }
  return run.report(lowestLevel(accounts), facts)
}

async function compareDirectories(run: Verification): Promise<VerificationReport> {
  const [first, ...others] = await replayAll(run)
  if (!first) {
    const detail = 'nodes answer by account: name some, or a Blockfrost server'
    run.checklist.skip('directory', 'the sources tell the same', false, { detail })
    return run.report(0)
  }
  return run.report(await compareWithReplay(run, first, others, 0))
}

import { toHex } from '../../../protocol/bytes.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { accountFacts, accountLines } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { readProofFile } from '../sources/proof-file.ts'
import type { VerificationReport } from '../report/report.ts'
import { parseSubject, type Subject } from '../checks/subject.ts'
import { verifyAccount } from '../checks/verify-account.ts'

/** `proof check FILE [<@name|id>]`: checks a proof without any network. */
export async function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const [file, wanted] = invocation.positionals as [string, string | undefined]
  const { nodes, blockfrosts, proofs } = invocation
  if (nodes.length + blockfrosts.length + proofs.length > 0) {
    throw new VerifyError('USAGE', 'proof check asks nobody: name the file and nothing else')
  }
  const asked = wanted === undefined ? undefined : parseSubject(wanted)
  const { proof, username } = await readProofFile(file)
  const stated: Subject = {
    kind: 'account',
    accountId: proof.accountId,
    label: toHex(proof.accountId)
  }
  return withSources({ ...invocation, proofs: [file] }, surroundings, async run => {
    // A name in the file is a claim like any other: the account's own records must hold it.
    const subject = asked ?? (username === null ? stated : parseSubject(username))
    const account = await verifyAccount(run, subject)
    if (!account) return run.report(0)
    const lines = accountLines(run, account)
    if (!asked) lines.unshift(`the proof says it is of ${subject.label}; name whom you mean to have that checked`)
    return run.report(account.level, { account: accountFacts(run, account), asked: asked !== undefined }, lines)
  })
}

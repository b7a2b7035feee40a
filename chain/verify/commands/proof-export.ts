import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { encodeProof } from '../../../protocol/directory/proofs/proof.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { accountFacts, accountLines } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { encodeProofFile } from '../sources/proof-file.ts'
import { verdictOf, type VerificationReport } from '../report/report.ts'
import { parseSubject } from '../checks/subject.ts'
import { verifyAccount } from '../checks/verify-account.ts'

/** `proof export <@name|id> --out FILE`: keeps what was verified. Nothing is written unless it was. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const { positionals, out } = invocation
  if (out === undefined || out === '') throw new VerifyError('USAGE', 'proof export needs --out FILE')
  const subject = parseSubject(positionals[0]!)
  return withSources(invocation, surroundings, async run => {
    const account = await verifyAccount(run, subject)
    if (!account) return run.report(0)
    const proof = encodeProofFile({
      genesis: run.init.network.genesis,
      username: subject.kind === 'name' ? subject.username : null,
      proof: encodeProof(account.best.proof)
    })
    const facts = { account: accountFacts(run, account) }
    const report = run.report(account.level, { ...facts, file: null, bytes: proof.length })
    if (verdictOf(report) !== 'verified') {
      return { ...report, lines: [...accountLines(run, account), 'nothing was written'] }
    }
    await replaceFile(out, proof)
    return {
      ...report,
      facts: { ...report.facts, file: out },
      lines: [...accountLines(run, account), `${proof.length} bytes written to ${out}`]
    }
  })
}

/** Puts a whole file in place, or none. @throws VerifyError `USAGE`. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeFile(temporary, content, { flag: 'wx' })
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    throw new VerifyError('USAGE', `${path} cannot be written: ${reason}`, { cause })
  }
}

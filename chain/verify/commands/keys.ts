import { writeFile } from 'node:fs/promises'
import { toHex } from '../../../protocol/bytes.ts'
import { liveDevices } from '../../../protocol/directory/account.ts'
import { allowedSignerLine, jwkOf, sshKeyLine, type NamedKey } from '../../../protocol/signing/key-forms.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { accountFacts, accountLines } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { verdictOf, type VerificationReport } from '../report/report.ts'
import { parseSubject } from '../checks/subject.ts'
import { verifyAccount, type VerifiedAccount } from '../checks/verify-account.ts'

/** What each format makes of the keys. */
const FORMATS: Readonly<Record<string, (keys: readonly NamedKey[]) => string[]>> = {
  'allowed-signers': keys => keys.map(allowedSignerLine),
  ssh: keys => keys.map(sshKeyLine),
  jwk: keys => [JSON.stringify({ keys: keys.map(jwkOf) })]
}

/** `keys <@name|id>`: the signing keys of the live devices, for SSH, Git and others. Nothing is written unless it is verified. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const { positionals, out } = invocation
  const subject = parseSubject(positionals[0]!)
  const name = invocation.format ?? 'allowed-signers'
  const format = FORMATS[name]
  if (!format) throw new VerifyError('USAGE', `--format is one of ${Object.keys(FORMATS).join(', ')}, got "${name}"`)
  return withSources(invocation, surroundings, async run => {
    const account = await verifyAccount(run, subject)
    if (!account) return run.report(0)
    const keys = namedKeys(account)
    const lines = format(keys)
    const facts = {
      account: accountFacts(run, account),
      keys: keys.map(key => ({ ...jwkOf(key), ssh: sshKeyLine(key), allowedSigner: allowedSignerLine(key) }))
    }
    const report = run.report(account.level, { ...facts, file: null }, lines)
    if (out === undefined) return report
    if (verdictOf(report) !== 'verified') {
      return { ...report, lines: [...accountLines(run, account), 'nothing was written'] }
    }
    await write(out, `${lines.join('\n')}\n`)
    return { ...report, facts: { ...report.facts, file: out }, lines: [`${keys.length} key(s) written to ${out}`] }
  })
}

/** The keys of live devices, named as the account was asked for. */
export function namedKeys({ state, subject }: VerifiedAccount): NamedKey[] {
  const principal = subject.kind === 'name' ? subject.username : toHex(state.accountId)
  return liveDevices(state).map(({ deviceId, keys }) => ({
    publicKey: keys.signingKey,
    deviceId: toHex(deviceId),
    principal
  }))
}

/** @throws VerifyError `USAGE`. */
async function write(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    throw new VerifyError('USAGE', `${path} cannot be written: ${reason}`, { cause })
  }
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import {
  isSigned,
  MAX_SIGNATURE_TEXT,
  parseFileSignature,
  type FileSignature
} from '../../../protocol/signing/file-signature.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { deviceFacts, deviceLine } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import type { VerificationReport } from '../report/report.ts'
import { readBounded } from '../sources/proof-file.ts'
import { parseSubject } from '../checks/subject.ts'
import { verifyAccount, type VerifiedAccount } from '../checks/verify-account.ts'
import type { Verification } from '../checks/verification.ts'

/** `signature FILE --by <@name|id>`: whether a live device of the account signed the file. */
export async function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const { by, positionals } = invocation
  if (by === undefined) throw new VerifyError('USAGE', 'signature needs --by <@name|id>')
  const file = positionals[0]!
  const subject = parseSubject(by)
  const signature = await readSignature(invocation.signature ?? `${file}.sig`)
  const hash = await hashOf(file)
  return withSources(invocation, surroundings, async run => {
    const isValid = await isSigned(run.init.crypto, signature, hash)
    run.checklist.add('signature', isValid ? 'passed' : 'failed', 'the signature is of this file')
    const account = await verifyAccount(run, subject)
    if (!account) return run.report(0)
    const device = judgeSigner(run, account, signature)
    const facts = {
      file,
      sha512: toHex(hash),
      namespace: signature.namespace,
      signingKey: toHex(signature.publicKey),
      ...(device && { device: deviceFacts(device) })
    }
    return run.report(account.level, facts, device ? [`signed by ${deviceLine(device)}`] : [])
  })
}

function judgeSigner(run: Verification, { state, subject }: VerifiedAccount, { publicKey }: FileSignature) {
  const about = subject.label
  const device = state.devices.find(({ keys }) => equalBytes(keys.signingKey, publicKey))
  if (!device) {
    run.checklist.add('signer', 'failed', 'a device of the account signed it', { about })
    return undefined
  }
  run.checklist.pass('signer', 'a device of the account signed it', { about })
  // When it was signed nobody can tell: what a removed device signs says nothing any more.
  if (device.revocation) run.checklist.absent('live', 'the device that signed it is live', { about })
  else run.checklist.pass('live', 'the device that signed it is live', { about })
  return device
}

/** @throws VerifyError `MALFORMED`. */
async function readSignature(path: string): Promise<FileSignature> {
  const text = new TextDecoder().decode(await readBounded(path, MAX_SIGNATURE_TEXT))
  try {
    return parseFileSignature(text)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new VerifyError('MALFORMED', `${path}: ${cause.message}`, { cause })
  }
}

/** @throws VerifyError `MALFORMED` for a file that cannot be read. */
async function hashOf(path: string): Promise<Uint8Array> {
  const hash = createHash('sha512')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    throw new VerifyError('MALFORMED', `${path} cannot be read: ${reason}`, { cause })
  }
  return new Uint8Array(hash.digest())
}

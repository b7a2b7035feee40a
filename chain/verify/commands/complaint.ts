import { basename } from 'node:path'
import { toHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { networkIdOf } from '../../../protocol/network.ts'
import { judgeComplaint, type Complaint, type ComplaintVerdict } from '../../../protocol/wire/complaint.ts'
import { MAX_COMPLAINT_LENGTH, readComplaint } from '../../../protocol/wire/complaint-file.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { readNetwork, type Surroundings } from '../open-sources.ts'
import type { Check, VerificationReport } from '../report/report.ts'
import { readBounded } from '../sources/proof-file.ts'

const CLAIM = 'the node promised to keep a delivery and later signed that it does not hold it'

/** `complaint FILE`: whether a complaint about a node holds. It asks nobody. */
export async function run(invocation: Invocation, _surroundings: Surroundings): Promise<VerificationReport> {
  const { nodes, blockfrosts, proofs, networkFile, positionals } = invocation
  if (nodes.length + blockfrosts.length + proofs.length > 0) {
    throw new VerifyError('USAGE', 'complaint asks nobody: name the file, and --network if you like')
  }
  const [file] = positionals as [string]
  const text = Buffer.from(await readBounded(file, MAX_COMPLAINT_LENGTH)).toString()
  const crypto = createNodeCrypto()
  const expected = networkFile === undefined ? undefined : networkIdOf(crypto, await readNetwork(networkFile))
  const now = Date.now()
  const complaint = parse(text)
  const verdict: ComplaintVerdict | Malformed =
    complaint instanceof ProtocolError
      ? { holds: false, fault: 'malformed', sentence: `This complaint does not hold: ${complaint.message}.` }
      : await judgeComplaint(crypto, complaint, { now, expected })
  return report(positionals, now, verdict, complaint instanceof ProtocolError ? undefined : complaint)
}

interface Malformed {
  holds: false
  fault: 'malformed'
  sentence: string
}

function parse(text: string): Complaint | ProtocolError {
  try {
    return readComplaint(text)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

function report(
  subject: readonly string[],
  checkedAt: number,
  verdict: ComplaintVerdict | Malformed,
  complaint: Complaint | undefined
): VerificationReport {
  const { holds, sentence } = verdict
  const check: Check = {
    id: 'complaint',
    outcome: holds ? 'passed' : 'failed',
    claim: CLAIM,
    detail: sentence,
    source: basename(subject[0]!)
  }
  const facts = { holds, fault: verdict.holds ? null : verdict.fault, sentence, ...(complaint && factsOf(complaint)) }
  const trust = { asked: 0, reached: 0 } as const
  const source = { name: basename(subject[0]!), kind: 'file' } as const
  return {
    command: 'complaint',
    subject,
    network: null,
    sources: [source],
    trust,
    tips: [],
    checkedAt,
    checks: [check],
    facts,
    lines: [sentence]
  }
}

/** What the complaint says; only a complaint that holds makes it true. */
const factsOf = ({ network, mailbox, id, expiry, receipt: { receipt }, denial }: Complaint) => ({
  network: toHex(network),
  node: toHex(receipt.node),
  mailbox: toHex(mailbox),
  delivery: toHex(id),
  expiry,
  epoch: receipt.epoch,
  promisedAt: receipt.time,
  deniedAt: denial.time,
  reason: denial.reason
})

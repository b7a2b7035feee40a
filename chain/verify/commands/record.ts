import { equalBytes, fromHex, toHex } from '../../../protocol/bytes.ts'
import { recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import { parseRecord, signaturesOf } from '../../../protocol/directory/parsed-record.ts'
import type { RejectCode } from '../../../protocol/directory/verdict.ts'
import type { DirectoryRecord } from '../../../protocol/identity/record.ts'
import type { TransactionId } from '../../source/chain-source.ts'
import { askForAccount, askForName, judgeFailure, type Answer } from '../checks/answer.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { counted } from '../report/render-human.ts'
import type { TrustLevel, VerificationReport } from '../report/report.ts'
import { areIndependent, type AccountSource } from '../sources/account-source.ts'
import { ReplaySource } from '../sources/replay-source.ts'
import { nameTagOf } from '../../../protocol/identity/username.ts'
import { parseRecordReference, parseSubject, type Subject } from '../checks/subject.ts'
import type { Verification } from '../checks/verification.ts'

/** A record where a source has it. */
interface Found {
  readonly kind: 'found'
  readonly source: AccountSource
  readonly bytes: Uint8Array
  readonly height: number
  readonly txIndex: number
  /** Lower-case hex. */
  readonly blockHash: string
  /** `null` when it was accepted. */
  readonly rejected: RejectCode | null
  /** `null` where it is of no account that is known. */
  readonly accountId: Uint8Array | null
  readonly tipHeight: number
}

type Finding = Found | Exclude<Answer, { kind: 'seen' }>

interface Reference {
  readonly transaction: TransactionId
  readonly recordIndex: number
}

/** `record <txid>#<i>`: one record, taken apart. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const reference = parseRecordReference(invocation.positionals[0]!)
  const owner = invocation.account === undefined ? undefined : parseSubject(invocation.account)
  if (!owner && invocation.nodes.length + invocation.proofs.length > 0) {
    throw new VerifyError('USAGE', 'nodes and proof files answer by account: name it with --account')
  }
  return withSources(invocation, surroundings, async run => {
    const findings = await Promise.all(run.sources.map(source => look(run, source, reference, owner)))
    for (const finding of findings) recordFinding(run, finding)
    const found = findings.filter(finding => finding.kind === 'found')
    const [first] = found
    if (!first) return run.report(0)
    const level = judgeAgreement(run, found)
    const record = judgeRecord(run, first)
    const confirmations = Math.min(...found.map(({ tipHeight, height }) => tipHeight - height + 1))
    const { minConf } = run.init.options
    const detail = counted(confirmations, 'confirmation')
    run.checklist.require(
      'confirmations',
      confirmations >= minConf,
      `it has at least ${counted(minConf, 'confirmation')}`,
      {
        detail
      }
    )
    const facts = recordFacts(run, reference, first, record, confirmations)
    return run.report(level, { record: facts }, linesOf(facts))
  })
}

async function look(
  run: Verification,
  source: AccountSource,
  reference: Reference,
  owner: Subject | undefined
): Promise<Finding> {
  try {
    if (source instanceof ReplaySource) return await lookInChain(run, source, reference, owner)
    return await lookInAccount(run, source, reference, owner!)
  } catch (error) {
    const judged = judgeFailure(error)
    if (!judged) throw error
    return { ...judged, source }
  }
}

async function lookInChain(
  run: Verification,
  source: ReplaySource,
  { transaction, recordIndex }: Reference,
  owner: Subject | undefined
): Promise<Finding> {
  const { signal } = run.init
  const bytes = await source.components.source.transactionBytes(transaction, signal ? { signal } : {})
  if (!bytes) return { kind: 'absent', source, reason: 'no block holds this transaction' }
  const { metadata } = recordsOfTransaction(bytes, run.init.network.genesis.metadataLabel)
  if (metadata.kind === 'none') return { kind: 'absent', source, reason: 'the transaction has nothing under the label' }
  if (metadata.kind === 'skipped') return { kind: 'refused', source, reason: `skipped as a whole: ${metadata.code}` }
  const record = metadata.records[recordIndex]
  const judged = (await source.judge(transaction, { signal })).get(recordIndex)
  const { tip } = await source.replay({ signal })
  run.sawTip(source, { ...tip, hash: fromHex(tip.hash) })
  if (!record || !judged)
    return { kind: 'absent', source, reason: `no record ${recordIndex} up to the block asked for` }
  const { verdict, place } = judged
  const { accountId } = verdict
  if (owner?.kind === 'account' && accountId && !equalBytes(accountId, owner.accountId)) {
    return { kind: 'refused', source, reason: `it is a record of account ${toHex(accountId)}` }
  }
  return {
    kind: 'found',
    source,
    bytes: record,
    height: place.height,
    txIndex: place.index,
    blockHash: place.blockHash,
    rejected: verdict.kind === 'rejected' ? verdict.code : null,
    accountId,
    tipHeight: tip.height
  }
}

async function lookInAccount(
  run: Verification,
  source: AccountSource,
  { transaction, recordIndex }: Reference,
  owner: Subject
): Promise<Finding> {
  const { id, genesis } = run.init.network
  const answer =
    owner.kind === 'account'
      ? await askForAccount(run, source, owner.accountId)
      : await askForName(run, source, await nameTagOf(run.init.crypto, id, genesis, owner.username))
  if (answer.kind !== 'seen') return answer
  for (const candidate of answer.proof.transactions) {
    const { transactionId, metadata } = recordsOfTransaction(candidate.transaction, genesis.metadataLabel)
    if (toHex(transactionId) !== transaction || metadata.kind !== 'records') continue
    if (!candidate.recordIndexes.includes(recordIndex)) break
    return {
      kind: 'found',
      source,
      bytes: metadata.records[recordIndex]!,
      height: candidate.blockHeight,
      txIndex: candidate.txIndex,
      blockHash: toHex(candidate.blockHash),
      rejected: null,
      accountId: answer.checked.account.accountId,
      tipHeight: answer.proof.tip.height
    }
  }
  return { kind: 'absent', source, reason: `it is not among the accepted records of ${owner.label}` }
}

function recordFinding({ checklist }: Verification, finding: Finding): void {
  const source = finding.source.name
  if (finding.kind === 'found') {
    checklist.pass('transaction', 'the transaction hashes to its id and holds its metadata', { source })
  } else if (finding.kind === 'absent') {
    checklist.absent('found', 'the record is on the chain', { detail: finding.reason, source })
  } else {
    const outcome = finding.kind === 'refused' ? 'failed' : finding.kind
    checklist.add('source', outcome, 'the source shows the record', { detail: finding.reason, source })
  }
}

function judgeAgreement({ checklist }: Verification, found: readonly Found[]): TrustLevel {
  const [first] = found
  const isSame = (other: Found): boolean =>
    other.height === first!.height && other.txIndex === first!.txIndex && other.blockHash === first!.blockHash
  for (const other of found.filter(candidate => !isSame(candidate))) {
    checklist.fail('agreement', 'the sources have it in the same block and place', { source: other.source.name })
  }
  const agreeing = found.filter(isSame)
  const isConfirmed = agreeing.some(({ source }) => agreeing.some(other => areIndependent(source, other.source)))
  if (isConfirmed) checklist.pass('agreement', 'independent sources have it in the same block and place')
  return isConfirmed ? 2 : 1
}

function judgeRecord({ checklist, init }: Verification, { bytes, rejected }: Found): DirectoryRecord | undefined {
  const result = parseRecord(init.crypto, init.network.id, bytes)
  if (result.kind === 'rejected') {
    checklist.fail('encoding', 'the record is canonical and of a known kind', { detail: result.code })
    return undefined
  }
  const { record } = result.parsed
  checklist.pass('encoding', 'the record is canonical and of a known kind', { detail: record.kind })
  const count = signaturesOf(record).length
  const claim = count === 1 ? 'its signature verifies' : `its ${count} signatures verify`
  if (rejected === null) checklist.pass('signatures', claim)
  else if (rejected === 'BAD_SIGNATURE') checklist.fail('signatures', claim)
  else checklist.skip('signatures', claim, false, { detail: 'whose they must be depends on an accepted record' })
  if (rejected === null) checklist.pass('accepted', 'the rules accept it where it stands')
  else checklist.fail('accepted', 'the rules accept it where it stands', { detail: rejected })
  return record
}

/** Fields as JSON, bytes in hex. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function recordFacts(
  { init }: Verification,
  { transaction, recordIndex }: Reference,
  { bytes, height, txIndex, blockHash, accountId, rejected }: Found,
  record: DirectoryRecord | undefined,
  confirmations: number
): Record<string, unknown> {
  const result = parseRecord(init.crypto, init.network.id, bytes)
  return {
    record: result.kind === 'parsed' ? toHex(result.parsed.id) : null,
    kind: record?.kind ?? null,
    account: accountId && toHex(accountId),
    place: { block: height, blockHash, txIndex, transaction, recordIndex },
    confirmations,
    rejected,
    fields: plain(record ?? null),
    bytes: toHex(bytes)
  }
}

function linesOf(facts: Record<string, unknown>): string[] {
  const { record, kind, account, place, fields } = facts as {
    record: string | null
    kind: string | null
    account: string | null
    place: { block: number; txIndex: number }
    fields: Record<string, unknown> | null
  }
  return [
    `record ${record ?? '(unreadable)'}, ${kind ?? 'of no known kind'}, of ${account ?? 'no account'}`,
    `block ${place.block}, transaction ${place.txIndex} of it`,
    ...Object.entries(fields ?? {}).map(
      ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`
    )
  ]
}

import { toHex } from '../../../protocol/bytes.ts'
import { historyOf } from '../../../protocol/directory/account.ts'
import { directoryDigest } from '../../../protocol/directory/digest.ts'
import type { Directory } from '../../../protocol/directory/directory.ts'
import type { Invocation } from '../arguments.ts'
import { compareWithReplay } from '../checks/compare-directory.ts'
import { VerifyError } from '../errors.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { replayAll, type Replayed } from '../checks/replays.ts'
import type { VerificationReport } from '../report/report.ts'
import type { Verification } from '../checks/verification.ts'

/** Changes that are told one by one. */
const MAX_CHANGES = 1_000

/** `audit`: the whole directory from raw transactions, and nodes held against it. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  if (invocation.blockfrosts.length === 0) {
    throw new VerifyError('USAGE', 'audit replays the chain: name a source with --blockfrost')
  }
  const fromHeight = invocation.fromHeight ?? 0
  return withSources(invocation, surroundings, async run => {
    const [first, ...others] = await replayAll(run)
    if (!first) return run.report(0)
    const level = await compareWithReplay(run, first, others, fromHeight)
    const facts = directoryFacts(run, first, fromHeight)
    return run.report(level, { directory: facts }, linesOf(facts))
  })
}

function directoryFacts(run: Verification, { replay }: Replayed, fromHeight: number): Record<string, unknown> {
  const { directory, tip, transactionCount } = replay
  const { crypto, network } = run.init
  return {
    height: tip.height,
    transactions: transactionCount,
    accounts: directory.accountCount,
    records: directory.recordCount,
    names: [...directory.names()].length,
    nodes: directory.nodes().length,
    rejected: Object.fromEntries(directory.rejectedCounts()),
    /** Equal for all who folded the same chain. */
    digest: toHex(directoryDigest(crypto, network.id, directory)),
    fromHeight,
    ...changesSince(directory, fromHeight)
  }
}

function changesSince(directory: Directory, fromHeight: number): { changed: number; changes: unknown[] } {
  const changes: {
    block: number
    txIndex: number
    recordIndex: number
    account: string
    kind: string
    record: string
  }[] = []
  for (const account of directory.accounts()) {
    for (const { recordId, kind, order } of historyOf(account)) {
      if (!order || order.blockHeight < fromHeight) continue
      const { blockHeight: block, txIndex, recordIndex } = order
      changes.push({ block, txIndex, recordIndex, account: toHex(account.accountId), kind, record: toHex(recordId) })
    }
  }
  changes.sort((a, b) => a.block - b.block || a.txIndex - b.txIndex || a.recordIndex - b.recordIndex)
  return { changed: changes.length, changes: changes.slice(-MAX_CHANGES) }
}

function linesOf(facts: Record<string, unknown>): string[] {
  const { accounts, records, names, nodes, transactions, rejected, digest, changed, fromHeight } = facts
  const skipped = Object.entries(rejected as Record<string, number>).map(([code, count]) => `${code} ${count}`)
  return [
    `${String(accounts)} accounts, ${String(names)} names, ${String(nodes)} nodes; ${String(records)} records in ${String(transactions)} transactions`,
    `${String(changed)} accepted from block ${String(fromHeight)} on`,
    `rejected: ${skipped.join(', ') || 'none'}`,
    `state ${String(digest)}`
  ]
}

/** A whole directory, as replayed from one source, held against other sources. */
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import type { AccountState } from '../../../protocol/directory/account.ts'
import { encodeProof, type AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import type { NameState } from '../../../protocol/directory/tables/tables.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { SETTLED_CONFIRMATIONS } from '../../../protocol/limits.ts'
import { mapLimited } from '../../follow/label-reader.ts'
import { compareAnswers } from './agreement.ts'
import { askForAccount, judgeFailure } from './answer.ts'
import type { ChainReplay, ReplayedTransaction } from '../sources/replay.ts'
import type { Replayed } from './replays.ts'
import type { TrustLevel } from '../report/report.ts'
import { areIndependent, type AccountSource } from '../sources/account-source.ts'
import type { ReplaySource } from '../sources/replay-source.ts'
import type { Verification } from './verification.ts'

/** Nodes count requests by the minute; a reader of the whole directory can wait that long. */
const PATIENCE_MS = 65_000
/** Differences that are told one by one. */
const MAX_TOLD = 20

interface Difference {
  readonly kind: 'failed' | 'unconfirmed' | 'unreachable'
  readonly reason: string
}

/**
 * Holds all other sources of a run against one replay.
 * @param fromHeight - accounts and names that did not change from there on are not asked for.
 * @returns L2 if an independent source agrees on everything.
 */
export async function compareWithReplay(
  run: Verification,
  first: Replayed,
  others: readonly Replayed[],
  fromHeight: number
): Promise<TrustLevel> {
  let level: TrustLevel = 1
  for (const other of others) {
    if (compareReplays(run, first, other) && areIndependent(first.source, other.source)) level = 2
  }
  for (const node of run.sources.filter(({ kind }) => kind === 'node')) {
    if ((await compareNode(run, first.source, node, fromHeight)) && areIndependent(first.source, node)) level = 2
  }
  return level
}

/**
 * Asks a node for every account and name that changed from a height on.
 * @returns whether it agrees on all of them. The checklist names what does not agree.
 */
async function compareNode(
  run: Verification,
  replaySource: ReplaySource,
  node: AccountSource,
  fromHeight: number
): Promise<boolean> {
  const replay = await replaySource.replay({ signal: run.init.signal })
  const accounts = [...replay.directory.accounts()].filter(({ history }) => isSince(history.order, fromHeight))
  const names = [...replay.directory.names()].filter(({ heldSince }) => isSince(heldSince, fromHeight))
  const differences: Difference[] = []
  let isGone = false
  const compareAll = async <T>(
    items: readonly T[],
    compare: (item: T) => Promise<Difference | undefined>
  ): Promise<void> => {
    await mapLimited([...items], async item => {
      // A node that is gone is not asked a thousand times.
      const difference = isGone ? undefined : await compare(item)
      if (difference) differences.push(difference)
      isGone ||= difference?.kind === 'unreachable'
    })
  }
  await compareAll(accounts, account => compareAccount(run, replaySource, replay, node, account))
  await compareAll(names, name => compareName(run, replay, node, name))
  tellDifferences(run, node, differences, `${accounts.length} accounts and ${names.length} names are as on the chain`)
  return differences.length === 0
}

function isSince(order: { blockHeight: number } | null, fromHeight: number): boolean {
  return order !== null && order.blockHeight >= fromHeight
}

function tellDifferences(
  { checklist }: Verification,
  { name }: AccountSource,
  differences: Difference[],
  claim: string
): void {
  if (differences.length === 0) return checklist.pass('directory', claim, { source: name })
  const order = { failed: 0, unreachable: 1, unconfirmed: 2 }
  const sorted = differences.sort((a, b) => order[a.kind] - order[b.kind])
  for (const { kind, reason } of sorted.slice(0, MAX_TOLD)) {
    checklist.add('directory', kind, claim, { detail: reason, source: name })
  }
  if (sorted.length > MAX_TOLD) {
    checklist.unconfirmed('directory', claim, {
      detail: `and ${sorted.length - MAX_TOLD} more differences`,
      source: name
    })
  }
}

async function compareAccount(
  run: Verification,
  replaySource: ReplaySource,
  replay: ChainReplay,
  node: AccountSource,
  { accountId }: AccountState
): Promise<Difference | undefined> {
  return judging(`account ${toHex(accountId)}`, async () => {
    const expected = replay.proof(accountId)!
    const proof = await node.proof(accountId, { signal: run.init.signal, maxPauseMs: PATIENCE_MS })
    if (proof) run.sawTip(node, proof.tip)
    // The same transactions in the same places: their signatures were verified by the replay.
    if (proof && equalBytes(bareBytes(proof, expected), bareBytes(expected, expected))) return undefined
    return judgeDifferent(run, replaySource, node, accountId)
  })
}

const bareBytes = (proof: AccountProof, { tip }: AccountProof): Uint8Array =>
  encodeProof({ ...proof, pending: [], tip })

async function judgeDifferent(
  run: Verification,
  replaySource: ReplaySource,
  node: AccountSource,
  accountId: AccountId
): Promise<Difference | undefined> {
  const answers = await Promise.all([replaySource, node].map(source => askForAccount(run, source, accountId)))
  const told = answers[1]!
  if (told.kind === 'refused') return { kind: 'failed', reason: told.reason }
  if (told.kind === 'unreachable' || told.kind === 'unconfirmed') return { kind: told.kind, reason: told.reason }
  const [disagreement] = compareAnswers(answers).disagreements
  if (!disagreement) return undefined
  return { kind: disagreement.kind === 'contradiction' ? 'failed' : 'unconfirmed', reason: disagreement.reason }
}

async function compareName(
  run: Verification,
  replay: ChainReplay,
  node: AccountSource,
  { nameTag, accountId, heldSince }: NameState
): Promise<Difference | undefined> {
  return judging(`name ${toHex(nameTag)}`, async () => {
    const claimants = await node.claimants(nameTag, { signal: run.init.signal, maxPauseMs: PATIENCE_MS })
    if (claimants.some(claimant => equalBytes(claimant, accountId))) return undefined
    const depth = replay.tip.height - heldSince!.blockHeight + 1
    const reason = `it does not name the holder, ${toHex(accountId)}`
    return { kind: depth >= SETTLED_CONFIRMATIONS ? 'failed' : 'unconfirmed', reason }
  })
}

async function judging(what: string, compare: () => Promise<Difference | undefined>): Promise<Difference | undefined> {
  try {
    const difference = await compare()
    return difference && { ...difference, reason: `${what}: ${difference.reason}` }
  } catch (error) {
    const judged = judgeFailure(error)
    if (!judged) throw error
    return { kind: judged.kind === 'refused' ? 'failed' : judged.kind, reason: `${what}: ${judged.reason}` }
  }
}

/**
 * Holds two replays against each other, up to the lower of their tips.
 * @returns whether they have the same accepted transactions in the same places.
 */
function compareReplays({ checklist }: Verification, first: Replayed, second: Replayed): boolean {
  const height = Math.min(first.replay.tip.height, second.replay.tip.height)
  const lists = [first, second].map(({ replay }) => [...replay.transactions()].filter(place => place.height <= height))
  const [left, right] = lists as [ReplayedTransaction[], ReplayedTransaction[]]
  const index = left.findIndex((place, i) => !isSamePlace(place, right[i]))
  const claim = `${left.length} transactions with records stand in the same places`
  const source = second.source.name
  if (index < 0 && left.length === right.length) {
    checklist.pass('directory', claim, { source })
    return true
  }
  const at = Math.min(left[index]?.height ?? Infinity, right[index < 0 ? left.length : index]?.height ?? Infinity)
  const detail = `they part at block ${at}, ${height - at} blocks below the tip`
  const isDeep = height - at + 1 >= SETTLED_CONFIRMATIONS
  checklist.add('directory', isDeep ? 'failed' : 'unconfirmed', claim, { detail, source })
  return false
}

function isSamePlace(a: ReplayedTransaction, b: ReplayedTransaction | undefined): boolean {
  if (b === undefined || a.id !== b.id || a.height !== b.height || a.index !== b.index) return false
  return a.blockHash === b.blockHash && a.time === b.time
}

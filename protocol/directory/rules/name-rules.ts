/** Rules of the records that claim and release usernames: NAME_COMMIT, NAME_REVEAL and NAME_RELEASE. */
import { equalBytes } from '../../bytes.ts'
import { nameCommitment } from '../../identity/name-commitment.ts'
import type { RecordOf } from '../../identity/record.ts'
import {
  MAX_NAMES_PER_ACCOUNT,
  MAX_OPEN_COMMITMENTS,
  NAME_REVEAL_MAX_BLOCKS,
  NAME_REVEAL_MIN_BLOCKS
} from '../../limits.ts'
import type { NameCommitment, RecordMark } from '../account.ts'
import type { OrderKey } from '../order.ts'
import type { RejectCode } from '../verdict.ts'
import { accept, reject, signedBy, type Plan, type SignedStep } from './plan.ts'

/** Blocks from one record to another; 0 when either is pending. */
function blocksBetween(from: OrderKey | null, to: OrderKey | null): number {
  return from && to ? to.blockHeight - from.blockHeight : 0
}

/** NAME_COMMIT reserves a username without showing it. */
export function planNameCommit(step: SignedStep<RecordOf<'nameCommit'>>): Plan {
  const { account, record, mark } = step
  const { commitment } = record
  const open = account.commitments.filter(({ order }) => blocksBetween(order, mark.order) <= NAME_REVEAL_MAX_BLOCKS)
  if (open.some(other => equalBytes(other.commitment, commitment))) return reject('COMMIT_KNOWN', account)
  if (open.length >= MAX_OPEN_COMMITMENTS) return reject('COMMIT_LIMIT', account)
  return accept(step, { commitments: [...open, { ...mark, commitment }] }, [signedBy(step)])
}

/** NAME_REVEAL claims the username of an earlier NAME_COMMIT. */
export function planNameReveal(step: SignedStep<RecordOf<'nameReveal'>>): Plan {
  const { context, account, record, mark } = step
  const { nameTag, salt } = record
  const commitment = nameCommitment(context.crypto, context.network, nameTag, account.accountId, salt)
  const commit = account.commitments.find(other => equalBytes(other.commitment, commitment))
  if (!commit) return reject('COMMIT_UNKNOWN', account)
  const timing = judgeReveal(commit, mark)
  if (timing) return reject(timing, account)
  const others = account.names.filter(name => !equalBytes(name.nameTag, nameTag))
  if (others.length >= MAX_NAMES_PER_ACCOUNT) return reject('NAME_LIMIT', account)
  const changes = {
    commitments: account.commitments.filter(other => other !== commit),
    names: [...others, { ...mark, nameTag, commitOrder: commit.order }]
  }
  return accept(step, changes, [signedBy(step)])
}

/** A pending reveal is judged when it lands; one on chain needs its commitment on chain before it. */
function judgeReveal(commit: NameCommitment, mark: RecordMark): RejectCode | null {
  if (mark.order === null) return null
  const blocks = blocksBetween(commit.order, mark.order)
  if (blocks < NAME_REVEAL_MIN_BLOCKS) return 'REVEAL_TOO_EARLY'
  return blocks > NAME_REVEAL_MAX_BLOCKS ? 'REVEAL_TOO_LATE' : null
}

/** NAME_RELEASE gives a claimed username back. */
export function planNameRelease(step: SignedStep<RecordOf<'nameRelease'>>): Plan {
  const { account, record } = step
  const names = account.names.filter(name => !equalBytes(name.nameTag, record.nameTag))
  if (names.length === account.names.length) return reject('NAME_UNCLAIMED', account)
  return accept(step, { names }, [signedBy(step)])
}

/**
 * The rules by which an account accepts a record. A rule looks at the records of that account alone. It returns the next
 * account state and lists the signatures that must hold. The order of the checks is part of the format, because it
 * decides the reject code.
 */
import { equalBytes } from '../../bytes.ts'
import { MAX_RECORDS_PER_ACCOUNT } from '../../limits.ts'
import { deviceOf, isLive, type RecordMark } from '../account.ts'
import type { ParsedEntry, ParsedRecord } from '../parsed-record.ts'
import { planAdd, planCreate, planRevoke, planRotate } from './device-rules.ts'
import { planNameCommit, planNameRelease, planNameReveal } from './name-rules.ts'
import { planNode } from './node-rules.ts'
import { planRecover, planSetRecovery } from './recovery-rules.ts'
import {
  accept,
  reject,
  signedBy,
  type AcceptPlan,
  type AccountRecord,
  type FoldContext,
  type OrdinaryRecord,
  type Plan,
  type RecordLookup,
  type SignedStep
} from './plan.ts'

/**
 * Decides what a record would do, without looking at its signatures.
 *
 * @param record - any record but RELEASE, which belongs to no account.
 */
export function planRecord(
  context: FoldContext,
  lookup: RecordLookup,
  { parsed, order, blockTime }: ParsedEntry,
  record: AccountRecord
): Plan {
  const mark: RecordMark = { recordId: parsed.id, order, blockTime }
  if (lookup.has(parsed.id)) return reject('DUPLICATE', lookup.accountOf(parsed.id))
  if (record.kind === 'create') return planCreate(context, record, mark)
  const account = lookup.accountOf(record.prev)
  if (!account) return reject('UNKNOWN_PREV')
  const step = { context, account, mark }
  // A thief with a live device could outrun or exhaust everything else, so these two wait for nothing.
  if (record.kind === 'revoke') return planRevoke({ ...step, record })
  if (record.kind === 'recover') return planRecover({ ...step, record })
  if (!equalBytes(record.prev, account.head)) return reject('STALE', account)
  if (account.limitedCount >= MAX_RECORDS_PER_ACCOUNT) return reject('RECORD_LIMIT', account)
  const signer = deviceOf(account, record.by)
  if (!signer) return reject('UNKNOWN_SIGNER', account)
  if (!isLive(signer)) return reject('SIGNER_REVOKED', account)
  return planOrdinary({ ...step, record, signer })
}

/** Whether every signature of a plan holds; verifies what was not verified before. */
export async function verifyPlan(context: FoldContext, parsed: ParsedRecord, plan: AcceptPlan): Promise<boolean> {
  for (const check of plan.checks) {
    if (!(await parsed.verify(context.crypto, context.network, check))) return false
  }
  return true
}

function planOrdinary(step: SignedStep<OrdinaryRecord>): Plan {
  const { record } = step
  switch (record.kind) {
    case 'add':
      return planAdd({ ...step, record })
    case 'rotate':
      return planRotate({ ...step, record })
    case 'nameCommit':
      return planNameCommit({ ...step, record })
    case 'nameReveal':
      return planNameReveal({ ...step, record })
    case 'nameRelease':
      return planNameRelease({ ...step, record })
    case 'node':
      return planNode({ ...step, record })
    case 'vouch':
      return accept({ ...step, record }, {}, [signedBy(step)])
    case 'setRecovery':
      return planSetRecovery({ ...step, record })
  }
}

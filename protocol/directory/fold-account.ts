import { equalBytes } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import type { AccountId, RecordId } from '../identity/device.ts'
import type { NetworkId } from '../network.ts'
import type { AccountState } from './account.ts'
import { bytesKey, compareOrder, type OrderedRecord, type OrderKey } from './order.ts'
import { parseRecord } from './parsed-record.ts'
import { planRecord, verifyPlan } from './rules/plan-record.ts'
import type { RejectCode, RejectedRecord } from './verdict.ts'

/** What the records of one account add up to. */
export interface AccountFold {
  account: AccountState
  /** Records that were skipped, in the order given. */
  rejected: RejectedRecord[]
}

/**
 * Replays the records of one account, as a client does that got them from a node. Every signature is verified.
 *
 * @param accountId - the account that was asked for: records of any other are `OTHER_ACCOUNT`.
 * @param entries - strictly in chain order, pending ones last.
 * @returns `undefined` if the account's CREATE is not among the records, or not valid.
 * @throws ProtocolError `INVALID` if the entries are not in order.
 */
export async function foldAccount(
  crypto: Crypto,
  network: NetworkId,
  accountId: AccountId,
  entries: readonly OrderedRecord[]
): Promise<AccountFold | undefined> {
  const context = { crypto, network }
  const accepted = new Set<string>()
  const rejected: RejectedRecord[] = []
  let account: AccountState | undefined
  const lookup = {
    has: (recordId: Uint8Array): boolean => accepted.has(bytesKey(recordId)),
    accountOf: (recordId: Uint8Array): AccountState | undefined => (lookup.has(recordId) ? account : undefined)
  }
  const reject = (code: RejectCode, order: OrderKey | null, recordId: RecordId | null = null): void => {
    rejected.push({ kind: 'rejected', code, recordId, accountId, order })
  }
  requireChainOrder(entries)
  for (const { bytes, order, blockTime } of entries) {
    const result = parseRecord(crypto, network, bytes)
    if (result.kind === 'rejected') {
      reject(result.code, order)
      continue
    }
    const { record, id } = result.parsed
    if (record.kind === 'release' || (record.kind === 'create' && !equalBytes(id, accountId))) {
      reject('OTHER_ACCOUNT', order, id)
      continue
    }
    const plan = planRecord(context, lookup, { parsed: result.parsed, order, blockTime }, record)
    if (plan.kind === 'reject') reject(plan.code, order, id)
    else if (!(await verifyPlan(context, result.parsed, plan))) reject('BAD_SIGNATURE', order, id)
    else {
      account = plan.account
      accepted.add(bytesKey(id))
    }
  }
  return account && { account, rejected }
}

/** @throws ProtocolError `INVALID`. */
function requireChainOrder(entries: readonly OrderedRecord[]): void {
  entries.forEach(({ order }, index) => {
    const previous = entries[index - 1]
    if (!previous || (previous.order === null && order === null)) return
    if (compareOrder(previous.order, order) >= 0) throw new ProtocolError('INVALID', 'records are not in chain order')
  })
}

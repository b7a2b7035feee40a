/** What an accepted record means between accounts: who holds a name, who runs a node, who is an admitted operator. */
import { equalBytes } from '../bytes.ts'
import type { AccountId } from '../identity/device.ts'
import type { DirectoryRecord, RecordOf } from '../identity/record.ts'
import type { AccountState } from './account.ts'
import { bytesKey, compareOrder, type OrderKey } from './order.ts'
import { deleteName, putName, type Tables } from './tables/tables.ts'
import type { Effect } from './verdict.ts'

/** Admitted operators that must vouch for another one. */
export const VOUCHERS_REQUIRED = 2

/**
 * Brings the tables between accounts up to date.
 *
 * @param account - the state after the record.
 * @returns what changed, for those who watch.
 */
export function settle(
  tables: Tables,
  account: AccountState,
  record: DirectoryRecord,
  order: OrderKey | null
): Effect[] {
  switch (record.kind) {
    case 'create':
      tables.devices.set(bytesKey(account.devices[0]!.deviceId), account.accountId)
      return settleFounder(tables, account.accountId, record.device.signingKey)
    case 'add':
    case 'recover':
      tables.devices.set(bytesKey(account.devices.at(-1)!.deviceId), account.accountId)
      return []
    case 'nameReveal':
      return settleReveal(tables, account, record.nameTag, order)
    case 'nameRelease':
      return settleRelease(tables, account.accountId, record.nameTag)
    case 'node':
      return settleNode(tables, account, record)
    case 'vouch':
      return settleVouch(tables, account.accountId, record.operator)
    default:
      return []
  }
}

/** The first commitment in chain order wins, even when another was opened before it: front-runners commit later. */
function settleReveal(tables: Tables, account: AccountState, nameTag: Uint8Array, order: OrderKey | null): Effect[] {
  const { accountId } = account
  const { commitOrder } = account.names.find(name => equalBytes(name.nameTag, nameTag))!
  const holder = tables.names.get(bytesKey(nameTag))
  if (holder && compareOrder(holder.commitOrder, commitOrder) <= 0) {
    return equalBytes(holder.accountId, accountId) ? [] : [{ kind: 'nameTaken', nameTag, holder: holder.accountId }]
  }
  const isOwn = holder !== undefined && equalBytes(holder.accountId, accountId)
  putName(tables, { nameTag, accountId, commitOrder, heldSince: isOwn ? holder.heldSince : order })
  return isOwn ? [] : [{ kind: 'nameHeld', nameTag, from: holder?.accountId ?? null }]
}

function settleRelease(tables: Tables, accountId: AccountId, nameTag: Uint8Array): Effect[] {
  const holder = tables.names.get(bytesKey(nameTag))
  if (!holder || !equalBytes(holder.accountId, accountId)) return []
  deleteName(tables, nameTag)
  return [{ kind: 'nameReleased', nameTag }]
}

/** The node's key signed too, so the last announcement is the one it wants. */
function settleNode(tables: Tables, account: AccountState, { nodeKey }: RecordOf<'node'>): Effect[] {
  const key = bytesKey(nodeKey)
  const announced = account.nodes.find(node => equalBytes(node.nodeKey, nodeKey))
  if (announced) {
    const { addresses, order } = announced
    tables.nodes.set(key, { nodeKey, operator: account.accountId, addresses, announced: order })
    return [{ kind: 'nodeListed', nodeKey }]
  }
  const listed = tables.nodes.get(key)
  if (!listed || !equalBytes(listed.operator, account.accountId)) return []
  tables.nodes.delete(key)
  return [{ kind: 'nodeWithdrawn', nodeKey }]
}

/** The first account whose first device has a key of genesis is that operator's; further ones have no special role. */
function settleFounder(tables: Tables, operator: AccountId, signingKey: Uint8Array): Effect[] {
  const key = bytesKey(signingKey)
  const known = tables.founders.get(key)
  if (known === undefined || known.length > 0) return []
  tables.founders.set(key, operator)
  tables.operators.set(bytesKey(operator), { operator, vouchers: [], isAdmitted: true })
  return [{ kind: 'operatorAdmitted', operator }]
}

/** A voucher counts if it is admitted by the time it vouches; an operator stays admitted. */
function settleVouch(tables: Tables, voucher: AccountId, operator: AccountId): Effect[] {
  if (!tables.operators.get(bytesKey(voucher))?.isAdmitted) return []
  const key = bytesKey(operator)
  const state = tables.operators.get(key) ?? { operator, vouchers: [], isAdmitted: false }
  if (state.isAdmitted || state.vouchers.some(known => equalBytes(known, voucher))) return []
  const vouchers = [...state.vouchers, voucher]
  const isAdmitted = vouchers.length >= VOUCHERS_REQUIRED
  tables.operators.set(key, { operator, vouchers, isAdmitted })
  return isAdmitted ? [{ kind: 'operatorAdmitted', operator }] : []
}

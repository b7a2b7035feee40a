import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { GroupChange } from '../../protocol/groups/group-change.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'

/**
 * Who brought an account into a group, as far as it can be believed. A device that was removed from its account says nothing here: its
 * thief can make a group in its owner's name, date it back, and let a helper carry it.
 *
 * @param isRemoved - whether a device was removed from its account.
 * @returns null if nobody who can be believed did.
 */
export function addedBy(
  log: GroupLog,
  account: AccountId,
  isRemoved: (accountId: AccountId, deviceId: DeviceId) => boolean
): AccountId | null {
  const member = log.state.members.get(toHex(account))
  if (!member) return null
  const brought = log
    .changes()
    .filter(change => equalBytes(change.accountId, member.addedBy) && brings(change, account))
  const isBelieved = brought.length > 0 && !brought.some(change => isRemoved(change.accountId, change.deviceId))
  return isBelieved ? member.addedBy : null
}

function brings({ change, accountId }: GroupChange, account: AccountId): boolean {
  if (change.kind === 'create' && equalBytes(accountId, account)) return true
  if (change.kind !== 'create' && change.kind !== 'add') return false
  return change.targets.some(target => equalBytes(target.accountId, account))
}

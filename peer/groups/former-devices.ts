/**
 * Devices that left the roster of a group although they never should have: what took their account out is void, once the branch of
 * an admin who ranks before is known. They get what was sealed without them: the sender counts them in again since the message
 * from which they had been in, they see the gap, and ask for it.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { rosterDevices, type GroupHead, type Roster } from '../../protocol/roster/roster.ts'
import type { Outbound } from '../../protocol/session/outbound.ts'
import { groupSlots } from '../store/group-slots.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { GroupBook } from './group-book.ts'

/** Before a session is opened: the sending side with those counted in again that never were out. */
export async function withFormerDevices(
  unit: UnitOfWork,
  book: GroupBook,
  roster: Roster,
  outbound: Outbound
): Promise<Outbound> {
  const log = book.within(unit, toHex(roster.conversationId))?.log
  if (!log) return outbound
  const group = toHex(roster.conversationId)
  const joined = [...outbound.joined]
  for (const { accountId, device } of rosterDevices(roster)) {
    const slot = groupSlots.former(group, toHex(device.deviceId))
    const former = await unit.read(slot)
    if (!former || joined.some(({ deviceId }) => equalBytes(deviceId, device.deviceId))) continue
    const before = log.stateAt(former.heads).members.get(toHex(accountId))
    const now = log.state.members.get(toHex(accountId))
    // Added again since: not all of what was said in between is for them.
    if (before && now && equalBytes(before.ground, now.ground)) {
      joined.push({ deviceId: former.deviceId, since: former.since })
    }
    unit.remove(slot)
  }
  return { ...outbound, joined }
}

/** After a session was opened: keeps those that it was not sealed to any more. @param heads - of the session before. */
export function noteFormerDevices(
  unit: UnitOfWork,
  group: string,
  before: Outbound,
  after: Outbound,
  heads: readonly GroupHead[]
): void {
  for (const { deviceId, since } of before.joined) {
    if (after.joined.some(other => equalBytes(other.deviceId, deviceId))) continue
    unit.write(groupSlots.former(group, toHex(deviceId)), { deviceId, since, heads: [...heads] })
  }
}

/** Parts of changes that a user asks for, checked before they are signed. */
import { equalBytes } from '../../protocol/bytes.ts'
import type { MessageId } from '../../protocol/conversation/message.ts'
import type { GroupChange } from '../../protocol/groups/group-change.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { parseDisplayName } from '../../protocol/identity/display-name.ts'
import { MAX_GROUP_DESCRIPTION_UNITS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import { lineIdOf } from './group-writer.ts'

/** The name of a group. @throws PeerError `display-name`. */
export function nameOf(text: string): string {
  const { name, fault } = parseDisplayName(text)
  if (fault !== null) throw new PeerError('display-name', { fault })
  return name
}

/** The description of a group; empty for none. @throws PeerError `about-too-long`. */
export function descriptionOf(text: string): string {
  const description = text.trim().toWellFormed()
  const { length } = description
  const limit = MAX_GROUP_DESCRIPTION_UNITS
  if (length > limit) throw new PeerError('about-too-long', { length, limit })
  return description
}

/** A group whose admins are all gone could never change again. @throws PeerError `last-admin`. */
export function requireOtherAdmin({ log }: { log: GroupLog }, accountId: AccountId): void {
  const members = [...log.state.members.values()].filter(member => !equalBytes(member.accountId, accountId))
  if (members.length > 0 && !members.some(({ role }) => role === 'admin')) throw new PeerError('last-admin')
}

/** The message that carries a change has the id of its line, so that the line follows it. */
export const sentAs = (change: GroupChange): { messageId: MessageId; shown: true; sentAt: number } => ({
  messageId: lineIdOf(change),
  shown: true,
  sentAt: change.at
})

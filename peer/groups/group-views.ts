/** Groups in the form that screens and command line see. */
import { toHex } from '../../protocol/bytes.ts'
import { compareRanks } from '../../protocol/groups/group-state.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../engine-context.ts'
import type { GroupMemberView, GroupSummary, Person } from '../peer-api.ts'
import type { GroupBook } from './group-book.ts'
import { shownPicture } from './group-pictures.ts'

/** Shows people. */
export interface ShownPeople {
  person(accountId: AccountId): Person
}

/** What the own devices agree on about groups; see `sync-items.ts`. */
export interface GroupItems {
  get(name: string): Uint8Array | undefined
}

/** Name of the item that is set while a group is muted. */
export const mutedItem = (group: string): string => `group-muted/${group}`

/** @returns null for a group that this device does not know. */
export function groupSummary(
  context: EngineContext,
  book: GroupBook,
  items: GroupItems,
  group: string
): GroupSummary | null {
  const known = book.get(group)
  if (!known) return null
  const { name, description, settings, members } = known.log.state
  const picture = shownPicture(known)
  return {
    id: group,
    name,
    description,
    picture: picture && toHex(picture.hash),
    rights: settings,
    members: members.size,
    role: book.isIn(group) ? members.get(toHex(context.accountId()))!.role : null,
    isRequest: known.stored.answer === null,
    isMuted: items.get(mutedItem(group)) !== undefined
  }
}

/** Admins first, in the order of their rank; then the others, the longest member first. */
export function groupMembers(book: GroupBook, group: string, people: ShownPeople): GroupMemberView[] {
  const members = [...(book.stateOf(group)?.members.values() ?? [])]
  return members
    .sort((a, b) => compareRanks(a.rank, b.rank) || a.since - b.since)
    .map(({ accountId, role, since, addedBy }) => ({
      person: people.person(accountId),
      role,
      since,
      addedBy: people.person(addedBy)
    }))
}

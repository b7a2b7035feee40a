import { skeletonOfDisplayName } from '../../../protocol/identity/display-name.ts'
import type { ConversationSummary, Person } from '../../../peer/peer-api.ts'
import type { Catalogue } from '../i18n/catalogue.ts'

type Named = Pick<Person, 'displayName' | 'username'> & Partial<Pick<Person, 'marks'>>

/** What to call a person: nickname, else display name, else username, else words for "unknown". */
export function personName(person: Named, words: Catalogue): string {
  if (person.marks?.nickname) return person.marks.nickname
  if (person.displayName) return person.displayName
  return person.username ? words.common.atName(person.username) : words.common.unnamed
}

/** The username as a second line below {@link personName}; null if there is none, or if it is the first line already. */
export function secondName(person: Pick<Person, 'displayName' | 'username'>, words: Catalogue): string | null {
  return person.username && person.displayName ? words.common.atName(person.username) : null
}

/**
 * The accounts whose shown names look alike, also to a reader in a hurry: their rows show the usernames, which one person has.
 * @returns account ids.
 */
export function namesakesOf(people: Pick<Person, 'accountId' | 'displayName' | 'username'>[]): Set<string> {
  const byName = new Map<string, Set<string>>()
  for (const { accountId, displayName, username } of people) {
    const name = displayName || username || ''
    // A name of emoji has no letters to compare: it is compared as it is.
    const skeleton = skeletonOfDisplayName(name) || name
    byName.set(skeleton, (byName.get(skeleton) ?? new Set()).add(accountId))
  }
  return new Set([...byName.values()].filter(({ size }) => size > 1).flatMap(accounts => [...accounts]))
}

/** Whose face a conversation shows: a group has its own. */
export function chatFace({
  id,
  person,
  group
}: ConversationSummary): Pick<Person, 'accountId' | 'displayName' | 'username' | 'picture'> & { isGroup: boolean } {
  if (!group) return { ...person, isGroup: false }
  return { accountId: id, displayName: group.name, username: null, picture: group.picture, isGroup: true }
}

/** The heading of a conversation. */
export function chatTitle(conversation: ConversationSummary, words: Catalogue): string {
  if (conversation.kind === 'notes-to-self') return words.common.notesToSelf
  return conversation.group?.name ?? personName(conversation.person, words)
}

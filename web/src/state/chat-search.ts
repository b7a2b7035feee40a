import type { ConversationSummary } from '../../../peer/peer-api.ts'

/** Letters without case and accents, so that "zoë" is found as "zoe". */
export function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** The conversations whose title, username or last message contains the text; all of them for an empty text. */
export function findChats(conversations: readonly ConversationSummary[], text: string): ConversationSummary[] {
  const wanted = folded(text.trim().replace(/^@/, ''))
  if (!wanted) return [...conversations]
  return conversations.filter(({ title, person, lastMessage }) =>
    [title, person.username, lastMessage?.text].some(part => part != null && folded(part).includes(wanted))
  )
}

import type { ConversationSummary } from '../peer-api.ts'

/**
 * Whether a conversation is a request: a person whom the user has neither accepted, ignored nor blocked has written, or has
 * added the user to a group.
 */
export function isMessageRequest({ kind, person, group, lastMessage }: ConversationSummary): boolean {
  const { answer, blocked } = person.marks
  if (kind === 'group') return group?.isRequest ?? false
  return kind === 'direct' && answer === null && !blocked && lastMessage !== null
}

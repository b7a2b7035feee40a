import type { ConversationSummary } from '../peer-api.ts'

/**
 * Whether a conversation is a request: a person whom the user has neither accepted, ignored nor blocked has written, or has
 * added the user to a group. Where the user wants to hear a word of strangers: only those who know it.
 */
export const isMessageRequest = (conversation: ConversationSummary): boolean =>
  isUnanswered(conversation) && !conversation.lacksWord

/** Whether a conversation would be a request, had the person known the word. */
export const isWithoutWord = (conversation: ConversationSummary): boolean =>
  isUnanswered(conversation) && conversation.lacksWord

/** Whether the user has not answered the person or the group, in one way or another. */
export function isUnanswered({ kind, person, group, lastMessage }: ConversationSummary): boolean {
  const { answer, blocked } = person.marks
  if (kind === 'group') return group?.isRequest ?? false
  return kind === 'direct' && answer === null && !blocked && lastMessage !== null
}

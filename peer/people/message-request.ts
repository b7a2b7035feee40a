import type { ConversationSummary } from '../peer-api.ts'

/** Whether a conversation is a request: a person whom the user has neither accepted, ignored nor blocked has written. */
export function isMessageRequest({ kind, person, lastMessage }: ConversationSummary): boolean {
  const { answer, blocked } = person.marks
  return kind === 'direct' && answer === null && !blocked && lastMessage !== null
}

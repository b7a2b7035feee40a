/** `search`: people, chats and messages of this device. */
import type { ConversationSummary, FoundMessage } from '../../peer-api.ts'
import { personJson, personLine, printable } from '../output.ts'
import { EXIT, requireRegistered, soonCaughtUp, type Run } from './runnable.ts'

/** Prints one line for each, with its `kind`: people, then chats, then messages, the newest first. */
export const search: Run<'search'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await soonCaughtUp(peer)
  const found = await peer.search.find(command.text, command.limit === undefined ? {} : { limit: command.limit })
  for (const person of found.people) {
    await output.print({ kind: 'person', ...personJson(person) }, `person   ${personLine(person)}`)
  }
  for (const chat of found.chats) await output.print(chatJson(chat), `chat     ${printable(chat.title)}`)
  for (const each of found.messages) await output.print(messageJson(each), messageLine(each))
  if (found.since !== null) output.note(`messages on this device begin on ${dayOf(found.since)}`)
  return EXIT.done
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

function chatJson({ id, kind: chatKind, title, person, unread, updatedAt }: ConversationSummary): object {
  const { accountId, username } = person
  return { kind: 'chat', conversation: id, chatKind, title, accountId, username, unread, updatedAt }
}

function messageJson({ message, conversation }: FoundMessage): object {
  const { id, from: fromAccount, fromName, mine, text, sentAt, state } = message
  const { id: conversationId, title } = conversation
  return { kind: 'message', id, conversation: conversationId, title, fromAccount, fromName, mine, text, sentAt, state }
}

function messageLine({ message, conversation }: FoundMessage): string {
  const { sentAt, fromName, mine, text } = message
  const time = new Date(sentAt).toISOString().slice(0, 16).replace('T', ' ')
  return `message  ${time}  ${printable(conversation.title)}  ${mine ? 'you' : printable(fromName)}: ${printable(text)}`
}

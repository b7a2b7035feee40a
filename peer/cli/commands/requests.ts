/** `requests`: what people write whom the user does not know yet. */
import { isMessageRequest } from '../../people/message-request.ts'
import type { NodePeer } from '../../node-peer.ts'
import type { ConversationSummary, Person, PersonMarks } from '../../peer-api.ts'
import { messageLine, nameOf, personJson, personLine } from '../output.ts'
import { personNamed } from './find-person.ts'
import { conversationName } from './conversation-named.ts'
import { EXIT, me, requireRegistered, type CommandOf, type Run } from './runnable.ts'

export const requests: Run<'requests'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  const self = await me(peer)
  const { conversations } = await peer.snapshot()
  for (const request of conversations.filter(isMessageRequest)) {
    const last = request.lastMessage!
    const text = `${personLine(request.person)}\n    ${messageLine(last, request.person, self)}`
    await output.print(requestJson(request), text)
  }
  return EXIT.done
}

function requestJson(request: ConversationSummary): object {
  const { person, lastMessage, unread, group } = request
  const { text, sentAt } = lastMessage!
  return {
    ...personJson(person),
    conversation: conversationName(request),
    group: group?.name ?? null,
    unread,
    lastMessage: { text, sentAt }
  }
}

export const requestsAccept: Run<'requestsAccept'> = async (peer, command, output) => {
  const person = await answer(peer, command, { answer: 'accepted', blocked: false })
  await output.print(personJson(person), `${nameOf(person)} is accepted.`)
  return EXIT.done
}

export const requestsIgnore: Run<'requestsIgnore'> = async (peer, command, output) => {
  const person = await answer(peer, command, { answer: 'ignored' })
  await output.print(personJson(person), `${nameOf(person)} is ignored. They are not told.`)
  return EXIT.done
}

async function answer(
  peer: NodePeer,
  { person, timeoutMs }: CommandOf<'requestsAccept' | 'requestsIgnore'>,
  marks: Partial<PersonMarks>
): Promise<Person> {
  await requireRegistered(peer)
  const found = await personNamed(peer, person, timeoutMs)
  return peer.people.mark(found.accountId, marks)
}

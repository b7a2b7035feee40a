/** `requests`: what people write whom the user does not know yet. */
import { isMessageRequest, isUnanswered } from '../../people/message-request.ts'
import { setTimeout as pause } from 'node:timers/promises'
import type { NodePeer } from '../../node-peer.ts'
import type { ConversationSummary, Person, PersonMarks } from '../../peer-api.ts'
import { messageLine, nameOf, personJson, personLine, printable } from '../output.ts'
import { personNamed } from './find-person.ts'
import { conversationName } from './conversation-named.ts'
import { EXIT, me, requireRegistered, soonCaughtUp, type CommandOf, type Run } from './runnable.ts'

/** Longest wait for the name of a stranger, and the pause between two looks. */
const NAME_WAIT_MS = 2_000
const LOOK_MS = 50

export const requests: Run<'requests'> = async (peer, { all }, output) => {
  await requireRegistered(peer)
  await soonCaughtUp(peer)
  const self = await me(peer)
  const { conversations } = await peer.snapshot()
  for (const found of conversations.filter(all ? isUnanswered : isMessageRequest)) {
    const request = await named(peer, found)
    const last = request.lastMessage!
    const text = `${personLine(request.person)}\n    ${messageLine(last, request.person, self)}`
    await output.print(requestJson(request), text)
  }
  return EXIT.done
}

/** Somebody who has just written may not have been looked up yet; without a connection nobody is. */
async function named(peer: NodePeer, request: ConversationSummary): Promise<ConversationSummary> {
  const isNamed = ({ kind, person }: ConversationSummary): boolean => kind !== 'direct' || person.username !== null
  let found = request
  const end = performance.now() + NAME_WAIT_MS
  while (!isNamed(found) && performance.now() < end && (await peer.online(0))) {
    await pause(LOOK_MS)
    const { conversations } = await peer.snapshot()
    found = conversations.find(({ id }) => id === request.id) ?? found
  }
  return found
}

function requestJson(request: ConversationSummary): object {
  const { person, lastMessage, unread, group, lacksWord } = request
  const { text, sentAt } = lastMessage!
  return {
    ...personJson(person),
    conversation: conversationName(request),
    group: group?.name ?? null,
    unread,
    lacksWord,
    lastMessage: { text, sentAt }
  }
}

export const requestsWord: Run<'requestsWord'> = async (peer, { word }, output) => {
  await requireRegistered(peer)
  const { firstWord } = word === undefined ? await me(peer) : await peer.account.setFirstWord(word)
  const text =
    firstWord === null
      ? 'Strangers need no word to write to you.'
      : `Strangers must know the word "${printable(firstWord)}". What others write is put aside: requests --all.`
  await output.print({ word: firstWord }, text)
  return EXIT.done
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

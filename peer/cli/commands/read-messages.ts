/** `messages`. */
import { setTimeout as pause } from 'node:timers/promises'
import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, ConversationSummary, Person } from '../../peer-api.ts'
import { messageJson, messageLine, type Output } from '../output.ts'
import { allMessages, chatNamed } from './find-conversation.ts'
import { historyComing } from './history-coming.ts'
import { namesIn, peopleIn } from './sent-state.ts'
import { EXIT, me, requireRegistered, soonCaughtUp, type Run } from './runnable.ts'

/** Names of people who are new here are waited for no longer than this. */
const NAMES_MS = 3_000
const LOOK_MS = 50

export const messages: Run<'messages'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await historyComing(peer, output)
  // A person without a conversation has to be looked up.
  const conversation = await chatNamed(peer, command.with, command.timeoutMs)
  // First what has just come: a line that is printed must not be one that its sender has taken back.
  const isOnline = await soonCaughtUp(peer)
  const end = performance.now() + NAMES_MS
  while (isOnline && !(await allNamed(peer, conversation)) && performance.now() < end) await pause(LOOK_MS)
  await printAll(peer, conversation, output)
  return EXIT.done
}

/** Prints the messages of a conversation, oldest first. */
async function printAll(peer: NodePeer, conversation: ConversationSummary, output: Output): Promise<void> {
  const { group } = conversation
  const self = await me(peer)
  const members = group ? (await peer.groups.members(group.id)).map(({ person }) => person) : []
  const names = await namesIn(peer, conversation)
  for (const message of await allMessages(peer, conversation.id)) {
    const sender = members.find(({ accountId }) => accountId === message.from)
    const person = sender ?? (group ? await formerMember(peer, message) : conversation.person)
    await output.print(messageJson(message, person, self, group, names), messageLine(message, person, self))
  }
}

/** Whether everybody in a conversation has a username here: one who is new here is looked up once there is a connection. */
async function allNamed(peer: NodePeer, conversation: ConversationSummary): Promise<boolean> {
  return (await peopleIn(peer, conversation)).every(({ username }) => username !== null)
}

/** Who wrote here and is no member any more; by the name under which the message is shown if the network is not there. */
async function formerMember(
  peer: NodePeer,
  { from, fromName }: ChatMessage
): Promise<Pick<Person, 'username' | 'accountId'>> {
  const known = await peer.people.find(from).catch(() => null)
  return known ?? { username: null, accountId: fromName }
}

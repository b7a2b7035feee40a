/** Whether what a command says is kept by the network, and who is who in its conversation. */
import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, ConversationSummary, Person } from '../../peer-api.ts'
import type { Names } from '../output.ts'
import { me } from './runnable.ts'

const LOOK_MS = 25

/** Waits until the network keeps all that was said in a conversation. @returns false once the signal fires before that. */
export async function untilKept(peer: NodePeer, conversationId: string, signal: AbortSignal): Promise<boolean> {
  while (!peer.isAllSent(conversationId)) {
    if (signal.aborted) return false
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
  return true
}

/** How the people of a conversation are called: username, else account id. */
export async function namesIn(peer: NodePeer, conversation: ConversationSummary): Promise<Names> {
  const people = [...(await peopleIn(peer, conversation)), await me(peer)]
  const known = new Map(people.map(each => [each.accountId, each.username ?? each.accountId]))
  return account => known.get(account) ?? account
}

/** Who wrote a message; of a person who is not in the group any more, what its line has. */
export async function senderOf(
  peer: NodePeer,
  conversation: ConversationSummary,
  { from, fromName }: ChatMessage
): Promise<Pick<Person, 'username' | 'accountId'> & Partial<Person>> {
  const people = await peopleIn(peer, conversation)
  return people.find(({ accountId }) => accountId === from) ?? { username: null, accountId: fromName }
}

/** The people of a conversation: the members of a group, or the one person. */
export async function peopleIn(peer: NodePeer, { group, person }: ConversationSummary): Promise<Person[]> {
  return group ? (await peer.groups.members(group.id)).map(member => member.person) : [person]
}

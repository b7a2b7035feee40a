import type { NodePeer } from '../../node-peer.ts'
import { PeerError } from '../../errors.ts'
import type { ConversationSummary, Person } from '../../peer-api.ts'
import { GROUP_PREFIX, groupIdOf } from './groups.ts'

/** The conversation with a person, or the group that `group:ID` names. @param find - looks the person up. */
export async function conversationNamed(
  peer: NodePeer,
  named: string,
  find: (person: string) => Promise<Person>
): Promise<ConversationSummary> {
  if (!named.startsWith(GROUP_PREFIX)) return peer.conversations.open((await find(named)).accountId)
  const id = groupIdOf(named)
  const group = (await peer.snapshot()).conversations.find(conversation => conversation.id === id)
  if (!group) throw new PeerError('no-group')
  return group
}

/** How scripts name a conversation. */
export const conversationName = ({ id, kind }: Pick<ConversationSummary, 'id' | 'kind'>): string =>
  kind === 'group' ? `${GROUP_PREFIX}${id}` : id

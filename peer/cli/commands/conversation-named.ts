import type { NodePeer } from '../../node-peer.ts'
import { PeerError } from '../../errors.ts'
import type { ConversationSummary, Person } from '../../peer-api.ts'
import { GROUP_PREFIX, groupIdOf } from './groups.ts'
import { catchUp } from './runnable.ts'

/**
 * The conversation with a person, or the group that `group:ID` names. A group that is not here yet is waited for.
 * @param find - looks the person up.
 */
export async function conversationNamed(
  peer: NodePeer,
  named: string,
  { find, timeoutMs }: { find: (person: string) => Promise<Person>; timeoutMs: number }
): Promise<ConversationSummary> {
  if (!named.startsWith(GROUP_PREFIX)) return peer.conversations.open((await find(named)).accountId)
  const id = groupIdOf(named)
  const here = async () => (await peer.snapshot()).conversations.find(conversation => conversation.id === id)
  let group = await here()
  if (!group) {
    await catchUp(peer, timeoutMs)
    group = await here()
  }
  if (!group) throw new PeerError('no-group')
  return group
}

/** How scripts name a conversation. */
export const conversationName = ({ id, kind }: Pick<ConversationSummary, 'id' | 'kind'>): string =>
  kind === 'group' ? `${GROUP_PREFIX}${id}` : id

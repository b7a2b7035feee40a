import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, ConversationSummary } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { conversationNamed } from './conversation-named.ts'
import { personNamed } from './find-person.ts'
import { catchUp, SEND_TIMEOUT_MS } from './runnable.ts'

/** Messages that are looked at in one go. */
const PAGE = 500
/** Length of a whole id. */
const ID_LENGTH = 64

/** The conversation that a command line names: a group, or that with a person, made if needed. */
export const chatNamed = (peer: NodePeer, query: string, timeoutMs = SEND_TIMEOUT_MS): Promise<ConversationSummary> =>
  conversationNamed(peer, query, { find: person => personNamed(peer, person, timeoutMs), timeoutMs })

/**
 * The message that a command line names by its id or the beginning of it. One that is not here yet is waited for.
 * @throws CommandError `message-unknown`, `message-ambiguous`.
 */
export async function messageNamed(
  peer: NodePeer,
  { id: conversationId }: ConversationSummary,
  id: string,
  timeoutMs = SEND_TIMEOUT_MS
): Promise<ChatMessage> {
  const here = await messageHere(peer, conversationId, id)
  if (here) return here
  // What others wrote while no command ran is still at the nodes.
  await catchUp(peer, timeoutMs)
  const found = await messageHere(peer, conversationId, id)
  if (found) return found
  throw commandError('message-unknown', { message: id })
}

async function messageHere(peer: NodePeer, conversationId: string, id: string): Promise<ChatMessage | undefined> {
  if (id.length === ID_LENGTH) {
    const found = await peer.messages.find(id)
    return found?.conversationId === conversationId ? found : undefined
  }
  const matches = (await allMessages(peer, conversationId)).filter(message => message.id.startsWith(id))
  if (matches.length > 1) throw commandError('message-ambiguous', { message: id, matches: matches.length })
  return matches[0]
}

/** All messages of a conversation on this device, oldest first. */
export async function allMessages(peer: NodePeer, conversationId: string): Promise<ChatMessage[]> {
  const pages: ChatMessage[][] = []
  for (let before: string | undefined; ;) {
    const page = await peer.messages.page(conversationId, { limit: PAGE, ...(before === undefined ? {} : { before }) })
    if (page.length === 0) return pages.flat()
    pages.unshift(page)
    before = page[0]!.id
  }
}

import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { MessageId } from '../../protocol/conversation/message.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { labelled } from '../../protocol/labels.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ShownId } from '../store/conversation-entries.ts'

/** Whose message it is, and what its sender called it. */
export interface MessageOrigin {
  conversationId: ConversationId
  /** Account of the author. */
  from: AccountId
  messageId: MessageId
}

/** Names made before, by the id itself: a message on its way through the engine asks for its name several times. */
const named = new WeakMap<MessageId, MessageOrigin & { network: Uint8Array; name: ShownId }>()

/**
 * The name of a message: H(`shown-message`; conversation, author, message id). The id alone does not
 * name it: a sender may copy another sender's id, which must neither hide that message nor change its state.
 */
export function shownIdOf(context: Pick<EngineContext, 'crypto' | 'network'>, origin: MessageOrigin): ShownId {
  const { conversationId, from, messageId } = origin
  const network = context.network().id
  const before = named.get(messageId)
  if (
    before &&
    equalBytes(before.conversationId, conversationId) &&
    equalBytes(before.from, from) &&
    equalBytes(before.network, network)
  ) {
    return before.name
  }
  const name = toHex(
    context.crypto.sha256(labelled('shown-message', network, conversationId, from, messageId))
  ) as ShownId
  named.set(messageId, { conversationId, from, messageId, network, name })
  return name
}

/** The name of a message of this account. */
export function ownShownId(context: EngineContext, message: Omit<MessageOrigin, 'from'>): ShownId {
  return shownIdOf(context, { ...message, from: context.accountId() })
}

/** Which message an amendment is about, and what `listen` prints of it. */
import { toHex } from '../../protocol/bytes.ts'
import type { AmendingBody } from '../../protocol/conversation/amendments.ts'
import { shownEmoji } from '../../protocol/conversation/emoji.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ShownId } from '../store/conversation-entries.ts'
import type { ChatEventEntry } from '../store/store-layout.ts'
import { shownIdOf } from './shown-id.ts'

/** Name of the message. An edit or a delete can only name a message of its own account: see message-kinds.ts. */
export function targetOf(
  context: Pick<EngineContext, 'crypto' | 'network'>,
  conversationId: ConversationId,
  body: AmendingBody,
  author: AccountId
): ShownId {
  if (body.kind !== 'edit' && body.kind !== 'delete') return toHex(body.target) as ShownId
  return shownIdOf(context, { conversationId, from: author, messageId: body.target })
}

/** The event of an amendment that others see. */
export function eventOf(body: Exclude<AmendingBody, { kind: 'star' }>): ChatEventEntry['what'] {
  switch (body.kind) {
    case 'reaction':
      return { kind: 'reaction', emoji: body.emoji && shownEmoji(body.emoji) }
    case 'vote':
      return { kind: 'vote', choices: body.choices }
    case 'pin':
      return { kind: 'pin', isPinned: body.isPinned }
    case 'edit':
    case 'delete':
      return { kind: body.kind }
  }
}

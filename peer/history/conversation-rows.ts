import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../engine-context.ts'
import { conversationOf } from '../groups/conversation-roster.ts'
import { EMPTY_CONVERSATION, type Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { MessageLog } from './message-log.ts'

/** Finds the stored row of a conversation by its accounts, and makes the row of a new one. */
export class ConversationRows {
  readonly #context: EngineContext
  readonly #history: MessageLog

  constructor(context: EngineContext, history: MessageLog) {
    this.#context = context
    this.#history = history
  }

  /** The conversation of these accounts, ours among them; made if it is new. */
  async rowFor(unit: UnitOfWork, accounts: AccountId[]): Promise<Conversation> {
    const participants = conversationOf(this.#context, accounts)
    const existing = await unit.read(slots.conversation(toHex(participants.conversationId)))
    if (existing) return existing
    const conversation: Conversation = {
      ...participants,
      ...EMPTY_CONVERSATION,
      updatedAt: this.#context.timers.now()
    }
    this.#history.saveConversation(unit, conversation)
    return conversation
  }
}

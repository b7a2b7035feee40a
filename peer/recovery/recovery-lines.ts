/** Says in a conversation that its other person regained the account with a recovery code: all their devices are new ones. */
import { toHex } from '../../protocol/bytes.ts'
import { MESSAGE_ID_BYTES, type MessageId } from '../../protocol/conversation/message.ts'
import { labelled } from '../../protocol/labels.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { PersonTrust } from '../directory/person-trust.ts'
import type { EngineContext } from '../engine-context.ts'
import { conversationOf } from '../groups/conversation-roster.ts'
import type { MessageLog } from '../history/message-log.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

export interface RecoveryLinesComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  trust: Pick<PersonTrust, 'alertOf'>
}

export class RecoveryLines {
  readonly #components: RecoveryLinesComponents

  constructor(components: RecoveryLinesComponents) {
    this.#components = components
  }

  /** Something new is known of an account: one line for each recovery, where there is a conversation. Never rejects. */
  async note(known: KnownAccount): Promise<void> {
    const { context, states, trust } = this.#components
    if (trust.alertOf(known.accountId)?.kind !== 'recovered') return
    try {
      await states.unit(async unit => {
        const { conversationId } = conversationOf(context, [context.accountId(), known.accountId])
        const conversation = await unit.read(slots.conversation(toHex(conversationId)))
        if (!conversation || conversation.lastOrder === null) return
        const { recoveryCount } = known.checked.account
        const name = labelled('recovery-line', context.network().id, known.accountId, recoveryCount)
        await this.#components.history.append(unit, conversation, {
          // The same each time, so that the line is there once; of our account, so that nobody else can take the id first.
          messageId: context.crypto.sha256(name).slice(0, MESSAGE_ID_BYTES) as MessageId,
          from: context.accountId(),
          device: context.device().deviceId,
          mine: false,
          kind: 'system',
          text: '',
          line: { kind: 'recovered' },
          sentAt: context.timers.now(),
          state: null,
          problem: null
        })
      })
    } catch (error) {
      context.log.warn('a recovery could not be told in its conversation', { reason: String(error) })
    }
  }
}

/** Says that the network deleted messages before this device came back: one quiet line in the notes to oneself. */
import type { MessageId } from '../../protocol/conversation/message.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { MessageLog } from '../history/message-log.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

/** Replicas lose the same messages at about the same time, and each of them tells it. */
export const SAME_LOSS_MS = 60 * 60_000

const MESSAGE_ID_BYTES = 16

/** As a node tells it. */
export interface Loss {
  contacts: number
  requests: number
  /** Of the last one, by the node's clock. */
  at: number
}

export interface MailboxLossesComponents {
  context: EngineContext
  states: StateStore
  rows: ConversationRows
  history: MessageLog
}

export class MailboxLosses {
  readonly #components: MailboxLossesComponents

  constructor(components: MailboxLossesComponents) {
    this.#components = components
  }

  /** Resolves once a line is on the disk, or at once for a loss that a line tells already. */
  async tell(loss: Loss): Promise<void> {
    const { context, states, rows, history } = this.#components
    const { contacts, requests } = loss
    if (contacts + requests === 0) return
    await states.unit(async unit => {
      const now = context.timers.now()
      // A node whose clock is ahead must not silence losses to come.
      const at = Math.min(loss.at, now)
      const told = await unit.read(slots.lossTold())
      if (told && at <= told.at + SAME_LOSS_MS) return
      unit.write(slots.lossTold(), { at })
      const notes = await rows.rowFor(unit, [context.accountId()])
      await history.appendNew(unit, notes, {
        messageId: context.random(MESSAGE_ID_BYTES) as MessageId,
        from: context.accountId(),
        device: context.device().deviceId,
        mine: false,
        kind: 'system',
        text: '',
        line: { kind: 'deleted', contacts, requests },
        sentAt: now,
        state: null,
        problem: null
      })
    })
  }
}

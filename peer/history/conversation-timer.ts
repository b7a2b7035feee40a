/** After how long new messages of a conversation disappear: one setting, which every member may change and all see. */
import { compareBytes } from '../../protocol/bytes.ts'
import { nextVersion } from '../../protocol/conversation/amendments.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import { createMessageId, type BodyOf, type MessageId } from '../../protocol/conversation/message.ts'
import type { EngineContext } from '../engine-context.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { NewMessage } from '../store/new-message.ts'
import type { MessageLog } from './message-log.ts'

type Timer = NonNullable<Conversation['timer']>

export class ConversationTimer {
  readonly #context: EngineContext
  readonly #history: MessageLog

  constructor(context: EngineContext, history: MessageLog) {
    this.#context = context
    this.#history = history
  }

  /** Sets it here, and shows a line. @returns what the others are sent. */
  async set(
    unit: UnitOfWork,
    conversation: Conversation,
    seconds: number | null
  ): Promise<{ messageId: MessageId; sentAt: number; body: BodyOf<'timer'> }> {
    const context = this.#context
    const sentAt = context.timers.now()
    const version = nextVersion(sentAt, conversation.timer?.version)
    const messageId = createMessageId(context.random)
    const { deviceId } = context.device()
    const timer = { accountId: context.accountId(), deviceId, version, seconds }
    const line = timerLine({ messageId, sentAt, from: timer.accountId, device: deviceId, mine: true }, seconds)
    await this.#history.append(unit, { ...conversation, timer }, line)
    return { messageId, sentAt, body: { kind: 'timer', seconds, version } }
  }

  /** The conversation after another device has set it; the same one if a later setting counts. */
  taken(
    conversation: Conversation,
    { senderAccount: accountId, senderDevice: deviceId }: PacketOrigin,
    { version, seconds }: BodyOf<'timer'>
  ): Conversation {
    const timer = { accountId, deviceId, version, seconds }
    return isLater(timer, conversation.timer) ? { ...conversation, timer } : conversation
  }
}

/** The line that tells of a setting. @param shown - who set it, and when. */
export function timerLine(
  { messageId, sentAt, from, device, mine }: Pick<NewMessage, 'messageId' | 'sentAt' | 'from' | 'device' | 'mine'>,
  seconds: number | null
): NewMessage {
  return {
    messageId,
    sentAt,
    from,
    device,
    mine,
    kind: 'system',
    text: '',
    line: { kind: 'timer', seconds },
    state: null,
    problem: null
  }
}

/** Whether a setting replaces another, on every device: the higher version, then the higher device, then the shorter time. */
function isLater(timer: Timer, before: Timer | null): boolean {
  if (!before) return true
  if (timer.version !== before.version) return timer.version > before.version
  const order = compareBytes(timer.deviceId, before.deviceId)
  return order > 0 || (order === 0 && (timer.seconds ?? Infinity) < (before.seconds ?? Infinity))
}

/**
 * Who is typing. It goes from device to device, sealed as a receipt is, to people whom the user has accepted, and is kept by nodes for
 * seconds: who is away never learns it. Nothing of it is stored.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { BodyOf } from '../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { Privacy, TypingNotice } from '../peer-api.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

/** How long a node keeps it for a device that is away. */
const TYPING_TTL_MS = 20_000
/** How long it is shown without being said again. */
const TYPING_SHOWN_MS = 8_000
/** What was said longer ago is dropped: clocks may differ by so much, and a node that holds it back gains no more. */
const MAX_AGE_MS = 60_000
/** It is said to so many devices at most: in a large group it would cost more than what is written. */
const MAX_DEVICES = 32

/** Of what goes from device to device and is kept nowhere. */
export interface NoticeComponents {
  context: EngineContext
  states: StateStore
  roster: ConversationRoster
  pairs: PairSender
  isOnline: () => boolean
  privacy: () => Privacy
  marks: { isSpokenTo(accountId: AccountId): boolean }
}

export interface TypingComponents extends NoticeComponents {
  onTyping: (notice: TypingNotice) => void
}

export class Typing {
  readonly #components: TypingComponents

  constructor(components: TypingComponents) {
    this.#components = components
  }

  /**
   * Tells the others, as far as the user lets them know. Without a connection nothing is said, and nothing kept.
   * @throws PeerError `no-conversation`.
   */
  async tell(conversationId: string, isTyping: boolean): Promise<void> {
    const { states, roster, pairs, isOnline, privacy } = this.#components
    const conversation = await states.read(slots.conversation(conversationId))
    if (!conversation) throw new PeerError('no-conversation')
    if (!privacy().tellsTyping || !isOnline() || conversation.kind === 'notes') return
    const devices = (await roster.recipientsOf(conversation)) ?? []
    if (devices.length > MAX_DEVICES) return
    const accepted: DeviceId[] = []
    for (const deviceId of devices) {
      const owner = await roster.liveOwnerOf(conversation, deviceId)
      if (owner && this.#components.marks.isSpokenTo(owner.accountId)) accepted.push(deviceId)
    }
    const body = { kind: 'typing' as const, active: isTyping }
    await states.unit(async unit => {
      for (const deviceId of accepted)
        await pairs.say(unit, conversation.conversationId, deviceId, [body], TYPING_TTL_MS)
    })
  }

  /** A device says that its owner types. Late, or from a person who is not accepted, it is dropped. */
  note(origin: PacketOrigin, { active, sentAt }: BodyOf<'typing'> & { sentAt: number }): void {
    const { context, privacy, marks, onTyping } = this.#components
    const { senderAccount, conversationId } = origin
    // Whoever does not tell is not told.
    if (!privacy().tellsTyping || !marks.isSpokenTo(senderAccount)) return
    const now = context.timers.now()
    if (Math.abs(now - sentAt) > MAX_AGE_MS) return
    const until = now + TYPING_SHOWN_MS
    onTyping({ conversationId: toHex(conversationId), from: toHex(senderAccount), isTyping: active, until })
  }
}

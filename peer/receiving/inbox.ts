/** Applies decrypted messages: some are shown, some change what is shown, some are about sessions. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeMessage, type BodyOf, type Message, type MessageId } from '../../protocol/conversation/message.ts'
import {
  emptySequencer,
  receiveMessage,
  releaseHeld,
  wakeAt,
  type Emission,
  type SequencerStep
} from '../../protocol/conversation/sequencer.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { GAP_HOLD_MS } from '../../protocol/limits.ts'
import type { Inbound } from '../../protocol/session/inbound.ts'
import type { MessageFrame } from '../../protocol/session/message-packet.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { MessageLog, NewMessage } from '../history/message-log.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import { slots, type Conversation } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { shownDate } from './shown-date.ts'

/** A gap that the store did not take is shown after this. */
const RELEASE_RETRY_MS = 5_000

export interface InboxComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  pairs: PairSender
  tokens: DeliveryTokens
  /** A member told their name and display name. The listener looks them up outside the unit of work. */
  onProfile: (accountId: AccountId, profile: { username: string | null; displayName: string }) => void
  /** A gap is shown now. */
  onGap: (conversationId: string) => void
}

/** Whose message it is. */
export type Origin = Pick<Inbound, 'conversationId' | 'senderAccount' | 'senderDevice'> & {
  /** When a node had it, milliseconds; left out where that is not known, such as for what was held back. */
  storedAt?: number
}

export class Inbox {
  readonly #components: InboxComponents
  readonly #heardAt = new Map<string, number>()
  readonly #wakes = new Map<string, () => void>()
  /** The latest date under which a message of each device is shown; see {@link shownDate}. */
  readonly #shownUntil = new Map<string, number>()
  #malformed = 0
  #stopped = false

  constructor(components: InboxComponents) {
    this.#components = components
  }

  stop(): void {
    this.#stopped = true
    for (const cancel of this.#wakes.values()) cancel()
    this.#wakes.clear()
  }

  /** Messages whose content could not be read. */
  get malformed(): number {
    return this.#malformed
  }

  /**
   * When an authentic message of a device last arrived in this process, by the user's clock: it is compared with the stored
   * times of Opens.
   */
  heardAt(conversationId: string, device: string): number | undefined {
    return this.#heardAt.get(`${conversationId}/${device}`)
  }

  noteHeard({ conversationId, senderDevice }: Origin): void {
    this.#heardAt.set(`${toHex(conversationId)}/${toHex(senderDevice)}`, this.#components.context.timers.now())
  }

  /** Takes in one message that has a place among those of its sender. @returns 1 if it was new, else 0. */
  async sequenced(unit: UnitOfWork, origin: Origin, { sequence, predecessor, content }: MessageFrame): Promise<number> {
    if (sequence === null || predecessor === null) return 0
    const { conversationId, senderDevice } = origin
    const slot = slots.sequencer(toHex(conversationId), toHex(senderDevice))
    const sequencer = (await unit.read(slot)) ?? emptySequencer(conversationId, senderDevice)
    const env = sessionEnvironment(this.#components.context)
    const step = receiveMessage(env, sequencer, { sequence, predecessor, content })
    await this.apply(unit, origin, step)
    return step.isNew ? 1 : 0
  }

  /** Applies what the sequencer let through, and stores its state. */
  async apply(unit: UnitOfWork, origin: Origin, step: SequencerStep): Promise<void> {
    const conversationId = toHex(origin.conversationId)
    const device = toHex(origin.senderDevice)
    unit.write(slots.sequencer(conversationId, device), step.sequencer)
    for (const emission of step.emitted) await this.#emit(unit, origin, emission)
    const wake = wakeAt(step.sequencer)
    unit.after(() => this.resume(origin, wake))
  }

  /**
   * Waits until what a gap holds back may be shown; also after a start, for the waits that the last process left.
   *
   * @param at - as stored, so by the user's clock. No gap holds anything back for longer than `GAP_HOLD_MS`, so a clock that
   * was put back meanwhile must not make it longer.
   */
  resume({ conversationId, senderAccount, senderDevice }: Origin, at: number | undefined): void {
    const { timers } = this.#components.context
    const origin = { conversationId, senderAccount, senderDevice }
    const ms = at === undefined ? undefined : Math.min(Math.max(at - timers.now(), 1), GAP_HOLD_MS)
    this.#scheduleRelease(origin, ms)
  }

  #scheduleRelease(origin: Origin, ms: number | undefined): void {
    const { states, context } = this.#components
    const key = `${toHex(origin.conversationId)}/${toHex(origin.senderDevice)}`
    this.#wakes.get(key)?.()
    this.#wakes.delete(key)
    if (ms === undefined || this.#stopped) return
    const cancel = context.timers.after(ms, () => {
      this.#wakes.delete(key)
      states
        .unit(async unit => {
          const sequencer = await unit.read(slots.sequencer(toHex(origin.conversationId), toHex(origin.senderDevice)))
          if (sequencer) await this.apply(unit, origin, releaseHeld(sessionEnvironment(context), sequencer))
        })
        .catch((error: unknown) => {
          context.log.warn('a gap could not be shown', { reason: String(error) })
          // Without this, nothing looks again until the sender writes.
          if (!this.#wakes.has(key)) this.#scheduleRelease(origin, RELEASE_RETRY_MS)
        })
    })
    this.#wakes.set(key, cancel)
  }

  async #emit(unit: UnitOfWork, origin: Origin, emission: Emission): Promise<void> {
    const { history } = this.#components
    const conversation = await unit.read(slots.conversation(toHex(origin.conversationId)))
    if (!conversation) return
    const { senderAccount: account, senderDevice: device } = origin
    if (emission.kind === 'gone') return history.markGone(unit, conversation, { account, device, ...emission })
    if (emission.kind === 'gap') {
      await history.appendGap(unit, conversation, { account, device, from: emission.from, to: emission.to })
      unit.after(() => this.#components.onGap(toHex(origin.conversationId)))
      return
    }
    const message = this.decode(emission.content)
    const shown = message && this.#shownForm(origin, message)
    if (shown) await this.#setDate(unit, origin, conversation, shown, emission.late)
    if (message?.body.kind === 'profile') await this.profile(unit, origin, message.body)
    if (emission.late) await history.fill(unit, conversation, device, emission.sequence, shown)
    else if (shown) await history.append(unit, conversation, shown)
    if (!emission.linked) await this.#notLinked(unit, origin)
    if (shown && !shown.mine && shown.kind === 'text') {
      await this.#components.pairs.noteDue(unit, origin.conversationId, device, { delivered: [shown.messageId] })
    }
  }

  /** @returns undefined, and counts it, for what is not a message. */
  decode(content: Uint8Array): Message | undefined {
    try {
      return decodeMessage(content)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#malformed++
      return undefined
    }
  }

  /** How a message is shown; undefined for one that only changes others. */
  #shownForm(origin: Origin, { messageId, sentAt, body }: Message): NewMessage | undefined {
    const { context } = this.#components
    const mine = equalBytes(origin.senderAccount, context.accountId())
    const shown: NewMessage = {
      messageId,
      from: origin.senderAccount,
      device: origin.senderDevice,
      mine,
      kind: 'text',
      text: '',
      line: null,
      sentAt,
      state: mine ? 'sent' : null,
      problem: null
    }
    switch (body.kind) {
      case 'text':
      case 'reply':
        return { ...shown, text: body.text }
      case 'attachment':
      case 'voiceNote':
      case 'unsupported':
        return { ...shown, kind: 'unsupported' }
      default:
        return undefined
    }
  }

  /** Keeps the date that a sender claims within what can be defended. What fills a gap may be older than what is there. */
  async #setDate(
    unit: UnitOfWork,
    origin: Origin,
    conversation: Conversation,
    shown: NewMessage,
    isLate: boolean
  ): Promise<void> {
    const now = this.#components.context.timers.now()
    const key = `${toHex(origin.conversationId)}/${toHex(origin.senderDevice)}`
    const previous = this.#shownUntil.get(key) ?? (await lastDateOf(unit, conversation, origin))
    const bounds = { storedAt: origin.storedAt ?? now, now, previous: isLate ? undefined : previous }
    shown.sentAt = shownDate(shown.sentAt, bounds)
    this.#shownUntil.set(key, Math.max(shown.sentAt, previous ?? 0))
  }

  /** A member told who they are. */
  async profile(unit: UnitOfWork, { senderAccount }: Origin, profile: BodyOf<'profile'>): Promise<void> {
    const { username, displayName, deliveryToken, revision } = profile
    if (deliveryToken) await this.#components.tokens.learn(unit, senderAccount, deliveryToken, revision)
    unit.after(() => this.#components.onProfile(senderAccount, { username, displayName }))
  }

  /** The chain of a sender's messages is broken: others may have been shown something else. */
  async #notLinked(unit: UnitOfWork, origin: Origin): Promise<void> {
    const { context, history } = this.#components
    const conversation = await unit.read(slots.conversation(toHex(origin.conversationId)))
    if (!conversation) return
    await history.append(unit, conversation, {
      messageId: context.random(16) as MessageId,
      from: origin.senderAccount,
      device: origin.senderDevice,
      mine: false,
      kind: 'system',
      text: '',
      line: { kind: 'not-linked' },
      sentAt: context.timers.now(),
      state: null,
      problem: null
    })
  }
}

/** The date of the last message shown, if it is of this device. */
async function lastDateOf(
  unit: UnitOfWork,
  { conversationId, lastOrder }: Conversation,
  { senderDevice }: Origin
): Promise<number | undefined> {
  const row = lastOrder === null ? undefined : await unit.read(slots.message(toHex(conversationId), lastOrder))
  return row && equalBytes(row.device, senderDevice) ? row.sentAt : undefined
}

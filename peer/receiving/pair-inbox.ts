/** What one device says to this one alone: acknowledgements, receipts, requests, keys, and messages sent again. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { BodyOf, Message } from '../../protocol/conversation/message.ts'
import { answerResendRequest, type SentLookup } from '../../protocol/conversation/resend.ts'
import { emptySequencer, markGone } from '../../protocol/conversation/sequencer.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { acceptKeyUpdate } from '../../protocol/session/key-update.ts'
import type { MessageFrame } from '../../protocol/session/message-packet.ts'
import { acknowledgeOpen, eraseDelivery, isDeliveryFinished } from '../../protocol/session/open-delivery.ts'
import { fromDevice, fromOpener, openPairPacket } from '../../protocol/session/pair-channel.ts'
import type { PairContent, PairPacket } from '../../protocol/session/pair-packet.ts'
import { noteRequest } from '../../protocol/session/pairing.ts'
import { deviceOf } from '../../protocol/directory/account.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { MessageLog } from '../history/message-log.ts'
import { ownShownId } from '../history/shown-id.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { FoundPairing, PairingBook } from '../store/pairing-book.ts'
import { orderOf, sentEntry, slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { Inbox, Origin } from './inbox.ts'

export interface PairInboxComponents {
  context: EngineContext
  states: StateStore
  pairings: PairingBook
  roster: ConversationRoster
  history: MessageLog
  inbox: Inbox
  pairs: PairSender
}

/** A packet that was opened, and what is known of its sender. */
interface Said {
  found: FoundPairing
  origin: Origin
  owner: KnownAccount
  sentAt: number
}

export class PairInbox {
  readonly #components: PairInboxComponents

  constructor(components: PairInboxComponents) {
    this.#components = components
  }

  /**
   * Takes in one packet as part of a unit of work.
   * @returns how many messages in it were new.
   * @throws ProtocolError `NOT_FOR_US` for a tag of no pairing that is kept; `INVALID` from a device that is no longer in the
   * conversation; as `openPairPacket`.
   */
  async receive(unit: UnitOfWork, packet: PairPacket): Promise<number> {
    const { pairings, inbox } = this.#components
    const found = await pairings.find(unit, packet.tag)
    if (!found) throw new ProtocolError('NOT_FOR_US', 'packet of no pairing that is kept')
    const content = this.#open(found, packet)
    const said = await this.#senderOf(unit, found, content)
    if (!said) throw new ProtocolError('INVALID', 'packet of a device that is not in the conversation')
    inbox.noteHeard(said.origin)
    let isNew = 0
    for (const frame of content.frames) {
      if (frame.sequence !== null) isNew += await inbox.sequenced(unit, said.origin, frame)
      else await this.#control(unit, said, frame)
    }
    return isNew
  }

  #open(found: FoundPairing, packet: PairPacket): PairContent {
    const env = sessionEnvironment(this.#components.context)
    if (found.kind === 'accepted') return openPairPacket(env, fromOpener(found.pairing), packet)
    const end = fromDevice(env, found.pairing, found.deviceId)
    try {
      return openPairPacket(env, end, packet)
    } finally {
      end.secret.fill(0)
    }
  }

  async #senderOf(unit: UnitOfWork, found: FoundPairing, { sentAt }: PairContent): Promise<Said | undefined> {
    const { conversationId } = found.pairing
    const conversation = await unit.read(slots.conversation(toHex(conversationId)))
    const owner = conversation && (await this.#components.roster.liveOwnerOf(conversation, found.deviceId))
    if (!owner) return undefined
    const origin = { conversationId, senderAccount: owner.accountId, senderDevice: found.deviceId }
    return { found, origin, owner, sentAt }
  }

  async #control(unit: UnitOfWork, said: Said, { content }: MessageFrame): Promise<void> {
    const { inbox } = this.#components
    const message: Message | undefined = inbox.decode(content)
    switch (message?.body.kind) {
      case 'receipt':
        return this.#receipt(unit, said, message.body)
      case 'openedAck':
        return this.#openedAck(unit, said, message.body)
      case 'resendRequest':
        return this.#resendRequest(unit, said, message.body)
      case 'keyUpdate':
        return this.#keyUpdate(unit, said, message.body)
      case 'gone':
        return this.#gone(unit, said, message.body)
      case 'profile':
        return inbox.profile(unit, said.origin, message.body)
      default:
        return
    }
  }

  async #receipt(unit: UnitOfWork, { origin }: Said, { state, targets }: BodyOf<'receipt'>): Promise<void> {
    const { context, history } = this.#components
    // An own device says nothing about what others have seen.
    if (equalBytes(origin.senderAccount, context.accountId())) return
    for (const target of targets) {
      const { conversationId } = origin
      await history.advance(unit, ownShownId(context, { conversationId, messageId: target }), state)
    }
  }

  async #openedAck(unit: UnitOfWork, { origin }: Said, { sessions }: BodyOf<'openedAck'>): Promise<void> {
    const { context } = this.#components
    for (const sessionId of sessions) {
      const slot = slots.openDelivery(toHex(origin.conversationId), toHex(sessionId))
      const delivery = await unit.read(slot)
      if (!delivery) continue
      const acknowledged = acknowledgeOpen(delivery, origin.senderDevice)
      if (isDeliveryFinished(acknowledged, context.timers.now())) {
        unit.remove(slot)
        unit.after(() => eraseDelivery(delivery))
      } else unit.write(slot, acknowledged)
    }
  }

  /** Answered on the pairing of a session that this device opened; a request that was taken before costs nothing. */
  async #resendRequest(
    unit: UnitOfWork,
    { found, origin, sentAt }: Said,
    body: BodyOf<'resendRequest'>
  ): Promise<void> {
    const { context, pairings, pairs } = this.#components
    const noted = found.kind === 'opened' ? noteRequest(found.pairing, found.deviceId, sentAt) : undefined
    const key = toHex(origin.conversationId)
    const outbound = await unit.read(slots.outbound(key))
    if (!noted || !outbound) return
    pairings.saveOpened(unit, noted)
    const { senderDevice: requester } = origin
    const before = (await unit.read(slots.answers(key))) ?? []
    const now = context.timers.now()
    const kept = new Map<number, MessageFrame>()
    const sentIn = this.#sentIn(key, kept)
    const answer = await answerResendRequest(outbound, before, requester, true, body.ranges, sentIn, now)
    unit.write(slots.answers(key), answer.answers)
    const frames = answer.sequences.map(sequence => kept.get(sequence)!)
    if (answer.gone.length > 0) frames.push(pairs.frameOf({ kind: 'gone', ranges: answer.gone }))
    await pairs.answer(unit, noted, requester, frames)
  }

  /** Looks sent messages up, and keeps what it found in `kept`. */
  #sentIn(conversation: string, kept: Map<number, MessageFrame>): SentLookup {
    return async ({ from, to }, limit) => {
      const bounds = { ...(from > 0 ? { after: orderOf(from - 1) } : {}), before: orderOf(to + 1), limit }
      const entries = await this.#components.states.range('sent', conversation, sentEntry, bounds)
      for (const { value } of entries) kept.set(value.sequence, pick(value))
      return entries.map(({ value }) => value.sequence)
    }
  }

  async #keyUpdate(unit: UnitOfWork, { origin, owner }: Said, body: BodyOf<'keyUpdate'>): Promise<void> {
    const { context } = this.#components
    const { conversationId, senderDevice: deviceId } = origin
    const slot = slots.peerKey(toHex(conversationId), toHex(deviceId))
    const signingKey = deviceOf(owner.current, deviceId)!.keys.signingKey
    const held = await unit.read(slot)
    const keyOwner = { conversationId, deviceId }
    try {
      unit.write(slot, await acceptKeyUpdate(sessionEnvironment(context), keyOwner, signingKey, held, body))
    } catch (error) {
      // The rest of the packet is of worth all the same.
      if (!(error instanceof ProtocolError)) throw error
      context.log.warn('a conversation key was refused', { device: toHex(deviceId), code: error.code })
    }
  }

  async #gone(unit: UnitOfWork, { origin }: Said, { ranges }: BodyOf<'gone'>): Promise<void> {
    const { inbox } = this.#components
    const { conversationId, senderDevice } = origin
    const slot = slots.sequencer(toHex(conversationId), toHex(senderDevice))
    const sequencer = (await unit.read(slot)) ?? emptySequencer(conversationId, senderDevice)
    const step = markGone(sequencer, ranges)
    if (step.emitted.length > 0) await inbox.apply(unit, origin, step)
  }
}

const pick = ({ sequence, predecessor, content }: MessageFrame): MessageFrame => ({ sequence, predecessor, content })

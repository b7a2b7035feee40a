/** What a device asks of this one or tells it, besides messages: receipts, acknowledgements, its profile, requests for messages. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Control, PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { BodyOf } from '../../protocol/conversation/message.ts'
import { answerResendRequest, type SentLookup } from '../../protocol/conversation/resend.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { MessageFrame } from '../../protocol/session/message-packet.ts'
import { acknowledgeOpen, eraseDelivery, isDeliveryFinished } from '../../protocol/session/open-delivery.ts'
import { noteRequest } from '../../protocol/session/pairing.ts'
import type { Auditor } from '../audit/auditor.ts'
import type { EngineContext } from '../engine-context.ts'
import type { GroupKnowledge } from '../groups/group-knowledge.ts'
import type { GroupOpens } from '../groups/group-opens.ts'
import type { HeardBook } from '../history/heard-book.ts'
import { ownShownId } from '../history/shown-id.ts'
import type { OwnInvites } from '../invites/own-invites.ts'
import type { HistorySource } from '../own-devices/history-source.ts'
import type { HistoryTransfer } from '../own-devices/history-transfer.ts'
import type { OwnSync } from '../own-devices/own-sync.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { LinkedAccounts } from '../social/linked-accounts.ts'
import type { PersonSites } from '../social/person-sites.ts'
import type { FirstWords } from '../people/first-words.ts'
import type { PersonProfiles } from '../people/person-profiles.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { orderOf, type ShownId } from '../store/conversation-entries.ts'
import { sentEntry, slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

export interface ControlInboxComponents {
  context: EngineContext
  states: StateStore
  pairings: PairingBook
  heard: HeardBook
  pairs: PairSender
  tokens: DeliveryTokens
  own: OwnSync
  historySource: HistorySource
  historyTransfer: HistoryTransfer
  invites: OwnInvites
  firstWords: FirstWords
  profiles: PersonProfiles
  sites: PersonSites
  accounts: LinkedAccounts
  groups: GroupOpens
  groupKnowledge: GroupKnowledge
  auditor: Auditor
  /** A person asks to be added to a group, with the secret of a link. */
  onGroupJoin: (accountId: AccountId, secret: Uint8Array) => void
  /** A person types, or not any more. */
  onTyping: (origin: PacketOrigin, typing: Extract<Control, { kind: 'typing' }>) => void
  /** A person asks whether the user is here, or says so of themselves. */
  onPresence: (origin: PacketOrigin, said: Extract<Control, { kind: 'presence' }>) => void
  /** A member told their name and display name. The listener looks them up outside the unit of work. */
  onProfile: (accountId: AccountId, profile: { username: string | null; displayName: string }) => void
}

export class ControlInbox {
  readonly #components: ControlInboxComponents

  constructor(components: ControlInboxComponents) {
    this.#components = components
  }

  /** Does what one control says, as part of a unit of work. */
  async take(unit: UnitOfWork, origin: PacketOrigin, control: Control): Promise<void> {
    switch (control.kind) {
      case 'receipt':
        return this.#receipt(unit, origin, control)
      case 'openedAck':
        return this.#openedAck(unit, origin, control)
      case 'resendRequest':
        return this.#resendRequest(unit, origin, control)
      case 'seen':
        return this.#components.auditor.take(unit, origin, control)
      case 'typing':
        return unit.after(() => this.#components.onTyping(origin, control))
      case 'presence':
        return unit.after(() => this.#components.onPresence(origin, control))
      case 'profile':
        return this.#profile(unit, origin, control)
      case 'inviteAccepted':
        return this.#components.invites.noteAccepted(unit, origin.senderAccount, control.proof)
      case 'firstWord':
        return this.#components.firstWords.take(unit, origin.senderAccount, control.proof)
      case 'groupLog':
        return this.#groupLog(unit, origin, control)
      case 'groupJoin':
        return unit.after(() => this.#components.onGroupJoin(origin.senderAccount, control.secret))
      default:
        // From another account it is counted for nothing.
        if (this.#components.own.isOwn(origin)) return this.#ofOwnDevice(unit, origin, control)
    }
  }

  #ofOwnDevice(
    unit: UnitOfWork,
    origin: PacketOrigin,
    control: Extract<Control, { kind: 'sync' | 'ownMarks' | 'star' | 'historyChunk' | 'historyRequest' }>
  ): Promise<void> {
    const { own, historyTransfer } = this.#components
    if (control.kind === 'historyRequest') return this.#historyRequest(unit, origin, control)
    if (control.kind === 'historyChunk') return historyTransfer.receive(unit, origin.senderDevice, control)
    return own.receive(unit, origin, control)
  }

  /** Answered as {@link #resendRequest}: a request that was taken before costs nothing. */
  async #historyRequest(
    unit: UnitOfWork,
    { conversationId, senderDevice }: PacketOrigin,
    request: Extract<Control, { kind: 'historyRequest' }>
  ): Promise<void> {
    const { pairings, pairs, historySource, context } = this.#components
    const pairing = await unit.read(slots.openedPairing(toHex(conversationId), toHex(request.sessionId)))
    const noted = pairing && noteRequest(pairing, senderDevice, request.sentAt)
    if (!noted) return
    pairings.saveOpened(unit, noted)
    try {
      const pieces = await historySource.answer(unit, senderDevice, request)
      await pairs.answer(
        unit,
        noted,
        senderDevice,
        pieces.map(piece => pairs.frameOf(piece))
      )
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      context.log.warn('a request for history was refused', { code: error.code })
    }
  }

  async #receipt(unit: UnitOfWork, origin: PacketOrigin, { state, targets }: BodyOf<'receipt'>): Promise<void> {
    const { context, heard, own } = this.#components
    // An own device says nothing about what others have seen.
    if (equalBytes(origin.senderAccount, context.accountId())) return
    const { conversationId } = origin
    const advanced: ShownId[] = []
    for (const target of targets) {
      const id = ownShownId(context, { conversationId, messageId: target })
      if (await heard.note(unit, origin, id, state)) advanced.push(id)
    }
    // Receipts come to the device that sent, and the others show the message too.
    await own.tellMarks(unit, toHex(conversationId), state, advanced)
  }

  async #openedAck(unit: UnitOfWork, origin: PacketOrigin, { sessions }: BodyOf<'openedAck'>): Promise<void> {
    const { context } = this.#components
    for (const sessionId of sessions) {
      const slot = slots.openDelivery(toHex(origin.conversationId), toHex(sessionId))
      const delivery = await unit.read(slot)
      if (!delivery) continue
      await this.#components.groupKnowledge.noteAcknowledged(
        unit,
        origin.conversationId,
        origin.senderDevice,
        sessionId
      )
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
    { conversationId, senderDevice: requester }: PacketOrigin,
    { ranges, sentAt, sessionId }: Extract<Control, { kind: 'resendRequest' }>
  ): Promise<void> {
    const { context, pairings, pairs } = this.#components
    const key = toHex(conversationId)
    const pairing = await unit.read(slots.openedPairing(key, toHex(sessionId)))
    const noted = pairing && noteRequest(pairing, requester, sentAt)
    const outbound = await unit.read(slots.outbound(key))
    if (!noted || !outbound) return
    pairings.saveOpened(unit, noted)
    const before = (await unit.read(slots.answers(key))) ?? []
    const now = context.timers.now()
    const kept = new Map<number, MessageFrame>()
    const sentIn = this.#sentIn(key, kept)
    const answer = await answerResendRequest(outbound, before, requester, true, ranges, sentIn, now)
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

  /** Counts in the conversation of its group, and between own devices. */
  async #groupLog(unit: UnitOfWork, origin: PacketOrigin, { groupId, changes }: BodyOf<'groupLog'>): Promise<void> {
    const { own, groups, context } = this.#components
    const isOwn = own.isOwn(origin)
    if (changes.length === 0 || !(isOwn || equalBytes(groupId, origin.conversationId))) return
    const carrier = { accountId: origin.senderAccount, storedAt: context.timers.now(), isOwn }
    await groups.take(unit, groupId, changes, carrier)
  }

  async #profile(unit: UnitOfWork, { senderAccount }: PacketOrigin, profile: BodyOf<'profile'>): Promise<void> {
    const { username, displayName, deliveryToken, revision } = profile
    this.#components.profiles.take(unit, senderAccount, profile)
    await this.#components.sites.take(unit, senderAccount, profile.sites)
    await this.#components.accounts.take(unit, senderAccount, profile.accounts)
    if (deliveryToken) await this.#components.tokens.learn(unit, senderAccount, deliveryToken, revision)
    unit.after(() => this.#components.onProfile(senderAccount, { username, displayName }))
  }
}

const pick = ({ sequence, predecessor, content }: MessageFrame): MessageFrame => ({ sequence, predecessor, content })

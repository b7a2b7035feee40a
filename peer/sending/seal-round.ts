/**
 * One round of sealing: within one unit of work, messages leave the queue and become envelopes, together with the session
 * state that sealed them. A crash leaves either both or neither.
 */
import type { MessageHead } from '../../protocol/audit/seen.ts'
import { toHex } from '../../protocol/bytes.ts'
import { createMessageId, encodeMessage, isSequenced, type MessageBody } from '../../protocol/conversation/message.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { PENDING_TTL_MS } from '../../protocol/limits.ts'
import { emptyOwnKeys, type OwnKeys } from '../../protocol/session/conversation-keys.ts'
import { openSession, type OpenedSession } from '../../protocol/session/open.ts'
import {
  emptyOutbound,
  encryptAgain,
  encryptMessage,
  releaseOutbound,
  renewalReason,
  type Outbound
} from '../../protocol/session/outbound.ts'
import { encodePacket, MAX_PACKET_MESSAGES, type Packet } from '../../protocol/session/packet.ts'
import { PeerError } from '../errors.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { SeenBook } from '../audit/seen-book.ts'
import type { DeliveryTokens } from './delivery-tokens.ts'
import { buildEnvelopes } from './envelopes.ts'
import type { MessageLog } from '../history/message-log.ts'
import type { Outbox } from './outbox.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { GroupKnowledge } from '../groups/group-knowledge.ts'
import type { OwnAccount } from '../store/own-account.ts'
import { fitsBeside, splitByBytes } from './payloads.ts'
import { profileBody, profileRevision, type OwnDetails } from './profile.ts'
import type { SealingPlan } from './sealing-plan.ts'
import { dropSurplusDeliveries, peerKeysOf } from '../store/session-states.ts'
import { ownShownId } from '../history/shown-id.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { nextOrder, slots, type Unsent } from '../store/store-layout.ts'
import type { UnsentQueue } from './unsent-queue.ts'
import type { UnitOfWork } from '../store/state-store.ts'

/** Room in a packet that queued messages leave for the profile. */
const RESERVED_MESSAGES = 1

/** Hears of each message that was sealed, and for which devices. */
export interface SealedNotes {
  noteSent(
    unit: UnitOfWork,
    message: Pick<Unsent, 'conversationId' | 'messageId' | 'content'>,
    recipients: readonly DeviceId[]
  ): Promise<void>
}

export interface SealRoundComponents {
  context: EngineContext
  history: MessageLog
  queue: UnsentQueue
  outbox: Outbox
  roster: ConversationRoster
  pairings: PairingBook
  groups: GroupKnowledge
  tokens: DeliveryTokens
  /** Keeps what was sealed, to be compared with what others were shown. */
  seen: SeenBook
  /** Keeps what a new device of the account does not get by itself. */
  late: SealedNotes
  account: () => OwnAccount
  /** What the owner says about themselves, for the profile. */
  details: () => OwnDetails
  /** A new conversation key was made. */
  onKeysChanged: (conversationId: string, own: OwnKeys) => void
}

export class SealRound {
  readonly #components: SealRoundComponents

  constructor(components: SealRoundComponents) {
    this.#components = components
  }

  /**
   * @returns whether more waits: a packet takes only so many, or the session was used up. If it was used up since a plan was
   * made that has no keys to open another with, nothing is sealed.
   * @throws PeerError `no-keys` if no device of the other side has keys to seal to.
   */
  async run(unit: UnitOfWork, plan: SealingPlan): Promise<boolean> {
    const { conversationId, profileGiven } = plan.conversation
    const key = toHex(conversationId)
    if (!plan.canOpen && (await this.#mustOpen(unit, plan))) return true
    const items = await this.#itemsOf(unit, plan)
    if (items.length === 0) return false
    const others = this.#components.roster.recipientsIn(plan.roster)
    if (others.length === 0) return this.#keepToSelf(unit, items)
    const sealed = await this.#encrypt(unit, plan, items)
    for (const item of sealed.items) this.#remember(unit, key, item)
    for (const item of sealed.items) await this.#components.late.noteSent(unit, item, others)
    const revision = profileRevision(await this.#components.tokens.own(unit))
    if (profileGiven < revision) {
      const current = (await unit.read(slots.conversation(key))) ?? plan.conversation
      unit.write(slots.conversation(key), { ...current, profileGiven: revision })
    }
    await this.#envelopes(unit, plan, sealed, others)
    return this.#hasMore(unit, items, sealed.items)
  }

  async #mustOpen(unit: UnitOfWork, { conversation, rosterHash }: SealingPlan): Promise<boolean> {
    const outbound = await unit.read(slots.outbound(toHex(conversation.conversationId)))
    return !outbound || renewalReason(outbound, rosterHash, this.#components.context.timers.now()) !== undefined
  }

  /** What goes into this round: our profile if it was not given, then queued messages in order. */
  async #itemsOf(unit: UnitOfWork, plan: SealingPlan): Promise<Item[]> {
    const { conversationId, profileGiven } = plan.conversation
    const key = toHex(conversationId)
    const queued: Item[] = await this.#components.queue.first(unit, key, MAX_PACKET_MESSAGES - RESERVED_MESSAGES)
    if (queued.length === 0) return []
    const hasOthers = this.#components.roster.othersOf(plan.conversation).length > 0
    const token = await this.#components.tokens.own(unit)
    const isProfileDue = profileGiven < profileRevision(token) && hasOthers
    const { account, details } = this.#components
    const profile = isProfileDue ? [this.#itemOf(conversationId, profileBody(account(), details(), token))] : []
    return [...profile, ...queued]
  }

  #itemOf(conversationId: ConversationId, body: MessageBody): Item {
    const { random, timers } = this.#components.context
    const content = encodeMessage({
      messageId: createMessageId(random),
      sentAt: timers.now(),
      expiresAfter: null,
      body
    })
    return { conversationId, messageId: null, content, sequenced: isSequenced(body.kind), again: null, order: null }
  }

  /** Notes on the only device: nothing leaves it. */
  async #keepToSelf(unit: UnitOfWork, items: Item[]): Promise<boolean> {
    const { context, history } = this.#components
    for (const item of items) {
      this.#leaveQueue(unit, item)
      const { messageId, conversationId } = item
      if (messageId) await history.advance(unit, ownShownId(context, { conversationId, messageId }), 'delivered')
    }
    return this.#hasMore(unit, items, items)
  }

  /** Whether a round left anything, once it has sealed some of its items. */
  #hasMore(unit: UnitOfWork, items: Item[], sealed: Item[]): boolean {
    const key = toHex(items[0]!.conversationId)
    const left = this.#components.queue.count(unit, key) - sealed.filter(({ order }) => order !== null).length
    return left > 0 || sealed.length < items.length
  }

  #leaveQueue(unit: UnitOfWork, { order, conversationId }: Item): void {
    if (order !== null) this.#components.queue.remove(unit, { order, conversationId })
  }

  async #encrypt(unit: UnitOfWork, plan: SealingPlan, items: Item[]): Promise<Sealed> {
    const { context } = this.#components
    const env = sessionEnvironment(context)
    const { conversationId } = plan.conversation
    const key = toHex(conversationId)
    const hash = plan.rosterHash
    const before = await unit.read(slots.outbound(key))
    let outbound = before ?? emptyOutbound(env, conversationId, context.device().deviceId)
    const sealed: Sealed = { items: [], open: undefined }
    if (renewalReason(outbound, hash, env.now())) {
      const isGroup = plan.roster.heads.length > 0
      const whole = isGroup ? await this.#components.groups.rejoined(unit, plan.roster, outbound) : outbound
      const opened = await this.#open(unit, plan, whole)
      if (isGroup) await this.#components.groups.noteLeftOut(unit, whole, opened.outbound)
      outbound = opened.outbound
      const log = await this.#groupLog(unit, plan, opened)
      sealed.open = { openBody: opened.openBody, parts: opened.parts, log }
    }
    const heads: MessageHead[] = []
    for (const item of items) {
      if (renewalReason(outbound, hash, env.now())) break
      const encrypted = item.again
        ? await encryptAgain(env, outbound, { ...item.again, content: item.content })
        : await encryptMessage(env, outbound, item.content, item.sequenced)
      outbound = encrypted.outbound
      const { packet, sequence, predecessor } = encrypted
      sealed.items.push({ ...item, packet, sequence, predecessor })
      if (sequence !== null && !item.again) heads.push({ next: outbound.nextSequence, hash: outbound.predecessor })
    }
    if (heads.length > 0) await this.#components.seen.noteHeads(unit, conversationId, outbound.deviceId, heads)
    unit.write(slots.outbound(key), outbound)
    const after = outbound
    if (before) unit.after(() => releaseOutbound(before, after))
    return sealed
  }

  /** The changes of a group that one of its devices may lack; empty in other conversations. */
  async #groupLog(
    unit: UnitOfWork,
    { conversation, roster }: SealingPlan,
    { sessionId, delivery }: Pick<OpenedSession, 'sessionId' | 'delivery'>
  ): Promise<Uint8Array> {
    if (roster.heads.length === 0) return new Uint8Array(0)
    const { groups, roster: rosters } = this.#components
    const { conversationId } = conversation
    await groups.noteOpened(unit, conversationId, sessionId, roster.heads)
    const { secret } = delivery
    return groups.sealedFor(unit, conversationId, { sessionId, secret }, rosters.recipientsIn(roster))
  }

  async #open(unit: UnitOfWork, plan: SealingPlan, outbound: Outbound) {
    const { context } = this.#components
    const env = sessionEnvironment(context)
    const { conversationId } = plan.conversation
    const key = toHex(conversationId)
    const peerKeys = await peerKeysOf(unit, key)
    const own = (await unit.read(slots.ownKeys(key)))?.own ?? emptyOwnKeys()
    const { signingKey, deviceId, publicKeys } = context.device()
    const opened = await openSession(env, {
      me: { accountId: context.accountId(), deviceId, signingKey, publicKeys },
      roster: plan.roster,
      outbound,
      ownKeys: own,
      peerKeys,
      bundles: plan.bundles,
      // The bundles were fetched just now: an expired weekly key means a device that was off for weeks.
      allowRegisteredKey: true
    })
    if (opened.parts.length === 0) {
      throw new PeerError('no-keys')
    }
    for (const { deviceId: unreached, error } of opened.unsealed) {
      context.log.warn('a device could not be sealed to', { device: toHex(unreached), code: error.code })
    }
    unit.write(slots.ownKeys(key), { conversationId, own: opened.ownKeys })
    unit.after(() => this.#components.onKeysChanged(key, opened.ownKeys))
    unit.write(slots.openDelivery(key, toHex(opened.sessionId)), opened.delivery)
    await dropSurplusDeliveries(unit, key)
    await this.#components.pairings.noteOpened(unit, opened.pairing, env.now())
    return opened
  }

  /** A sequenced message is kept, for those who miss it later. */
  #remember(unit: UnitOfWork, conversationId: string, item: SealedItem): void {
    this.#leaveQueue(unit, item)
    if (item.sequence === null || item.predecessor === null || item.again) return
    unit.write(slots.sent(conversationId, item.sequence), {
      sequence: item.sequence,
      predecessor: item.predecessor,
      content: item.content,
      sentAt: this.#components.context.timers.now()
    })
  }

  async #envelopes(unit: UnitOfWork, plan: SealingPlan, sealed: Sealed, others: DeviceId[]): Promise<void> {
    const payloads = splitByBytes(sealed.items)
    // An Open goes with the first messages, unless they leave no room for it.
    const openBytes = (sealed.open?.openBody.length ?? 0) + (sealed.open?.log.length ?? 0)
    if (sealed.open && !fitsBeside(openBytes, payloads[0] ?? [])) payloads.unshift([])
    else if (sealed.open && payloads.length === 0) payloads.push([])
    for (const [index, items] of payloads.entries()) {
      const open = index === 0 ? sealed.open : undefined
      const messages = items.map(item => item.packet)
      const payload = encodePacket(open ? openPacket(open, messages) : { kind: 'messages', messages })
      await this.#put(unit, plan, payload, others, open?.parts ?? [], items)
    }
  }

  async #put(
    unit: UnitOfWork,
    plan: SealingPlan,
    payload: Uint8Array,
    recipients: DeviceId[],
    parts: { deviceId: DeviceId; part: Uint8Array }[],
    items: SealedItem[]
  ): Promise<void> {
    const { context, outbox } = this.#components
    const { conversationId } = plan.conversation
    const tokens = await this.#components.tokens.ofRoster(unit, plan.roster)
    const now = context.timers.now()
    const expiry = now + PENDING_TTL_MS
    const messages = items.flatMap(item => (item.messageId ? [item.messageId] : []))
    for (const { envelope, mailboxes } of buildEnvelopes(context.crypto, context.network().id, {
      payload,
      expiry,
      recipients,
      parts,
      tokens
    })) {
      outbox.put(unit, await nextOrder(unit), { conversationId, messages, envelope, expiry, createdAt: now, mailboxes })
    }
  }
}

interface Item extends Unsent {
  /** Place in the queue; null for what is made on the spot. */
  order: string | null
}

interface SealedItem extends Item {
  packet: Uint8Array
  sequence: number | null
  predecessor: Uint8Array | null
}

interface Sealed {
  items: SealedItem[]
  open: SealedOpen | undefined
}

interface SealedOpen {
  openBody: Uint8Array
  parts: { deviceId: DeviceId; part: Uint8Array }[]
  /** Changes of a group, sealed; may be empty. */
  log: Uint8Array
}

/** An Open with its first messages, and with changes of a group if there are any. */
export function openPacket({ openBody, log }: Pick<SealedOpen, 'openBody' | 'log'>, messages: Uint8Array[]): Packet {
  return log.length > 0 ? { kind: 'groupOpen', openBody, messages, log } : { kind: 'open', openBody, messages }
}

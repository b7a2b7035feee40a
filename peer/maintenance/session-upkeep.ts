/** What a peer does from time to time for its conversations: Opens again, requests for gaps, fresh keys, erasing. */
import { erase, Secret } from '../../protocol/secret.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { rosterDevices, type Roster } from '../../protocol/roster/roster.ts'
import { hasGaps, visibleGaps } from '../../protocol/conversation/sequencer.ts'
import type { DeviceBundle } from '../../protocol/identity/bundle.ts'
import { messagingKeyHash, type DeviceId } from '../../protocol/identity/device.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS } from '../../protocol/limits.ts'
import { eraseOwnKeys, type OwnKeys, type PeerKey } from '../../protocol/session/conversation-keys.ts'
import { isInboundFinished } from '../../protocol/session/inbound.ts'
import {
  devicesToReopen,
  eraseDelivery,
  isDeliveryFinished,
  type OpenDelivery
} from '../../protocol/session/open-delivery.ts'
import { encodePacket } from '../../protocol/session/packet.ts'
import { reopenSession } from '../../protocol/session/reopen.ts'
import { requestsDue } from '../../protocol/conversation/resend.ts'
import { conversationKeyId, type SealKeyId } from '../../protocol/session/seal-key.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { buildEnvelopes } from '../sending/envelopes.ts'
import { openPacket } from '../sending/seal-round.ts'
import type { GroupKnowledge } from '../groups/group-knowledge.ts'
import type { Inbox } from '../receiving/inbox.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { Outbox } from '../sending/outbox.ts'
import type { Sealer } from '../sending/sealer.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { dropInbound, dropSurplusDeliveries, inboundsOf, peerKeysOf, sequencersOf } from '../store/session-states.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { nextOrder, sentEntry, slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** A round of upkeep comes this often while online, and right after each connection. */
export const UPKEEP_INTERVAL_MS = 30_000
/** A device says how many messages it has sent this long after the last one. */
const HEAD_DELAYS_MS = [60_000, 5 * 60_000, 30 * 60_000]
/** Sent messages are kept for resending this long: what is older has expired everywhere. */
const SENT_KEPT_MS = 2 * PENDING_TTL_MS
/** What was sent has arrived or expired everywhere after this. */
const IN_FLIGHT_MS = PENDING_TTL_MS + 2 * CLOCK_TOLERANCE_MS
const OPEN_DELIVERY = slots.openDelivery('', '').codec

export interface SessionUpkeepComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  roster: ConversationRoster
  inbox: Inbox
  pairs: PairSender
  pairings: PairingBook
  groups: GroupKnowledge
  tokens: DeliveryTokens
  outbox: Outbox
  sealer: Pick<Sealer, 'enqueue'>
  /** Conversation keys were erased. */
  onKeysChanged: (conversationId: string, own: OwnKeys) => void
}

export class SessionUpkeep {
  readonly #components: SessionUpkeepComponents

  constructor(components: SessionUpkeepComponents) {
    this.#components = components
  }

  /** One round for one conversation. Needs a connection only if an Open goes out again. */
  async run(conversation: Conversation): Promise<void> {
    await this.#components.states.unit(async unit => {
      await this.#requestGaps(unit, conversation)
      await this.#tellHead(unit, conversation)
      await this.#erase(unit, conversation)
    })
    await this.#reopen(conversation)
    this.#components.outbox.kick()
  }

  /** Asks senders for what is missing. */
  async #requestGaps(unit: UnitOfWork, conversation: Conversation): Promise<void> {
    const { context, pairs } = this.#components
    const { conversationId } = conversation
    const key = toHex(conversationId)
    const isRevoked = await this.#components.roster.revocationsIn(conversation)
    for (const sequencer of await sequencersOf(unit, key)) {
      if (isRevoked(sequencer.deviceId)) continue
      const slot = slots.requests(key, toHex(sequencer.deviceId))
      const known = await unit.read(slot)
      const { state, ranges } = requestsDue(known, sequencer.deviceId, visibleGaps(sequencer), context.timers.now())
      if (state && state !== known) unit.write(slot, state)
      else if (!state && known) unit.remove(slot)
      if (ranges.length > 0) {
        await pairs.say(unit, conversationId, sequencer.deviceId, [{ kind: 'resendRequest', ranges }])
      }
    }
  }

  /**
   * Says how many messages there are, some times after the last one: a receiver that lost it would hear of it with the next
   * message only. A session under way carries it to all for one envelope.
   */
  async #tellHead(unit: UnitOfWork, { conversationId }: Conversation): Promise<void> {
    const key = toHex(conversationId)
    const outbound = await unit.read(slots.outbound(key))
    if (!outbound?.session || outbound.nextSequence === 0) return
    const now = this.#components.context.timers.now()
    const slot = slots.headTold(key)
    const told = await unit.read(slot)
    const next = outbound.nextSequence
    // A clock that was put back begins again.
    if (told?.next !== next || told.since > now) return unit.write(slot, { next, since: now, times: 0 })
    const delay = HEAD_DELAYS_MS[told.times]
    if (delay === undefined || now - told.since < delay) return
    unit.write(slot, { ...told, times: told.times + 1 })
    await this.#components.sealer.enqueue(unit, conversationId, { kind: 'head', next })
  }

  /** Erases secrets that no message can need any more. */
  async #erase(unit: UnitOfWork, conversation: Conversation): Promise<void> {
    const { context, states } = this.#components
    const key = toHex(conversation.conversationId)
    const now = context.timers.now()
    const isRevoked = await this.#components.roster.revocationsIn(conversation)
    // What a removed device sent before may still be on its way: its sessions stay until every node has dropped it.
    const removedSince = await this.#components.roster.removalsIn(conversation)
    const isLongGone = (deviceId: DeviceId): boolean => (removedSince(deviceId) ?? now) + IN_FLIGHT_MS < now
    const sequencers = (await sequencersOf(unit, key)).filter(({ deviceId }) => !isRevoked(deviceId))
    const gaps = new Set(sequencers.filter(hasGaps).map(({ deviceId }) => toHex(deviceId)))
    for (const inbound of await inboundsOf(unit, key)) {
      const hasGap = gaps.has(toHex(inbound.senderDevice))
      if (isLongGone(inbound.senderDevice) || isInboundFinished(inbound, hasGap, now)) dropInbound(unit, inbound)
    }
    for (const { deviceId } of await peerKeysOf(unit, key)) {
      if (isRevoked(deviceId)) unit.remove(slots.peerKey(key, toHex(deviceId)))
    }
    await dropSurplusDeliveries(unit, key)
    await this.#components.pairings.erase(unit, key, isLongGone, now)
    const others = await this.#components.roster.recipientsOf(conversation)
    if (others) await this.#eraseOwn(unit, key, others, gaps.size > 0)
    const [oldest] = await states.range('sent', key, sentEntry, { limit: 1 })
    if (!oldest || oldest.value.sentAt + SENT_KEPT_MS >= now) return
    for (const { value } of await states.range('sent', key, sentEntry, { limit: 100 })) {
      if (value.sentAt + SENT_KEPT_MS < now) unit.remove(slots.sent(key, value.sequence))
    }
  }

  async #eraseOwn(unit: UnitOfWork, key: string, others: DeviceId[], hasGaps: boolean): Promise<void> {
    const held = await unit.read(slots.ownKeys(key))
    if (!held) return
    // Of a copy, because it wipes at once: were the batch to fail, the keys in memory would be gone and those on disk not.
    const copy = {
      ...held.own,
      keys: held.own.keys.map(own => ({ ...own, seed: new Secret(own.seed.expose().slice()) }))
    }
    const own = eraseOwnKeys(copy, await peerKeysOf(unit, key), others, hasGaps, this.#components.context.timers.now())
    if (own === copy) return erase(...copy.keys.map(({ seed }) => seed))
    unit.write(slots.ownKeys(key), { ...held, own })
    unit.after(() => {
      this.#components.onKeysChanged(key, own)
      erase(...held.own.keys.map(({ seed }) => seed))
    })
  }

  /** Seals Opens again for devices that do not acknowledge them. */
  async #reopen(conversation: Conversation): Promise<void> {
    const { states, directory, outbox, roster } = this.#components
    const key = toHex(conversation.conversationId)
    const deliveries = await states.range('open-delivery', key, OPEN_DELIVERY)
    if (deliveries.length === 0) return
    const accountIds = roster.membersOf(conversation)
    const members = await Promise.all(accountIds.map(accountId => directory.account(accountId)))
    if (!members.every(member => member !== undefined)) return
    const isNeeded = await this.#needsBundles(
      key,
      deliveries.map(({ value }) => value)
    )
    const bundles = isNeeded ? (await Promise.all(accountIds.map(id => directory.bundles.of(id)))).flat() : []
    await states.unit(async unit => {
      // As known in the unit: a device may have been seen revoked while bundles were asked for.
      const known = members.map(member => directory.peek(toHex(member.accountId)) ?? member)
      const sealTo = roster.rosterOf(conversation, known)
      for (const { value } of deliveries) await this.#reopenOne(unit, conversation, sealTo.roster, bundles, value)
    })
    outbox.kick()
  }

  /** Whether an Open goes to a device that has handed over no key of the conversation: it never had one, or the first was lost. */
  async #needsBundles(key: string, deliveries: OpenDelivery[]): Promise<boolean> {
    const { context, states, inbox } = this.#components
    const held = await states.range('peer-key', key, slots.peerKey('', '').codec)
    const keyed = new Set(held.map(({ value }) => toHex(value.deviceId)))
    const situation = (id: DeviceId) => ({ keyId: undefined, heardAt: inbox.heardAt(key, toHex(id)) })
    return deliveries.some(delivery => {
      const { waiting } = delivery
      const ids = waiting.map(({ deviceId }) => deviceId)
      const due = devicesToReopen(delivery, ids, situation, context.timers.now())
      return waiting.some(({ keyId }) => keyId === null) || due.some(id => !keyed.has(toHex(id)))
    })
  }

  async #reopenOne(
    unit: UnitOfWork,
    { conversationId }: Conversation,
    roster: Roster,
    bundles: DeviceBundle[],
    stored: OpenDelivery
  ): Promise<void> {
    const { context, outbox, tokens } = this.#components
    const env = sessionEnvironment(context)
    const key = toHex(conversationId)
    const slot = slots.openDelivery(key, toHex(stored.sessionId))
    const delivery = await unit.read(slot)
    if (!delivery) return
    const now = env.now()
    if (isDeliveryFinished(delivery, now)) {
      unit.remove(slot)
      unit.after(() => eraseDelivery(delivery))
      return
    }
    const peerKeys = await peerKeysOf(unit, key)
    const listed = rosterDevices(roster).map(({ device }) => device.deviceId)
    const due = devicesToReopen(delivery, listed, id => this.#situation(key, peerKeys, bundles, id), now)
    if (due.length === 0) return
    const reopened = await reopenSession(env, context.device().signingKey, delivery, roster, due, {
      peerKeys,
      bundles,
      allowRegisteredKey: true
    })
    unit.write(slot, reopened.delivery)
    if (reopened.parts.length === 0) return
    const recipients = reopened.parts.map(({ deviceId }) => deviceId)
    const log = await this.#components.groups.sealedFor(unit, conversationId, delivery, recipients)
    const payload = encodePacket(openPacket({ openBody: delivery.openBody, log }, []))
    const expiry = now + PENDING_TTL_MS
    for (const built of buildEnvelopes(env.crypto, env.network, {
      payload,
      expiry,
      recipients,
      parts: reopened.parts,
      tokens: await tokens.ofRoster(unit, roster)
    })) {
      outbox.put(unit, await nextOrder(unit), { conversationId, messages: [], expiry, createdAt: now, ...built })
    }
  }

  #situation(key: string, peerKeys: PeerKey[], bundles: DeviceBundle[], deviceId: DeviceId) {
    const { context, inbox } = this.#components
    const { crypto, network } = sessionEnvironment(context)
    const peer = peerKeys.find(held => equalBytes(held.deviceId, deviceId))
    const bundle = bundles.find(offered => equalBytes(offered.deviceId, deviceId))
    return {
      keyId: peer
        ? conversationKeyId(crypto, network, peer.publicKey)
        : bundle && (messagingKeyHash(crypto, network, bundle.weeklyKey) as SealKeyId),
      heardAt: inbox.heardAt(key, toHex(deviceId))
    }
  }
}

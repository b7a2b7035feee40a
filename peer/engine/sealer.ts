/**
 * From taken messages to sealed envelopes. Taking a message writes it to the `unsent` queue; sealing needs the directory
 * (who gets it) and sometimes a new session, so it happens once a node can be asked. One unit of work then moves messages
 * from the queue into envelopes together with the session state that sealed them.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import {
  createDirectRoster,
  rosterDevices,
  rosterHash,
  type ConversationId,
  type Roster
} from '../../protocol/conversation/roster.ts'
import {
  createMessageId,
  encodeMessage,
  isSequenced,
  type MessageBody,
  type MessageId
} from '../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { DeviceBundle } from '../../protocol/identity/bundle.ts'
import { MAX_ENVELOPE_PAYLOAD_BYTES, PENDING_TTL_MS } from '../../protocol/limits.ts'
import {
  devicesWithoutKey,
  emptyOwnKeys,
  isKeyUpdateDue,
  type OwnKeys,
  type PeerKey
} from '../../protocol/session/conversation-keys.ts'
import { openSession } from '../../protocol/session/open.ts'
import {
  emptyOutbound,
  encryptAgain,
  encryptMessage,
  releaseOutbound,
  renewalReason,
  type Outbound
} from '../../protocol/session/outbound.ts'
import { encodePacket, MAX_PACKET_MESSAGES } from '../../protocol/session/packet.ts'
import { PeerError } from '../peer-api.ts'
import { ConnectionLost } from '../transport/node-connection.ts'
import { sessionEnvironment, type Core } from './core.ts'
import { FRESH_MS, type DirectoryClient } from './directory-client.ts'
import { buildEnvelopes } from './envelopes.ts'
import { holdReason, rosterMemberOf, type KnownAccount } from './known-account.ts'
import { nextOrder, type MessageLog } from './message-log.ts'
import type { Outbox } from './outbox.ts'
import type { OwnAccount } from './own-account.ts'
import { dueEntry, slots, unsentEntry, type Conversation, type DueControls, type Unsent } from './slots.ts'
import { peerKeysOf } from './session-states.ts'
import type { StateStore, Work } from './work.ts'

/** Revision of the profile that is given to others: it changes with the first profile screen. */
const PROFILE_REVISION = 1
/** Bytes of messages in one payload, so that an Open fits beside them. */
const MAX_PAYLOAD_MESSAGES_BYTES = 40 * 1024
/** Receipts and acknowledgements wait this long for more of their kind. */
export const CONTROL_DELAY_MS = 250
const RETRY_MS = 5_000
/** A session is opened with a directory not older than this: nothing is sealed to a device known to be revoked. */
const FRESH_FOR_OPEN_MS = 2_000

export interface SealerComponents {
  core: Core
  states: StateStore
  directory: DirectoryClient
  log: MessageLog
  outbox: Outbox
  account: () => OwnAccount
  /** A new conversation key was made. */
  onKeysChanged: (conversationId: string, own: OwnKeys) => void
}

interface Plan {
  conversation: Conversation
  members: KnownAccount[]
  roster: Roster
  bundles: DeviceBundle[]
}

export class Sealer {
  readonly #components: SealerComponents
  readonly #due = new Map<string, number>()
  #running: Promise<void> | undefined
  #again = false
  #stopped = true
  #cancelTimer: (() => void) | undefined
  #timerAt = Infinity

  constructor(components: SealerComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#stopped = false
    for (const due of await this.#components.states.all('due', dueEntry)) this.#due.set(toHex(due.conversationId), 0)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /** Takes a message: in the queue once the unit is stored. */
  async take(
    unit: Work,
    conversationId: ConversationId,
    body: MessageBody,
    options: { messageId?: MessageId; shown?: boolean; sentAt?: number } = {}
  ): Promise<void> {
    const { random, timers } = this.#components.core
    const messageId = options.messageId ?? createMessageId(random)
    const sentAt = options.sentAt ?? timers.now()
    unit.write(slots.unsent(await nextOrder(unit)), {
      conversationId,
      messageId: options.shown ? messageId : null,
      content: encodeMessage({ messageId, sentAt, expiresAfter: null, body }),
      sequenced: isSequenced(body.kind),
      again: null
    })
    unit.after(() => this.kick())
  }

  /** Queues a message that was sent before, with its place, for one device or all. */
  async takeAgain(unit: Work, item: Unsent): Promise<void> {
    unit.write(slots.unsent(await nextOrder(unit)), item)
    unit.after(() => this.kick())
  }

  /** Adds to what is said about received messages: it goes out a moment later, together. */
  async noteDue(unit: Work, conversationId: ConversationId, add: Partial<DueControls>): Promise<void> {
    const slot = slots.due(toHex(conversationId))
    const due = (await unit.read(slot)) ?? { conversationId, delivered: [], read: [], opened: [] }
    unit.write(slot, {
      conversationId,
      delivered: [...due.delivered, ...(add.delivered ?? [])].slice(-MAX_DUE),
      read: [...due.read, ...(add.read ?? [])].slice(-MAX_DUE),
      opened: [...due.opened, ...(add.opened ?? [])].slice(-MAX_DUE)
    })
    unit.after(() => {
      const key = toHex(conversationId)
      if (!this.#due.has(key)) this.#due.set(key, this.#components.core.timers.now() + CONTROL_DELAY_MS)
      this.#schedule(CONTROL_DELAY_MS)
    })
  }

  /** Looks at a conversation in the next round, for a key that has to be handed out. */
  wake(conversationId: string): void {
    if (!this.#due.has(conversationId)) this.#due.set(conversationId, 0)
    this.kick()
  }

  /** Seals what can be sealed now. */
  kick(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Seals receipts and acknowledgements at once, before the process ends. Rejects never. */
  async flush(): Promise<void> {
    for (const key of this.#due.keys()) this.#due.set(key, 0)
    this.kick()
    await this.#running
  }

  /** Makes sure that a round comes in `ms` at the latest. */
  #schedule(ms: number): void {
    const { timers } = this.#components.core
    const at = timers.now() + ms
    if (this.#stopped || at >= this.#timerAt) return
    this.#cancelTimer?.()
    this.#timerAt = at
    this.#cancelTimer = timers.after(ms, () => {
      this.#timerAt = Infinity
      this.kick()
    })
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      for (const conversationId of await this.#conversationsToSeal()) {
        try {
          await this.#seal(conversationId)
        } catch (error) {
          if (isOffline(error)) return
          await this.#noteFailure(conversationId, error)
        }
      }
    }
    const now = this.#components.core.timers.now()
    for (const at of this.#due.values()) if (at > now) this.#schedule(at - now)
  }

  /** What is not the connection may pass; meanwhile the person is told. */
  async #noteFailure(conversationId: string, error: unknown): Promise<void> {
    this.#components.core.log.warn('messages could not be sealed', { reason: String(error) })
    if (error instanceof PeerError) await this.#hold(conversationId, error.message)
    this.#schedule(RETRY_MS)
  }

  async #conversationsToSeal(): Promise<string[]> {
    const { states, core } = this.#components
    const unsent = await states.range('unsent', undefined, unsentEntry, { limit: 1_000 })
    const found = new Set(unsent.map(({ value }) => toHex(value.conversationId)))
    const now = core.timers.now()
    for (const [conversationId, at] of this.#due) if (at <= now) found.add(conversationId)
    return [...found]
  }

  async #seal(conversationId: string): Promise<void> {
    const plan = await this.#plan(conversationId)
    if (!plan) return
    const more = await this.#components.states.unit(unit => this.#sealUnit(unit, plan))
    this.#components.outbox.kick()
    if (more) this.#again = true
  }

  /** Asks the directory for all that sealing needs. @returns undefined if nothing may be sent there now. */
  async #plan(conversationId: string): Promise<Plan | undefined> {
    const { states, directory, core } = this.#components
    const conversation = await states.read(slots.conversation(conversationId))
    if (!conversation) return undefined
    const session = (await states.read(slots.outbound(conversationId)))?.session
    const maxAge = session ? FRESH_MS : FRESH_FOR_OPEN_MS
    const accountIds = conversation.isNotes ? [conversation.accountId] : [core.accountId(), conversation.accountId]
    const members: KnownAccount[] = []
    for (const accountId of accountIds) {
      const account = await directory.account(accountId, maxAge)
      const held = account ? holdReason(account, account.username ?? 'this person') : 'This account is not found.'
      if (!account || held !== null) {
        await this.#hold(conversationId, held ?? '')
        return undefined
      }
      members.push(account)
    }
    const { crypto } = core
    const roster = createDirectRoster(crypto, core.network().id, members.map(rosterMemberOf))
    const bundles = await this.#bundles(conversationId, roster)
    return { conversation, members, roster, bundles }
  }

  /** Bundles of the devices that an Open could not be sealed to otherwise; none if no Open is needed. */
  async #bundles(conversationId: string, roster: Roster): Promise<DeviceBundle[]> {
    const { states, directory, core } = this.#components
    const outbound = await states.read(slots.outbound(conversationId))
    const { crypto } = core
    const hash = rosterHash(crypto, core.network().id, roster)
    if (outbound && !renewalReason(outbound, hash, core.timers.now())) return []
    const held = await states.range('peer-key', conversationId, slots.peerKey('', '').codec)
    const missing = new Set(
      devicesWithoutKey(
        this.#othersOf(roster),
        held.map(({ value }) => value)
      ).map(device => toHex(device.deviceId))
    )
    const accounts: AccountId[] = roster.members
      .filter(({ devices }) => devices.some(device => missing.has(toHex(device.deviceId))))
      .map(({ accountId }) => accountId)
    return (await Promise.all(accounts.map(accountId => directory.bundles(accountId)))).flat()
  }

  #othersOf(roster: Roster) {
    const { deviceId } = this.#components.core.device()
    return rosterDevices(roster)
      .map(({ device }) => device)
      .filter(device => !equalBytes(device.deviceId, deviceId))
  }

  async #hold(conversationId: string, problem: string): Promise<void> {
    const { states, log } = this.#components
    await states.unit(async unit => {
      const unsent = await unit.range('unsent', undefined, unsentEntry)
      for (const { value } of unsent) {
        if (value.messageId && toHex(value.conversationId) === conversationId) {
          await log.notProgressing(unit, value.messageId, problem)
        }
      }
    })
    this.#schedule(RETRY_MS)
  }

  /** @returns whether more of this conversation waits. */
  async #sealUnit(unit: Work, plan: Plan): Promise<boolean> {
    const conversationId = toHex(plan.conversation.conversationId)
    const items = await this.#itemsOf(unit, plan)
    const outbound = await unit.read(slots.outbound(conversationId))
    const keyUpdate = items.length === 0 && (await this.#isKeyUpdateDue(unit, conversationId))
    if (items.length === 0 && !keyUpdate) {
      unit.after(() => this.#due.delete(conversationId))
      return false
    }
    const others = this.#othersOf(plan.roster).map(device => device.deviceId)
    if (others.length === 0) return this.#keepToSelf(unit, items)
    const sealed = await this.#encrypt(unit, plan, outbound, items)
    for (const item of sealed.items) await this.#remember(unit, conversationId, item)
    if (plan.conversation.profileGiven < PROFILE_REVISION) {
      const current = (await unit.read(slots.conversation(conversationId))) ?? plan.conversation
      unit.write(slots.conversation(conversationId), { ...current, profileGiven: PROFILE_REVISION })
    }
    const due = slots.due(conversationId)
    if (sealed.items.length === items.length) {
      unit.remove(due)
      // With the commit, not later: what comes due in between must not be forgotten.
      unit.after(() => this.#due.delete(conversationId))
    }
    await this.#envelopes(unit, plan, sealed, others)
    return sealed.items.length < items.length
  }

  /** What goes into this round: our profile if it was not given, queued messages in order, then receipts. */
  async #itemsOf(unit: Work, plan: Plan): Promise<Item[]> {
    const { conversationId, profileGiven, isNotes } = plan.conversation
    const key = toHex(conversationId)
    const queued = (await unit.range('unsent', undefined, unsentEntry))
      .filter(({ value }) => toHex(value.conversationId) === key)
      .slice(0, MAX_PACKET_MESSAGES - 8)
      .map(({ order, value }): Item => ({ ...value, order }))
    const controls = controlBodies(await unit.read(slots.due(key))).map(body => this.#itemOf(conversationId, body))
    if (queued.length + controls.length === 0) return []
    const profile = profileGiven < PROFILE_REVISION && !isNotes ? [this.#itemOf(conversationId, this.#profile())] : []
    return [...profile, ...queued, ...controls]
  }

  #profile(): MessageBody {
    const { displayName, name } = this.#components.account()
    return {
      kind: 'profile',
      revision: PROFILE_REVISION,
      displayName,
      username: name?.username ?? null,
      about: '',
      picture: null,
      deliveryToken: null
    }
  }

  #itemOf(conversationId: ConversationId, body: MessageBody): Item {
    const { random, timers } = this.#components.core
    const content = encodeMessage({
      messageId: createMessageId(random),
      sentAt: timers.now(),
      expiresAfter: null,
      body
    })
    return { conversationId, messageId: null, content, sequenced: isSequenced(body.kind), again: null, order: null }
  }

  async #isKeyUpdateDue(unit: Work, conversationId: string): Promise<boolean> {
    const own = await unit.read(slots.ownKeys(conversationId))
    return own !== undefined && isKeyUpdateDue(own.own, this.#components.core.timers.now())
  }

  /** Notes on the only device: nothing leaves it. */
  async #keepToSelf(unit: Work, items: Item[]): Promise<boolean> {
    for (const item of items) {
      if (item.order !== null) unit.remove(slots.unsent(item.order))
      if (item.messageId) await this.#components.log.advance(unit, item.messageId, 'delivered')
    }
    return false
  }

  async #encrypt(unit: Work, plan: Plan, before: Outbound | undefined, items: Item[]): Promise<Sealed> {
    const { core } = this.#components
    const env = sessionEnvironment(core)
    const { conversationId } = plan.conversation
    const key = toHex(conversationId)
    const hash = rosterHash(env.crypto, env.network, plan.roster)
    let outbound = before ?? emptyOutbound(env, conversationId, core.device().deviceId)
    const sealed: Sealed = { items: [], open: undefined }
    if (renewalReason(outbound, hash, env.now())) {
      const opened = await this.#open(unit, plan, outbound)
      outbound = opened.outbound
      sealed.open = { openBody: opened.openBody, parts: opened.parts }
    }
    for (const item of items) {
      if (renewalReason(outbound, hash, env.now())) break
      const encrypted = item.again
        ? await encryptAgain(env, outbound, { ...item.again, content: item.content })
        : await encryptMessage(env, outbound, item.content, item.sequenced)
      outbound = encrypted.outbound
      const { packet, sequence, predecessor } = encrypted
      sealed.items.push({ ...item, packet, sequence, predecessor })
    }
    unit.write(slots.outbound(key), outbound)
    const after = outbound
    if (before) unit.after(() => releaseOutbound(before, after))
    return sealed
  }

  async #open(unit: Work, plan: Plan, outbound: Outbound) {
    const { core } = this.#components
    const env = sessionEnvironment(core)
    const { conversationId } = plan.conversation
    const key = toHex(conversationId)
    const peerKeys: PeerKey[] = await peerKeysOf(unit, key)
    const own = (await unit.read(slots.ownKeys(key)))?.own ?? emptyOwnKeys()
    const { signingKey, deviceId } = core.device()
    const opened = await openSession(env, {
      me: { accountId: core.accountId(), deviceId, signingKey },
      roster: plan.roster,
      outbound,
      ownKeys: own,
      peerKeys,
      bundles: plan.bundles,
      // The bundles were fetched just now: an expired weekly key means a device that was off for weeks.
      allowRegisteredKey: true
    })
    if (opened.parts.length === 0) {
      throw new PeerError('refused', 'No device of this person has published its keys yet.')
    }
    for (const { deviceId: unreached, error } of opened.unsealed) {
      core.log.warn('a device could not be sealed to', { device: toHex(unreached), code: error.code })
    }
    unit.write(slots.ownKeys(key), { conversationId, own: opened.ownKeys })
    unit.after(() => this.#components.onKeysChanged(key, opened.ownKeys))
    unit.write(slots.openDelivery(key, toHex(opened.sessionId)), opened.delivery)
    return opened
  }

  /** A sequenced message is kept, for those who miss it later. */
  async #remember(unit: Work, conversationId: string, item: SealedItem): Promise<void> {
    if (item.order !== null) unit.remove(slots.unsent(item.order))
    if (item.sequence === null || item.predecessor === null || item.again) return
    unit.write(slots.sent(conversationId, item.sequence), {
      sequence: item.sequence,
      predecessor: item.predecessor,
      content: item.content,
      sentAt: this.#components.core.timers.now()
    })
  }

  async #envelopes(unit: Work, plan: Plan, sealed: Sealed, others: DeviceId[]): Promise<void> {
    const toAll = sealed.items.filter(item => !item.again?.device)
    const payloads = splitByBytes(toAll)
    // An Open goes with the first messages, unless they leave no room for it.
    if (sealed.open && !fitsBeside(sealed.open.openBody, payloads[0] ?? [])) payloads.unshift([])
    else if (sealed.open && payloads.length === 0) payloads.push([])
    const { conversationId } = plan.conversation
    for (const [index, items] of payloads.entries()) {
      const open = index === 0 ? sealed.open : undefined
      const messages = items.map(item => item.packet)
      const payload = encodePacket(
        open ? { kind: 'open', openBody: open.openBody, messages } : { kind: 'messages', messages }
      )
      await this.#put(unit, conversationId, payload, others, open?.parts ?? [], items)
    }
    for (const item of sealed.items) {
      const device = item.again?.device
      if (!device) continue
      await this.#put(
        unit,
        conversationId,
        encodePacket({ kind: 'messages', messages: [item.packet] }),
        [device],
        [],
        []
      )
    }
  }

  async #put(
    unit: Work,
    conversationId: ConversationId,
    payload: Uint8Array,
    recipients: DeviceId[],
    parts: { deviceId: DeviceId; part: Uint8Array }[],
    items: SealedItem[]
  ): Promise<void> {
    const { core, outbox } = this.#components
    const now = core.timers.now()
    const expiry = now + PENDING_TTL_MS
    const messages = items.flatMap(item => (item.messageId ? [item.messageId] : []))
    for (const { envelope, mailboxes } of buildEnvelopes(core.crypto, core.network().id, {
      payload,
      expiry,
      recipients,
      parts
    })) {
      outbox.put(unit, await nextOrder(unit), { conversationId, messages, envelope, expiry, createdAt: now, mailboxes })
    }
  }
}

const MAX_DUE = 4_096
/** CBOR around the parts of a payload, at most: five bytes each. */
const PAYLOAD_FRAMING_BYTES = 512
/** Ids that one receipt or acknowledgement names. */
const MAX_TARGETS = 256

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
  open: { openBody: Uint8Array; parts: { deviceId: DeviceId; part: Uint8Array }[] } | undefined
}

function controlBodies(due: DueControls | undefined): MessageBody[] {
  if (!due) return []
  return [
    ...chunks(due.opened, MAX_TARGETS).map((sessions): MessageBody => ({ kind: 'openedAck', sessions })),
    ...chunks(due.delivered, MAX_TARGETS).map((targets): MessageBody => ({
      kind: 'receipt',
      state: 'delivered',
      targets
    })),
    ...chunks(due.read, MAX_TARGETS).map((targets): MessageBody => ({ kind: 'receipt', state: 'read', targets }))
  ]
}

function chunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

function fitsBeside(openBody: Uint8Array, items: SealedItem[]): boolean {
  const bytes = items.reduce((sum, { packet }) => sum + packet.length, openBody.length)
  return bytes <= MAX_ENVELOPE_PAYLOAD_BYTES - PAYLOAD_FRAMING_BYTES
}

function splitByBytes(items: SealedItem[]): SealedItem[][] {
  const payloads: SealedItem[][] = []
  let bytes = Infinity
  for (const item of items) {
    bytes += item.packet.length
    if (bytes > MAX_PAYLOAD_MESSAGES_BYTES || payloads.at(-1)!.length >= MAX_PACKET_MESSAGES) {
      payloads.push([])
      bytes = item.packet.length
    }
    payloads.at(-1)!.push(item)
  }
  return payloads
}

const isOffline = (error: unknown): boolean =>
  error instanceof ConnectionLost || (error instanceof PeerError && error.code === 'offline')

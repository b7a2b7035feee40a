/**
 * What this device says to one other device: acknowledgements, receipts, requests for missing messages, and the answers to
 * such requests. It needs no session and asks no node: the secret came with the other device's Open.
 *
 * Receipts and acknowledgements wait a moment for more of their kind, on disk. Then one packet leaves for each device.
 */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { createMessageId, encodeMessage, type MessageBody } from '../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { PENDING_TTL_MS } from '../../protocol/limits.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { emptyOwnKeys, type OwnKeys } from '../../protocol/session/conversation-keys.ts'
import { keyUpdateFor } from '../../protocol/session/key-update.ts'
import type { MessageFrame } from '../../protocol/session/message-packet.ts'
import { encodePacket } from '../../protocol/session/packet.ts'
import { nextSentAt, sealPairPacket, toDevice, toOpener, type PairEnd } from '../../protocol/session/pair-channel.ts'
import type { OpenedPairing } from '../../protocol/session/pairing.ts'
import type { OwnAccount } from '../store/own-account.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { SeenBook } from '../audit/seen-book.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { dueEntry, nextOrder, slots, type DueControls } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { controlBodies } from './due-controls.ts'
import type { DeliveryTokens } from './delivery-tokens.ts'
import { buildEnvelopes } from './envelopes.ts'
import type { Outbox } from './outbox.ts'
import { profileBody, PROFILE_REVISION, type OwnDetails } from './profile.ts'

/** Receipts and acknowledgements wait this long for more of their kind. */
export const CONTROL_DELAY_MS = 250
/** What did not go out, because the store failed, is tried again after this. */
const RETRY_MS = 5_000
/** Due receipts and acknowledgements to one device; past it the oldest are dropped, for good. */
const MAX_DUE = 4_096
/** Bytes and frames of one packet; a single larger message gets a packet of its own. */
const MAX_PACKET_CONTENT_BYTES = 14 * 1024
const MAX_PACKET_FRAMES = 32
/** A moment on the monotonic clock that has passed. */
const AT_ONCE = -Infinity

export interface PairSenderComponents {
  context: EngineContext
  states: StateStore
  pairings: PairingBook
  tokens: DeliveryTokens
  roster: ConversationRoster
  outbox: Outbox
  account: () => OwnAccount
  /** What the owner says about themselves, for the profile. */
  details: () => OwnDetails
  /** Says who may learn anything of this device. What is due to others waits on disk. */
  marks: { isSpokenTo(accountId: AccountId): boolean; isBlocked(accountId: AccountId): boolean }
  groups: { isAccepted(group: string): boolean }
  /** What this device was shown, for the devices that it acknowledges something to. */
  seen: SeenBook
  /** A new conversation key was made. */
  onKeysChanged: (conversationId: string, own: OwnKeys) => void
}

/** What is due to one device. */
export type DueToDevice = Partial<Pick<DueControls, 'delivered' | 'read' | 'opened'>>

export class PairSender {
  readonly #components: PairSenderComponents
  /** When something goes out to a device, on the monotonic clock, by `conversation/device`. */
  readonly #due = new Map<string, number>()
  #running: Promise<void> | undefined
  #stopped = true
  #cancelTimer: (() => void) | undefined
  #timerAt = Infinity

  constructor(components: PairSenderComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#takeUp()
  }

  /** Takes up what is on disk: also what waited because its receiver was not spoken to. */
  async #takeUp(): Promise<void> {
    for (const { conversationId, deviceId } of await this.#components.states.all('due', dueEntry)) {
      this.#due.set(`${toHex(conversationId)}/${toHex(deviceId)}`, AT_ONCE)
    }
    if (this.#due.size > 0) this.#schedule(CONTROL_DELAY_MS)
  }

  /** Somebody may be spoken to from now on. Never rejects. */
  resume(): void {
    this.#takeUp().catch((error: unknown) =>
      this.#components.context.log.warn('receipts wait until the next start', { reason: String(error) })
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /** Adds to what is said to a device about its messages and sessions: it goes out a moment later, together. */
  async noteDue(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId,
    { delivered = [], read = [], opened = [] }: DueToDevice
  ): Promise<void> {
    const slot = slots.due(toHex(conversationId), toHex(deviceId))
    const due = (await unit.read(slot)) ?? { conversationId, deviceId, delivered: [], read: [], opened: [] }
    unit.write(slot, {
      conversationId,
      deviceId,
      delivered: [...due.delivered, ...delivered].slice(-MAX_DUE),
      read: [...due.read, ...read].slice(-MAX_DUE),
      opened: [...due.opened, ...opened].slice(-MAX_DUE)
    })
    unit.after(() => {
      const key = `${toHex(conversationId)}/${toHex(deviceId)}`
      if (!this.#due.has(key)) this.#due.set(key, this.#components.context.timers.monotonic() + CONTROL_DELAY_MS)
      this.#schedule(CONTROL_DELAY_MS)
    })
  }

  /**
   * Says something to a device at once.
   * @param ttlMs - how long nodes keep it for a device that is away.
   * @returns false if none of its sessions was accepted, it is revoked, or not spoken to.
   */
  async say(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId,
    bodies: MessageBody[],
    ttlMs = PENDING_TTL_MS
  ): Promise<boolean> {
    const { context, pairings } = this.#components
    const pairing = await pairings.newest(unit, toHex(conversationId), deviceId)
    const owner = pairing && (await this.#liveOwner(unit, conversationId, deviceId))
    if (!owner || !this.#isSpokenTo(conversationId, owner)) return false
    let { lastSentAt } = pairing
    for (const frames of packetsOf(bodies.map(body => this.frameOf(body)))) {
      lastSentAt = nextSentAt(lastSentAt, context.timers.now())
      await this.#put(unit, conversationId, deviceId, toOpener(pairing), lastSentAt, frames, ttlMs)
    }
    pairings.saveAccepted(unit, { ...pairing, lastSentAt })
    return true
  }

  /** As {@link say}; to a device of which no session was accepted, on the newest session that this one opened to it. */
  async tell(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId,
    bodies: MessageBody[]
  ): Promise<void> {
    const { pairings } = this.#components
    if (await this.say(unit, conversationId, deviceId, bodies)) return
    const owner = await this.#liveOwner(unit, conversationId, deviceId)
    const opened = owner && (await pairings.newestOpened(unit, toHex(conversationId), deviceId))
    if (!opened || !this.#isSpokenTo(conversationId, owner)) return
    const frames = bodies.map(body => this.frameOf(body))
    await this.answer(unit, opened, deviceId, frames)
  }

  /** Answers a device of a session that this one opened. */
  async answer(unit: UnitOfWork, pairing: OpenedPairing, deviceId: DeviceId, frames: MessageFrame[]): Promise<void> {
    const { context } = this.#components
    const end = toDevice(sessionEnvironment(context), pairing, deviceId)
    for (const some of packetsOf(frames)) {
      await this.#put(unit, pairing.conversationId, deviceId, end, context.timers.now(), some)
    }
    end.secret.erase()
  }

  /** A message outside the sequence. */
  frameOf(body: MessageBody): MessageFrame {
    const { random, timers } = this.#components.context
    const message = { messageId: createMessageId(random), sentAt: timers.now(), expiresAfter: null, body }
    return { sequence: null, predecessor: null, content: encodeMessage(message) }
  }

  async #put(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId,
    end: PairEnd,
    sentAt: number,
    frames: MessageFrame[],
    ttlMs = PENDING_TTL_MS
  ): Promise<void> {
    const { context, outbox } = this.#components
    const packet = sealPairPacket(sessionEnvironment(context), end, { sentAt, frames })
    const now = context.timers.now()
    const expiry = now + ttlMs
    const payload = encodePacket({ kind: 'pair', ...packet })
    const tokens = await this.#tokensOf(unit, conversationId, deviceId)
    const init = { payload, expiry, recipients: [deviceId], parts: [], tokens }
    for (const built of buildEnvelopes(context.crypto, context.network().id, init)) {
      outbox.put(unit, await nextOrder(unit), { conversationId, messages: [], expiry, createdAt: now, ...built })
    }
    unit.after(() => outbox.kick())
  }

  /** The delivery token of a device's owner, if it is known. */
  async #tokensOf(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId
  ): Promise<Map<string, Uint8Array>> {
    const { roster, tokens } = this.#components
    const conversation = await unit.read(slots.conversation(toHex(conversationId)))
    const token = conversation && (await tokens.of(unit, roster.ownerOf(conversation, deviceId)))
    return new Map(token ? [[toHex(deviceId), token]] : [])
  }

  async #liveOwner(
    unit: UnitOfWork,
    conversationId: ConversationId,
    deviceId: DeviceId
  ): Promise<AccountId | undefined> {
    const conversation = await unit.read(slots.conversation(toHex(conversationId)))
    return conversation && (await this.#components.roster.liveOwnerOf(conversation, deviceId))?.accountId
  }

  /** Who takes part in a group lets all of its members know what has come, but those who are blocked. */
  #isSpokenTo(conversationId: ConversationId, accountId: AccountId): boolean {
    const { context, marks, groups } = this.#components
    if (equalBytes(accountId, context.accountId()) || marks.isSpokenTo(accountId)) return true
    return groups.isAccepted(toHex(conversationId)) && !marks.isBlocked(accountId)
  }

  /** Says everything that is due at once, before the process ends. Never rejects. */
  async flush(): Promise<void> {
    for (const key of this.#due.keys()) this.#due.set(key, AT_ONCE)
    await this.#running
    await this.#run()
  }

  #schedule(ms: number): void {
    const { timers } = this.#components.context
    const at = timers.monotonic() + ms
    if (this.#stopped || at >= this.#timerAt) return
    this.#cancelTimer?.()
    this.#timerAt = at
    this.#cancelTimer = timers.after(ms, () => {
      this.#timerAt = Infinity
      this.#running ??= this.#run().finally(() => (this.#running = undefined))
    })
  }

  async #run(): Promise<void> {
    const { context, states } = this.#components
    const now = context.timers.monotonic()
    for (const [key, at] of [...this.#due]) {
      if (at > now || this.#stopped) continue
      try {
        await states.unit(unit => this.#sayDue(unit, key))
      } catch (error) {
        context.log.warn('receipts could not be sealed', { reason: String(error) })
        this.#due.set(key, now + RETRY_MS)
      }
    }
    const next = Math.min(...this.#due.values())
    if (next < Infinity) this.#schedule(Math.max(0, next - context.timers.monotonic()))
  }

  async #sayDue(unit: UnitOfWork, key: string): Promise<void> {
    const [conversation, device] = key.split('/') as [string, string]
    const slot = slots.due(conversation, device)
    const due = await unit.read(slot)
    if (due) {
      const { conversationId, deviceId } = due
      const owner = await this.#liveOwner(unit, conversationId, deviceId)
      if (!owner || this.#isSpokenTo(conversationId, owner)) {
        const bodies = [...controlBodies(due), ...(due.opened.length > 0 ? await this.#withAck(unit, due) : [])]
        const word = await this.#components.seen.next(unit, conversationId, deviceId)
        if (word) bodies.push({ kind: 'seen', ...word.seen })
        // To a device that cannot be spoken to any more nothing is due.
        const isSaid = await this.say(unit, conversationId, deviceId, bodies)
        if (word && isSaid) this.#components.seen.noteTold(unit, conversationId, word.told)
        unit.remove(slot)
      }
    }
    // With the commit, not later: what comes due in between must not be forgotten.
    unit.after(() => this.#due.delete(key))
  }

  /** What goes with an acknowledgement: a key for the next Open, and our profile as long as we have not written here. */
  async #withAck(unit: UnitOfWork, { conversationId, deviceId }: DueControls): Promise<MessageBody[]> {
    const { context, account, details, onKeysChanged } = this.#components
    const key = toHex(conversationId)
    const { signingKey, deviceId: me } = context.device()
    const own = (await unit.read(slots.ownKeys(key)))?.own ?? emptyOwnKeys()
    const used = (await unit.read(slots.peerKey(key, toHex(deviceId))))?.usedOwnIndex ?? null
    const owner = { conversationId: fromHex(key) as ConversationId, deviceId: me }
    const handed = await keyUpdateFor(sessionEnvironment(context), signingKey, owner, own, used)
    if (handed && handed.own !== own) {
      unit.write(slots.ownKeys(key), { conversationId, own: handed.own })
      unit.after(() => onKeysChanged(key, handed.own))
    }
    const conversation = await unit.read(slots.conversation(key))
    const isProfileGiven = !conversation || conversation.profileGiven >= PROFILE_REVISION
    return [
      ...(handed ? [{ kind: 'keyUpdate' as const, ...handed.update }] : []),
      ...(isProfileGiven ? [] : [profileBody(account(), details())])
    ]
  }
}

/** Deals frames out to as few packets as they fit into, in order. */
function packetsOf(frames: MessageFrame[]): MessageFrame[][] {
  const packets: MessageFrame[][] = []
  let bytes = Infinity
  for (const frame of frames) {
    bytes += frame.content.length
    if (bytes > MAX_PACKET_CONTENT_BYTES || packets.at(-1)!.length >= MAX_PACKET_FRAMES) {
      packets.push([])
      bytes = frame.content.length
    }
    packets.at(-1)!.push(frame)
  }
  return packets
}

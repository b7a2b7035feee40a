/**
 * From deliveries to shown messages. Everything that arrives is hostile until the session suite says otherwise; whatever
 * cannot be used is counted and dropped. What a delivery brought is stored in one batch with the keys it used up, then
 * shown, then acknowledged once it would survive a power cut: so each message is shown exactly once, whatever is delivered
 * twice and wherever a process ends.
 *
 *     deliver ──▶ Open ── roster known ──▶ accepted ──▶ messages ──▶ sequencer ──▶ shown
 *                  │ records unknown                      │ session unknown
 *                  └────────▶ parked ◀────────────────────┘   (tried again as the directory or an Open comes)
 *
 * A payload of an unknown kind is parked too, for a newer version of this program.
 */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { resolveRoster } from '../../protocol/roster/roster-resolution.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { emptySequencer, noteSession } from '../../protocol/conversation/sequencer.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import {
  acceptOpen,
  discardOpen,
  keyOfOpen,
  readOpen,
  type AcceptedOpen,
  type ReadOpen
} from '../../protocol/session/accept.ts'
import { heldConversationKeys, type OwnKeys } from '../../protocol/session/conversation-keys.ts'
import {
  decryptMessage,
  releaseInbound,
  supersedeInbound,
  surplusInbound,
  type Inbound
} from '../../protocol/session/inbound.ts'
import { decodeMessagePacket, type MessagePacket } from '../../protocol/session/message-packet.ts'
import { decodePacket, type Packet } from '../../protocol/session/packet.ts'
import type { PairPacket } from '../../protocol/session/pair-packet.ts'
import type { HeldKey } from '../../protocol/session/seal-key.ts'
import { isForgettable } from '../../protocol/session/seen-session.ts'
import { CLOCK_TOLERANCE_MS, SESSION_MESSAGES_LIMIT } from '../../protocol/limits.ts'
import { isDeliveryIntact, type Delivery } from '../../protocol/wire/envelope.ts'
import type { EngineContext } from '../engine-context.ts'
import { sessionEnvironment } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { Inbox } from './inbox.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import type { PairInbox } from './pair-inbox.ts'
import { dropInbound, inboundsOf } from '../store/session-states.ts'
import type { RemovedSenders } from './removed-senders.ts'
import { ParkedDeliveries } from './parked-deliveries.ts'
import { FirstContacts } from './first-contacts.ts'
import { RosterLookups } from './roster-lookups.ts'
import { ownKeysEntry, seenEntry, slots, type Parked } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** Why deliveries came to nothing, for status and tests. */
export interface ReceiverCounts {
  damaged: number
  malformed: number
  notForUs: number
  refused: number
  duplicate: number
  dropped: number
}

export interface ReceiverComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  rows: ConversationRows
  inbox: Inbox
  pairInbox: PairInbox
  pairs: PairSender
  pairings: PairingBook
  removed: RemovedSenders
  /** Whether there is a conversation with an account. */
  isPartner: (accountId: AccountId) => boolean
}

/** What became of one delivery. */
type Outcome =
  /** Stored, or useless: acknowledge it. */
  | { kind: 'done' }
  /** Needs these accounts from the directory first; it claims to come from `sender`. */
  | { kind: 'fetch'; accounts: AccountId[]; sender: AccountId }
  /** From the future by our clock: not before then. */
  | { kind: 'early'; notBefore: number }

interface Attempt {
  /** The directory was asked just now. */
  isAsked: boolean
  /** The delivery was parked before. */
  isRetry: boolean
}

const DONE: Outcome = { kind: 'done' }
/** Steps of message chains that one delivery may cost; an honest one passes over no more than one session has. */
const MAX_STEPS_OF_DELIVERY = 2 * SESSION_MESSAGES_LIMIT

export class Receiver {
  readonly counts: ReceiverCounts = { damaged: 0, malformed: 0, notForUs: 0, refused: 0, duplicate: 0, dropped: 0 }
  readonly #components: ReceiverComponents
  readonly #conversationKeys = new Map<string, HeldKey[]>()
  readonly #parked: ParkedDeliveries
  readonly #lookups: RosterLookups
  readonly #firstContacts: FirstContacts
  readonly #retrying = new Set<Parked['waitsFor']>()
  readonly #retryAgain = new Set<Parked['waitsFor']>()
  /** Retries that the store cut short: the timer of what is parked takes them up again. */
  readonly #unfinished = new Set<Parked['waitsFor']>()
  #stopped = true

  constructor(components: ReceiverComponents) {
    const { context, states } = components
    this.#components = components
    this.#parked = new ParkedDeliveries(context, states, {
      onRetry: () => void this.#askForParked(),
      onDropped: () => this.counts.dropped++
    })
    this.#firstContacts = new FirstContacts(context, async (delivery, isAsked) => {
      const isDone = await this.#processAll([delivery], { isAsked, isRetry: isAsked })
      if (!isDone) this.#unfinished.add('roster')
    })
    this.#lookups = new RosterLookups(context, components.directory, {
      onAnswer: account => this.#readAgain(account),
      isNeeded: components.isPartner
    })
  }

  async start(): Promise<void> {
    for (const { conversationId, own } of await this.#components.states.all('own-keys', ownKeysEntry)) {
      this.noteKeys(toHex(conversationId), own)
    }
    this.#stopped = false
    await this.#parked.start()
    // The last process may have ended between an Open and the messages that wait for it.
    void this.retryParked('session')
    // The last process may have been an older version of this program.
    void this.retryParked('version')
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#parked.stop()
    await this.#firstContacts.stop()
    await this.#lookups.stop()
  }

  /**
   * Takes in one delivery; what it brings is shown at once, and survives a power cut after {@link flush}.
   * @returns whether to acknowledge it then.
   */
  async receive(delivery: Delivery): Promise<boolean> {
    const { context } = this.#components
    if (!isDeliveryIntact(context.crypto, context.network().id, context.device().deviceId, delivery)) {
      // A damaged or forged delivery: the true one may still come from another node, so this one is not acknowledged.
      this.counts.damaged++
      return false
    }
    if (this.#parked.has(delivery)) return true
    if (this.#isFirstContact(delivery)) {
      // What it waits for is known once it was read.
      await this.#park(unit => this.#parked.park(unit, delivery, 'roster', { keys: [] }))
      this.#parked.noteAsked(delivery)
      void this.#firstContacts.read(delivery, false)
      return true
    }
    await this.#process(delivery, { isAsked: false, isRetry: false })
    return true
  }

  /** Whether it is an Open that a stranger can make. Whoever talks with us seals to a key of the conversation. */
  #isFirstContact({ payload, part }: Delivery): boolean {
    const { context } = this.#components
    if (part.length === 0) return false
    try {
      const packet = decodePacket(payload)
      if (packet.kind !== 'open') return false
      const key = keyOfOpen(sessionEnvironment(context), this.#heldKeys(), packet.openBody, part)
      return key !== undefined && key.index === null
    } catch (error) {
      if (error instanceof ProtocolError) return false
      throw error
    }
  }

  #heldKeys(): HeldKey[] {
    return [...[...this.#conversationKeys.values()].flat(), ...this.#components.context.device().heldKeys()]
  }

  /** Resolves once everything taken in so far may be acknowledged. */
  flush(): Promise<void> {
    return this.#components.states.flush()
  }

  /** Tries again what waits for a session, when one was opened, or for the directory, when it told something new. */
  async retryParked(waitsFor: Parked['waitsFor']): Promise<void> {
    if (this.#retrying.has(waitsFor)) {
      // What came meanwhile may concern those that were looked at already.
      this.#retryAgain.add(waitsFor)
      return
    }
    this.#retrying.add(waitsFor)
    do {
      this.#retryAgain.delete(waitsFor)
      const isDone = await this.#processAll(this.#parked.waitingFor(waitsFor), { isAsked: true, isRetry: true })
      if (isDone) this.#unfinished.delete(waitsFor)
      else this.#unfinished.add(waitsFor)
    } while (this.#retryAgain.has(waitsFor) && !this.#stopped)
    this.#retrying.delete(waitsFor)
  }

  /** Tries again what waits for one account, because something new is known of it. Never rejects. */
  accountChanged(accountId: AccountId): Promise<void> {
    return this.#readAgain(toHex(accountId))
  }

  /** Reads again what waits for an account that the directory was asked for. */
  async #readAgain(account: string): Promise<void> {
    const waiting = this.#parked.waitingOn('roster', account)
    await Promise.all(waiting.map(delivery => this.#firstContacts.read(delivery, true)))
  }

  /** A session was opened: its messages may have come before. */
  async #retryMessages(session: string): Promise<void> {
    const isDone = await this.#processAll(this.#parked.waitingOn('session', session), { isAsked: true, isRetry: true })
    if (!isDone) this.#unfinished.add('session')
  }

  /** Takes up what is due among the parked: by time, by the directory, and what the store cut short. */
  async #askForParked(): Promise<void> {
    await this.#processAll(this.#parked.dueByTime(), { isAsked: false, isRetry: true })
    for (const delivery of this.#parked.dueForAsking()) {
      this.#parked.noteAsked(delivery)
      const accounts = this.#parked.keysOf(delivery)
      // Parked by an earlier process: a look tells what it waits for.
      if (accounts) void this.#lookups.want(accounts)
      else await this.#processAll([delivery], { isAsked: false, isRetry: true })
    }
    for (const waitsFor of [...this.#unfinished]) await this.retryParked(waitsFor)
    this.#parked.schedule()
  }

  /** @returns false if something kept it from looking at all of them. Never rejects. */
  async #processAll(deliveries: Delivery[], attempt: Attempt): Promise<boolean> {
    try {
      await this.#parked.dropExpired()
      for (const delivery of deliveries) {
        if (this.#stopped) return false
        if (this.#parked.has(delivery)) await this.#process(delivery, attempt)
      }
      return true
    } catch (error) {
      this.#components.context.log.warn('parked deliveries could not be looked at', { reason: String(error) })
      return false
    }
  }

  async #process(delivery: Delivery, attempt: Attempt): Promise<void> {
    let packet: Packet
    try {
      packet = decodePacket(delivery.payload)
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'UNSUPPORTED_VERSION') return this.#keepForNewer(delivery)
      this.counts.malformed++
      return
    }
    if (packet.kind === 'pair') return this.#pair(packet)
    const outcome = await this.#processPacket(delivery, packet, attempt)
    if (outcome.kind === 'done') return this.#parked.forgetAsked(delivery)
    if (outcome.kind === 'early') {
      const { notBefore } = outcome
      return this.#park(unit => this.#parked.park(unit, delivery, 'time', { notBefore }))
    }
    const keys = outcome.accounts.map(toHex)
    await this.#park(unit => this.#parked.park(unit, delivery, 'roster', { keys, claims: toHex(outcome.sender) }))
    // Beside the deliveries: whatever strangers claim, what comes next does not wait for it.
    if (!attempt.isAsked) {
      this.#parked.noteAsked(delivery)
      void this.#lookups.want(keys)
    }
  }

  #park(park: (unit: UnitOfWork) => void): Promise<void> {
    return this.#components.states.unit(async unit => park(unit), { durable: false })
  }

  /** Kept here, not with the network: what is not acknowledged would keep the node from delivering what comes after it. */
  async #keepForNewer(delivery: Delivery): Promise<void> {
    await this.#park(unit => this.#parked.park(unit, delivery, 'version'))
  }

  async #processPacket(
    delivery: Delivery,
    packet: Exclude<Packet, { kind: 'pair' }>,
    attempt: Attempt
  ): Promise<Outcome> {
    const { states } = this.#components
    const process = async (unit: UnitOfWork): Promise<Outcome> => {
      if (packet.kind === 'open' && delivery.part.length > 0) {
        const outcome = await this.#open(unit, packet.openBody, delivery, attempt)
        if (outcome.kind !== 'done') return outcome
      }
      const keys = await this.#messages(unit, packet.messages, delivery.storedAt)
      if (keys.length > 0) this.#parked.park(unit, delivery, 'session', { keys })
      else this.#parked.unpark(unit, delivery)
      return DONE
    }
    // What is undone comes again: it is acknowledged after a flush.
    return states.unit(process, { durable: false, tellFirst: true })
  }

  /** What one device says to this one: none of it waits for anything. */
  async #pair(packet: PairPacket): Promise<void> {
    const receive = (unit: UnitOfWork): Promise<number> => this.#components.pairInbox.receive(unit, packet)
    try {
      await this.#components.states.unit(receive, { durable: false, tellFirst: true })
    } catch (error) {
      this.#count(error)
    }
  }

  /** Own conversation keys changed: Opens are looked up among the new ones. */
  noteKeys(conversationId: string, own: OwnKeys): void {
    this.#conversationKeys.set(conversationId, heldConversationKeys(fromHex(conversationId) as ConversationId, own))
  }

  async #open(
    unit: UnitOfWork,
    openBody: Uint8Array,
    { part, storedAt }: Delivery,
    attempt: Attempt
  ): Promise<Outcome> {
    const { context, directory } = this.#components
    const env = sessionEnvironment(context)
    const held = this.#heldKeys()
    let open: ReadOpen
    try {
      open = await readOpen(env, context.device().deviceId, held, openBody, part)
    } catch (error) {
      return this.#count(error)
    }
    try {
      for (const { accountId } of open.content.members ?? []) await directory.load(accountId)
      const decision = resolveRoster(env, open.reference, directory.view, context.accountId(), storedAt)
      const sender = open.reference.senderAccount
      if (decision.kind === 'fetch') return { kind: 'fetch', accounts: decision.accounts, sender }
      if (decision.kind !== 'accept') {
        // A stale view of ours can look like a mismatch: ask once before refusing. Not about conversations we are not in:
        // strangers must not choose whom we ask for.
        const isForeign = decision.kind === 'refuse' && decision.reason === 'foreign'
        const members = open.content.members ?? []
        if (!isForeign && !attempt.isAsked && members.length > 0)
          return { kind: 'fetch', accounts: members.map(member => member.accountId), sender }
        this.counts.refused++
        context.log.warn('an Open was refused', {
          reason: decision.kind === 'refuse' ? decision.reason : decision.kind
        })
        if (decision.kind === 'refuse' && decision.reason === 'sender-revoked') await this.#tellRemoved(unit, open)
        return DONE
      }
      const { sessionId, conversationId, senderDevice } = open.content.context
      const seen = (await unit.read(slots.session(toHex(sessionId))))?.seen
      const peerKey = await unit.read(slots.peerKey(toHex(conversationId), toHex(senderDevice)))
      const { deviceId } = context.device()
      const accepted = await acceptOpen(env, { deviceId, open, roster: decision.roster, seen, peerKey })
      await this.#accept(unit, accepted, open.content.members ?? [])
      if (decision.ahead.length > 0) unit.after(() => void this.#lookups.want(decision.ahead.map(toHex)))
      return DONE
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'TOO_EARLY') {
        return { kind: 'early', notBefore: open.reference.createdAt - CLOCK_TOLERANCE_MS }
      }
      if (error instanceof ProtocolError && error.code === 'REPLAYED' && !attempt.isRetry)
        await this.#acknowledgeAgain(unit, open)
      return this.#count(error)
    } finally {
      discardOpen(open)
    }
  }

  /** Its conversation may be new: what came before the removal may follow. */
  async #tellRemoved(unit: UnitOfWork, { content }: ReadOpen): Promise<void> {
    await this.#components.rows.rowFor(
      unit,
      (content.members ?? []).map(({ accountId }) => accountId)
    )
    await this.#components.removed.tell(unit, content.context)
  }

  /** The sender sent it again because our acknowledgement was lost. */
  async #acknowledgeAgain(unit: UnitOfWork, open: ReadOpen): Promise<void> {
    const { senderDevice, sessionId, conversationId } = open.content.context
    await this.#components.pairs.noteDue(unit, conversationId, senderDevice, { opened: [sessionId] })
  }

  async #accept(unit: UnitOfWork, accepted: AcceptedOpen, members: { accountId: AccountId }[]): Promise<void> {
    const { context, rows, inbox, pairs, pairings } = this.#components
    const env = sessionEnvironment(context)
    const { context: header, inbound, peerKey, seen } = accepted
    const { conversationId, senderDevice, sessionId } = header
    const key = toHex(conversationId)
    const accounts = members.map(({ accountId }) => accountId)
    await rows.rowFor(unit, accounts)
    for (const older of supersedeInbound(await inboundsOf(unit, key), inbound, env.now())) {
      unit.write(slots.inbound(key, toHex(older.sessionId)), older)
    }
    unit.write(slots.inbound(key, toHex(sessionId)), inbound)
    for (const surplus of surplusInbound(await inboundsOf(unit, key), senderDevice)) dropInbound(unit, surplus)
    unit.write(slots.session(toHex(sessionId)), { conversationId, seen })
    unit.write(slots.peerKey(key, toHex(senderDevice)), peerKey)
    const slot = slots.sequencer(key, toHex(senderDevice))
    const sequencer = (await unit.read(slot)) ?? emptySequencer(conversationId, senderDevice)
    const step = noteSession(env, sequencer, { since: accepted.since, firstSequence: header.firstSequence })
    await inbox.apply(unit, inbound, step)
    await pairings.noteAccepted(unit, accepted.pairing, env.now())
    await pairs.noteDue(unit, conversationId, senderDevice, { opened: [sessionId] })
    unit.after(() => void this.#retryMessages(toHex(sessionId)))
  }

  /** @returns the sessions, in hex, whose Open has not come yet. */
  async #messages(unit: UnitOfWork, packets: Uint8Array[], storedAt: number): Promise<string[]> {
    const awaited = new Set<string>()
    let steps = 0
    for (const bytes of packets) {
      let packet: MessagePacket
      try {
        packet = decodeMessagePacket(bytes)
      } catch {
        this.counts.malformed++
        continue
      }
      const session = await unit.read(slots.session(toHex(packet.sessionId)))
      if (!session) {
        awaited.add(toHex(packet.sessionId))
        continue
      }
      const inbound = await unit.read(slots.inbound(toHex(session.conversationId), toHex(packet.sessionId)))
      // Erased: all of it was read, so this is a copy.
      if (!inbound) {
        this.counts.duplicate++
        continue
      }
      steps += Math.max(0, packet.counter - inbound.next)
      if (steps > MAX_STEPS_OF_DELIVERY) break
      // Each guess may cost a thousand steps of a chain; a member of the session has no reason to guess.
      if ((await this.#message(unit, inbound, packet, storedAt)) === 'undecryptable') break
    }
    return [...awaited]
  }

  async #message(
    unit: UnitOfWork,
    inbound: Inbound,
    packet: MessagePacket,
    storedAt: number
  ): Promise<'undecryptable' | undefined> {
    const { context, inbox, removed } = this.#components
    const env = sessionEnvironment(context)
    const key = toHex(inbound.conversationId)
    let decrypted: Awaited<ReturnType<typeof decryptMessage>>
    try {
      decrypted = await decryptMessage(env, inbound, packet)
    } catch (error) {
      this.#count(error)
      return error instanceof ProtocolError && error.code === 'DECRYPT_FAILED' ? 'undecryptable' : undefined
    }
    const { frame, inbound: after } = decrypted
    unit.write(slots.inbound(key, toHex(inbound.sessionId)), after)
    unit.after(() => releaseInbound(inbound, after))
    if (await removed.isAfterRemoval(inbound, storedAt)) {
      this.counts.refused++
      await removed.tell(unit, inbound)
      return undefined
    }
    inbox.noteHeard(inbound)
    // What has no place is for all, such as typing; nothing shows it yet. What two devices say comes on their own channel.
    const { conversationId, senderAccount, senderDevice } = inbound
    const origin = { conversationId, senderAccount, senderDevice, storedAt }
    if (frame.sequence !== null && (await inbox.sequenced(unit, origin, frame)) === 0) this.counts.duplicate++
    return undefined
  }

  /** Forgets sessions of which neither Open nor key is left anywhere. */
  async forgetSessions(): Promise<void> {
    const { context, states } = this.#components
    const held = [...[...this.#conversationKeys.values()].flat(), ...context.device().heldKeys()]
    const heldIds = new Set(held.map(({ keyId }) => toHex(keyId)))
    const now = context.timers.now()
    const seen = await states.all('session', seenEntry)
    const forgettable = seen.filter(entry => isForgettable(entry.seen, heldIds, now))
    if (forgettable.length === 0) return
    await states.unit(async unit => {
      for (const entry of forgettable) unit.remove(slots.session(toHex(entry.seen.sessionId)))
    })
  }

  /** Counts a refusal of the session suite by its code. Any other error is a bug and is thrown on. */
  #count(error: unknown): Outcome {
    if (!(error instanceof ProtocolError)) throw error
    if (error.code === 'REPLAYED') this.counts.duplicate++
    else if (error.code === 'NOT_FOR_US') this.counts.notForUs++
    else if (error.code === 'MALFORMED' || error.code === 'TOO_LARGE') this.counts.malformed++
    else this.counts.refused++
    return DONE
  }

  /** Deliveries that wait for something. */
  get parkedCount(): number {
    return this.#parked.size
  }
}

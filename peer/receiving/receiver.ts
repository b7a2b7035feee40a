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
import type { ConversationChange } from '../../protocol/conversation/conversation-change.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { keyOfOpen } from '../../protocol/session/accept.ts'
import type { OwnKeys } from '../../protocol/session/conversation-keys.ts'
import { decodePacket, type Packet } from '../../protocol/session/packet.ts'
import type { PairPacket } from '../../protocol/session/pair-packet.ts'
import { isDeliveryIntact, type Delivery } from '../../protocol/wire/envelope.ts'
import { sessionEnvironment } from '../engine-context.ts'
import type { PairInbox } from './pair-inbox.ts'
import { ParkedDeliveries } from './parked-deliveries.ts'
import {
  DONE,
  PacketReader,
  type Attempt,
  type Outcome,
  type PacketReaderComponents,
  type ReceiverCounts
} from './packet-reader.ts'
import { FirstContacts } from './first-contacts.ts'
import { RosterLookups } from './roster-lookups.ts'
import type { Parked } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'

const NO_LOG = new Uint8Array(0)

export interface ReceiverComponents extends PacketReaderComponents {
  pairInbox: PairInbox
  /** Whether there is a conversation with an account. */
  isPartner: (accountId: AccountId) => boolean
  /** Whether the user accepts a person. */
  isFriend: (accountId: AccountId) => boolean
}

export class Receiver {
  readonly #components: ReceiverComponents
  readonly #reader: PacketReader
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
    this.#reader = new PacketReader(components, {
      onAhead: accounts => void this.#lookups.want(accounts.map(toHex)),
      onAccepted: session => void this.#retryMessages(session)
    })
    this.#lookups = new RosterLookups(context, components.directory, {
      onAnswer: account => this.#readAgain(account),
      isNeeded: accountId => components.isPartner(accountId) || this.#parked.needs(toHex(accountId))
    })
  }

  async start(): Promise<void> {
    await this.#reader.start()
    this.#stopped = false
    await this.#parked.start()
    // The last process may have ended between an Open and the messages that wait for it.
    void this.retryParked('session')
    // The last process may have been an older version of this program.
    void this.retryParked('version')
    void this.retryParked('time')
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
      if (packet.kind !== 'open' && packet.kind !== 'groupOpen') return false
      const key = keyOfOpen(sessionEnvironment(context), this.#reader.heldKeys(), packet.openBody, part)
      return key !== undefined && key.index === null
    } catch (error) {
      if (error instanceof ProtocolError) return false
      throw error
    }
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

  /** Takes up what is due among the parked: by the directory, and what the store cut short. */
  async #askForParked(): Promise<void> {
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
    if (packet.kind === 'pair') return this.#pair(packet, delivery.storedAt)
    const outcome = await this.#processPacket(delivery, packet, attempt)
    if (outcome.kind === 'done') return this.#parked.forgetAsked(delivery)
    const keys = outcome.accounts.map(toHex)
    const asked = attempt.isAsked ? this.#parked.keysOf(delivery) : undefined
    // An Open that needs one other account is read as soon as that is known; where strangers forge it, nothing of it stays.
    const me = this.#components.context.accountId()
    const others = outcome.needs.filter(accountId => !equalBytes(accountId, me)).map(toHex)
    const needs = others.length > 1 ? others : []
    const wait = { keys, needs, claims: toHex(outcome.sender) }
    await this.#park(unit => this.#parked.park(unit, delivery, 'roster', wait))
    // Beside the deliveries: whatever strangers claim, what comes next does not wait for it. Of a group the signers of its log are
    // asked for first, and then the members that it names.
    const unasked = asked ? keys.filter(key => !asked.includes(key)) : attempt.isAsked ? [] : keys
    if (unasked.length === 0) return
    this.#parked.noteAsked(delivery)
    void this.#lookups.want(unasked, this.#components.isFriend(outcome.sender))
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
      if (packet.kind !== 'messages' && delivery.part.length > 0) {
        const parts = { openBody: packet.openBody, log: packet.kind === 'groupOpen' ? packet.log : NO_LOG }
        const outcome = await this.#reader.open(unit, parts, delivery, attempt)
        if (outcome.kind !== 'done') return outcome
      }
      const keys = await this.#reader.messages(unit, packet.messages, delivery.storedAt)
      if (keys.length > 0) this.#parked.park(unit, delivery, 'session', { keys })
      else this.#parked.unpark(unit, delivery)
      return DONE
    }
    // What is undone comes again: it is acknowledged after a flush.
    return states.unit(process, { durable: false, tellFirst: true })
  }

  /** What one device says to this one: none of it waits for anything. */
  async #pair(packet: PairPacket, storedAt: number): Promise<void> {
    const { states, pairInbox, inbox } = this.#components
    const receive = async (unit: UnitOfWork): Promise<void> => {
      let change: ConversationChange
      try {
        change = await pairInbox.changeOf(unit, packet, storedAt)
      } catch (error) {
        return void this.#reader.count(error)
      }
      await inbox.apply(unit, change, storedAt)
    }
    await states.unit(receive, { durable: false, tellFirst: true })
  }

  /** See {@link PacketReader.noteKeys}. */
  noteKeys(conversationId: string, own: OwnKeys): void {
    this.#reader.noteKeys(conversationId, own)
  }

  /** Why deliveries came to nothing so far. */
  get counts(): ReceiverCounts {
    return this.#reader.counts
  }

  /** Forgets sessions of which neither Open nor key is left anywhere. */
  forgetSessions(): Promise<void> {
    return this.#reader.forgetSessions()
  }

  /** Deliveries that wait for something. */
  get parkedCount(): number {
    return this.#parked.size
  }
}

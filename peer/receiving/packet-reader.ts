/**
 * Reads an Open or the messages of a session into the state of its conversation, within one unit of work. It decides nothing
 * about waiting: what has to wait is told as an {@link Outcome}, and the receiver parks it.
 */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { resolveRoster } from '../../protocol/roster/roster-resolution.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { emptySequencer, noteSession } from '../../protocol/conversation/sequencer.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { acceptOpen, discardOpen, readOpen, type AcceptedOpen, type ReadOpen } from '../../protocol/session/accept.ts'
import { heldConversationKeys, type OwnKeys } from '../../protocol/session/conversation-keys.ts'
import {
  decryptMessage,
  releaseInbound,
  supersedeInbound,
  surplusInbound,
  type Inbound
} from '../../protocol/session/inbound.ts'
import { decodeMessagePacket, type MessagePacket } from '../../protocol/session/message-packet.ts'
import type { HeldKey } from '../../protocol/session/seal-key.ts'
import { isForgettable } from '../../protocol/session/seen-session.ts'
import { CLOCK_TOLERANCE_MS, SESSION_MESSAGES_LIMIT } from '../../protocol/limits.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import type { EngineContext } from '../engine-context.ts'
import { sessionEnvironment } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { Inbox } from './inbox.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { dropInbound, inboundsOf } from '../store/session-states.ts'
import type { RemovedSenders } from './removed-senders.ts'
import { ownKeysEntry, seenEntry, slots } from '../store/store-layout.ts'
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

export interface PacketReaderComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  rows: ConversationRows
  inbox: Inbox
  pairs: PairSender
  pairings: PairingBook
  removed: RemovedSenders
}

export interface PacketReaderInit {
  /** A sender knows newer records of these accounts than this device. */
  onAhead: (accounts: AccountId[]) => void
  /** A session was opened: its messages can be read. @param session - its id in hex. */
  onAccepted: (session: string) => void
}

/** What became of one delivery. */
export type Outcome =
  /** Stored, or useless: acknowledge it. */
  | { kind: 'done' }
  /** Needs these accounts from the directory first; it claims to come from `sender`. */
  | { kind: 'fetch'; accounts: AccountId[]; sender: AccountId }
  /** From the future by our clock: not before then. */
  | { kind: 'early'; notBefore: number }

export interface Attempt {
  /** The directory was asked just now. */
  isAsked: boolean
  /** The delivery was parked before. */
  isRetry: boolean
}

export const DONE: Outcome = { kind: 'done' }
/** Steps of message chains that one delivery may cost; an honest one passes over no more than one session has. */
const MAX_STEPS_OF_DELIVERY = 2 * SESSION_MESSAGES_LIMIT

export class PacketReader {
  readonly counts: ReceiverCounts = { damaged: 0, malformed: 0, notForUs: 0, refused: 0, duplicate: 0, dropped: 0 }
  readonly #components: PacketReaderComponents
  readonly #init: PacketReaderInit
  readonly #conversationKeys = new Map<string, HeldKey[]>()

  constructor(components: PacketReaderComponents, init: PacketReaderInit) {
    this.#components = components
    this.#init = init
  }

  /** Takes up the conversation keys that the store has. */
  async start(): Promise<void> {
    for (const { conversationId, own } of await this.#components.states.all('own-keys', ownKeysEntry)) {
      this.noteKeys(toHex(conversationId), own)
    }
  }

  /** The secrets that an Open can be sealed to. */
  heldKeys(): HeldKey[] {
    return [...[...this.#conversationKeys.values()].flat(), ...this.#components.context.device().heldKeys()]
  }

  /** Own conversation keys changed: Opens are looked up among the new ones. */
  noteKeys(conversationId: string, own: OwnKeys): void {
    this.#conversationKeys.set(conversationId, heldConversationKeys(fromHex(conversationId) as ConversationId, own))
  }

  /** Reads the Open of a delivery and, if it holds, starts its session. */
  async open(unit: UnitOfWork, openBody: Uint8Array, { part, storedAt }: Delivery, attempt: Attempt): Promise<Outcome> {
    const { context, directory } = this.#components
    const env = sessionEnvironment(context)
    const held = this.heldKeys()
    let open: ReadOpen
    try {
      open = await readOpen(env, context.device().deviceId, held, openBody, part)
    } catch (error) {
      return this.count(error)
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
      if (decision.ahead.length > 0) unit.after(() => this.#init.onAhead(decision.ahead))
      return DONE
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'TOO_EARLY') {
        return { kind: 'early', notBefore: open.reference.createdAt - CLOCK_TOLERANCE_MS }
      }
      if (error instanceof ProtocolError && error.code === 'REPLAYED' && !attempt.isRetry)
        await this.#acknowledgeAgain(unit, open)
      return this.count(error)
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
    unit.after(() => this.#init.onAccepted(toHex(sessionId)))
  }

  /** @returns the sessions, in hex, whose Open has not come yet. */
  async messages(unit: UnitOfWork, packets: Uint8Array[], storedAt: number): Promise<string[]> {
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
      this.count(error)
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
    const held = this.heldKeys()
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
  count(error: unknown): Outcome {
    if (!(error instanceof ProtocolError)) throw error
    if (error.code === 'REPLAYED') this.counts.duplicate++
    else if (error.code === 'NOT_FOR_US') this.counts.notForUs++
    else if (error.code === 'MALFORMED' || error.code === 'TOO_LARGE') this.counts.malformed++
    else this.counts.refused++
    return DONE
  }
}

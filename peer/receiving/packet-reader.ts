/**
 * Reads an Open or the messages of a session, within one unit of work: it loads what the packet concerns, asks for the change
 * (conversation-change.ts) and has it applied whole. It decides nothing about waiting: what has to wait is told as an
 * {@link Outcome}, and the receiver parks it.
 */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { GroupDecision, GroupOpens } from '../groups/group-opens.ts'
import { resolveRoster, type RosterDecision } from '../../protocol/roster/roster-resolution.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import {
  messageChange,
  openChange,
  refusedOpenChange,
  type ConversationChange
} from '../../protocol/conversation/conversation-change.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { discardOpen, readOpen, type ReadOpen } from '../../protocol/session/accept.ts'
import { heldConversationKeys, type OwnKeys } from '../../protocol/session/conversation-keys.ts'
import type { Inbound } from '../../protocol/session/inbound.ts'
import { decodeMessagePacket, type MessagePacket } from '../../protocol/session/message-packet.ts'
import type { HeldKey } from '../../protocol/session/seal-key.ts'
import { isForgettable } from '../../protocol/session/seen-session.ts'
import { SESSION_MESSAGES_LIMIT } from '../../protocol/limits.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import type { EngineContext } from '../engine-context.ts'
import { sessionEnvironment } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { Inbox } from './inbox.ts'
import { inboundsOf } from '../store/session-states.ts'
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
  inbox: Inbox
  groups: GroupOpens
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
  /**
   * Needs these accounts from the directory first; it claims to come from `sender`. What is known of `needs` has to stay known
   * until then.
   */
  | { kind: 'fetch'; accounts: AccountId[]; sender: AccountId; needs: AccountId[] }

export interface Attempt {
  /** The directory was asked just now. */
  isAsked: boolean
  /** The delivery was parked before. */
  isRetry: boolean
}

/** An Open, with changes of a group beside it; empty where there are none. */
export interface OpenParts {
  openBody: Uint8Array
  log: Uint8Array
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
  async open(unit: UnitOfWork, { openBody, log }: OpenParts, delivery: Delivery, attempt: Attempt): Promise<Outcome> {
    const { context } = this.#components
    const env = sessionEnvironment(context)
    let open: ReadOpen
    try {
      open = await readOpen(env, context.device().deviceId, this.heldKeys(), openBody, delivery.part)
    } catch (error) {
      return this.count(error)
    }
    try {
      return await this.#openRead(unit, open, log, delivery.storedAt, attempt)
    } finally {
      discardOpen(open)
    }
  }

  async #openRead(
    unit: UnitOfWork,
    open: ReadOpen,
    log: Uint8Array,
    storedAt: number,
    attempt: Attempt
  ): Promise<Outcome> {
    const { context } = this.#components
    let decided: GroupDecision
    try {
      decided = await this.#decide(unit, open, log, storedAt)
    } catch (error) {
      return this.count(error)
    }
    const { decision, needs } = decided
    const sender = open.reference.senderAccount
    if (decision.kind === 'fetch') return { kind: 'fetch', accounts: decision.accounts, sender, needs }
    if (decision.kind === 'accept') return this.#accept(unit, open, decision, attempt.isRetry)
    // A stale view of ours can look like a mismatch: ask once before refusing. Not about conversations we are not in:
    // strangers must not choose whom we ask for.
    const reason = decision.kind === 'refuse' ? decision.reason : decision.kind
    if (reason !== 'foreign' && !attempt.isAsked && needs.length > 0) {
      return { kind: 'fetch', accounts: needs, sender, needs }
    }
    this.counts.refused++
    context.log.warn('an Open was refused', { reason })
    if (reason === 'sender-revoked') {
      const members = open.content.group === null ? needs : null
      await this.#apply(unit, refusedOpenChange(open.content.context, members), storedAt)
    }
    return DONE
  }

  async #decide(unit: UnitOfWork, open: ReadOpen, log: Uint8Array, storedAt: number): Promise<GroupDecision> {
    const { context, directory, groups } = this.#components
    const { group, members } = open.reference
    if (group) return groups.decide(unit, open, group, log, storedAt)
    const needs = (members ?? []).map(({ accountId }) => accountId)
    for (const accountId of needs) await directory.load(accountId)
    const env = sessionEnvironment(context)
    // The clock of the sender may be ahead: it was made before a node had it.
    const reference = { ...open.reference, createdAt: Math.min(open.reference.createdAt, storedAt) }
    const decision = resolveRoster(env, reference, directory.view, context.accountId(), storedAt)
    return { decision, needs }
  }

  async #accept(
    unit: UnitOfWork,
    open: ReadOpen,
    { roster, ahead }: Extract<RosterDecision, { kind: 'accept' }>,
    isRetry: boolean
  ): Promise<Outcome> {
    const { context } = this.#components
    const { sessionId, conversationId, senderDevice } = open.content.context
    const [key, device] = [toHex(conversationId), toHex(senderDevice)]
    const state = {
      inbounds: await inboundsOf(unit, key),
      sequencer: await unit.read(slots.sequencer(key, device)),
      ownAccount: context.accountId()
    }
    const seen = (await unit.read(slots.session(toHex(sessionId))))?.seen
    const peerKey = await unit.read(slots.peerKey(key, device))
    const init = { deviceId: context.device().deviceId, open, roster, seen, peerKey }
    let change: ConversationChange
    try {
      change = await openChange(sessionEnvironment(context), state, init, isRetry)
    } catch (error) {
      return this.count(error)
    }
    await this.#apply(unit, change)
    // A copy brings nothing, and its messages were read with the first.
    if (!change.isNew) return DONE
    unit.after(() => this.#init.onAccepted(toHex(sessionId)))
    if (ahead.length > 0) unit.after(() => this.#init.onAhead(ahead))
    return DONE
  }

  async #apply(unit: UnitOfWork, change: ConversationChange, storedAt?: number): Promise<void> {
    if (!change.isNew) this.counts.duplicate++
    await this.#components.inbox.apply(unit, change, storedAt)
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
    const { context } = this.#components
    const { conversationId, senderDevice } = inbound
    const sequencer = await unit.read(slots.sequencer(toHex(conversationId), toHex(senderDevice)))
    const state = { inbound, sequencer, ownAccount: context.accountId() }
    const removedSince = await this.#removedSince(inbound)
    let change: ConversationChange
    try {
      change = await messageChange(sessionEnvironment(context), state, packet, { storedAt, removedSince })
    } catch (error) {
      this.count(error)
      return error instanceof ProtocolError && error.code === 'DECRYPT_FAILED' ? 'undecryptable' : undefined
    }
    if (removedSince !== undefined && storedAt > removedSince) this.counts.refused++
    // Outside: a failure to store undoes the whole delivery, and it comes again.
    await this.#apply(unit, change, storedAt)
    return undefined
  }

  async #removedSince({ senderAccount, senderDevice }: PacketOrigin): Promise<number | undefined> {
    const account = await this.#components.directory.load(senderAccount)
    return account?.view.removedSince(senderDevice)
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

/**
 * Stores what packets change in conversations. Each {@link ConversationChange} is applied whole, in the unit of work of its
 * delivery; see conversation-change.ts for what is in one.
 */
import { toHex } from '../../protocol/bytes.ts'
import {
  waitedChange,
  type ChangeAppliers,
  type ConversationChange
} from '../../protocol/conversation/conversation-change.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import { wakeAt } from '../../protocol/conversation/sequencer.ts'
import { GAP_HOLD_MS } from '../../protocol/limits.ts'
import { releaseInbound } from '../../protocol/session/inbound.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Auditor } from '../audit/auditor.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { dropInbound } from '../store/session-states.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { DevicePresence } from '../own-devices/device-presence.ts'
import type { LateHistory } from '../own-devices/late-history.ts'
import type { ControlInbox } from './control-inbox.ts'
import type { RowWriter } from './row-writer.ts'

/** A gap that the store did not take is shown after this. */
const RELEASE_RETRY_MS = 5_000

export interface InboxComponents {
  context: EngineContext
  states: StateStore
  rows: ConversationRows
  writer: RowWriter
  controls: ControlInbox
  pairs: PairSender
  pairings: PairingBook
  /** Keeps what was shown, to be compared with what others were shown. */
  auditor: Pick<Auditor, 'noteHeads'>
  /** Keeps who sends to new devices of the account. */
  late: Pick<LateHistory, 'noteJoined'>
  /** Keeps when own devices were last on. */
  presence: Pick<DevicePresence, 'note'>
  /** Says whom the user has blocked: what they send is taken in, is not shown and changes nothing. */
  marks: { isBlocked(accountId: AccountId): boolean }
}

export class Inbox {
  readonly #components: InboxComponents
  readonly #heardAt = new Map<string, number>()
  readonly #wakes = new Map<string, () => void>()
  #stopped = false

  constructor(components: InboxComponents) {
    this.#components = components
  }

  stop(): void {
    this.#stopped = true
    for (const cancel of this.#wakes.values()) cancel()
    this.#wakes.clear()
  }

  /**
   * When an authentic message of a device last arrived in this process, by the user's clock: it is compared with the stored
   * times of Opens.
   */
  heardAt(conversationId: string, device: string): number | undefined {
    return this.#heardAt.get(`${conversationId}/${device}`)
  }

  /** Stores a change. @param storedAt - when a node had its packet; left out for what was held back here. */
  apply(unit: UnitOfWork, change: ConversationChange, storedAt?: number): Promise<void> {
    return change.applyTo(this.appliersFor(unit, storedAt))
  }

  /** What stores each part of a change. For {@link apply}, and for tests of what it takes to notice a missing part. */
  appliersFor(unit: UnitOfWork, storedAt: number | undefined): ChangeAppliers {
    const { context, rows, writer, controls, pairs, pairings, auditor, marks, presence, late } = this.#components
    return {
      members: async members => {
        if (members) await rows.rowFor(unit, [...members])
      },
      sessions: (sessions, { conversationId }) => {
        for (const { before, after } of sessions) {
          unit.write(slots.inbound(toHex(conversationId), toHex(after.sessionId)), after)
          if (before) unit.after(() => releaseInbound(before, after))
        }
      },
      ended: ended => {
        for (const inbound of ended) dropInbound(unit, inbound)
      },
      seen: (seen, { conversationId }) => {
        if (seen) unit.write(slots.session(toHex(seen.sessionId)), { conversationId, seen })
      },
      peerKey: (peerKey, { conversationId, senderDevice }) => {
        if (peerKey) unit.write(slots.peerKey(toHex(conversationId), toHex(senderDevice)), peerKey)
      },
      pairing: async pairing => {
        if (pairing) await pairings.noteAccepted(unit, pairing, context.timers.now())
      },
      joined: (joined, origin) => late.noteJoined(unit, origin, joined),
      sequencer: (sequencer, origin) => {
        if (!sequencer) return
        unit.write(slots.sequencer(toHex(origin.conversationId), toHex(origin.senderDevice)), sequencer)
        unit.after(() => this.resume(origin, wakeAt(sequencer)))
      },
      heads: (heads, origin) => auditor.noteHeads(unit, origin, heads),
      rows: async (shown, origin) => {
        if (marks.isBlocked(origin.senderAccount)) return
        for (const row of shown) await writer.write(unit, origin, row, storedAt)
      },
      controls: async (said, origin) => {
        if (marks.isBlocked(origin.senderAccount)) return
        for (const control of said) await controls.take(unit, origin, control)
      },
      owed: async ({ delivered, opened }, { conversationId, senderAccount, senderDevice }) => {
        // What was dropped is never said to have arrived, not even once a block was taken back.
        const due = { delivered: marks.isBlocked(senderAccount) ? [] : [...delivered], opened: [...opened] }
        if (due.delivered.length + due.opened.length > 0) await pairs.noteDue(unit, conversationId, senderDevice, due)
      },
      isHeard: (isHeard, origin) => {
        if (!isHeard) return
        unit.after(() => this.#heardAt.set(keyOf(origin), context.timers.now()))
        if (storedAt !== undefined) presence.note(unit, origin, storedAt)
      }
    }
  }

  /**
   * Waits until what a gap holds back may be shown; also after a start, for the waits that the last process left.
   *
   * @param at - as stored, so by the user's clock. No gap holds anything back for longer than `GAP_HOLD_MS`, so a clock that
   * was put back meanwhile must not make it longer.
   */
  resume(origin: PacketOrigin, at: number | undefined): void {
    const { timers } = this.#components.context
    const ms = at === undefined ? undefined : Math.min(Math.max(at - timers.now(), 1), GAP_HOLD_MS)
    this.#scheduleRelease(origin, ms)
  }

  #scheduleRelease(origin: PacketOrigin, ms: number | undefined): void {
    const { states, context } = this.#components
    const key = keyOf(origin)
    this.#wakes.get(key)?.()
    this.#wakes.delete(key)
    if (ms === undefined || this.#stopped) return
    const cancel = context.timers.after(ms, () => {
      this.#wakes.delete(key)
      states
        .unit(unit => this.#release(unit, origin))
        .catch((error: unknown) => {
          context.log.warn('a gap could not be shown', { reason: String(error) })
          // Without this, nothing looks again until the sender writes.
          if (!this.#wakes.has(key)) this.#scheduleRelease(origin, RELEASE_RETRY_MS)
        })
    })
    this.#wakes.set(key, cancel)
  }

  async #release(unit: UnitOfWork, origin: PacketOrigin): Promise<void> {
    const { context } = this.#components
    const sequencer = await unit.read(slots.sequencer(toHex(origin.conversationId), toHex(origin.senderDevice)))
    if (!sequencer) return
    await this.apply(unit, waitedChange(sessionEnvironment(context), origin, sequencer, context.accountId()))
  }
}

const keyOf = ({ conversationId, senderDevice }: PacketOrigin): string =>
  `${toHex(conversationId)}/${toHex(senderDevice)}`

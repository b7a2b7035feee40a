/**
 * Gets the history from the own device that has added this one.
 *
 *     joined ──▶ asks (until the other device's session is there) ──▶ pieces, in order ──▶ done ──▶ asks for what comes late
 *                  ▲                                                      │
 *                  └── nothing came for a while, a restart, a new connection ┘
 *
 * This side keeps the cursor, so it goes on from there whatever happens to either device. A piece is merged and the cursor
 * moved in one unit of work. A message that is here already is left as it is.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { BodyOf } from '../../protocol/conversation/message.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import { ownDeviceSlots, type HistoryTransferState } from '../store/own-device-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { HistoryMerge } from './history-merge.ts'
import { decodePiece, encodeCursor, FIRST_CURSOR, isNewBeginning, type HistoryPiece } from './history-piece.ts'

/** Pieces that one request asks for: 640 KiB are on their way at most. */
const PIECES_ASKED = 16
/** Pieces that are kept in memory until the ones before them come. */
const MAX_EARLY_PIECES = 32
const FIRST_RETRY_MS = 1_000
/** Until the other device's session is there, which nothing tells this side of: looking for it costs one read. */
const MAX_SESSION_LOOK_MS = 2_000
/** The other device says when it is back, so that requests do not gather in its mailbox. */
const MAX_RETRY_MS = 3_600_000
/** What came late is asked for this long after the end, and after each time; else when the other device says so. */
const LATE_ROUNDS_MS = [5_000, 60_000, 3_600_000]

export interface HistoryTransferComponents {
  context: EngineContext
  states: StateStore
  pairs: PairSender
  merge: HistoryMerge
  /** The conversation of the account with itself. */
  notesId: () => ConversationId
  /** Something that a screen shows has changed. */
  onChange: () => void
  /** Version of the last word that the other device has more; 0 if it has said none. */
  moreVersion: () => number
  /** All that the other device has is here. */
  onEnd: () => void
}

/** Nothing of it was asked for yet. @param from - the own device that added this one. */
export function beginTransfer({ random, timers }: EngineContext, from: DeviceId): HistoryTransferState {
  return {
    from,
    transferId: random(16),
    index: 0,
    cursor: encodeCursor(FIRST_CURSOR),
    chats: 0,
    chatsTotal: 0,
    messages: 0,
    startedAt: timers.now(),
    isDone: false,
    rounds: 0
  }
}

export class HistoryTransfer {
  readonly #components: HistoryTransferComponents
  #state: HistoryTransferState | undefined
  /** Index after the last piece that was asked for. */
  #askedUntil = 0
  readonly #early = new Map<string, { piece: HistoryPiece; last: boolean }>()
  #retryMs = FIRST_RETRY_MS
  #cancelTimer: (() => void) | undefined
  #running: Promise<void> | undefined
  /** The other device says that something came late. */
  #isLateDue = false
  #stopped = true

  constructor(components: HistoryTransferComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#stopped = false
    this.#state = await this.#components.states.read(ownDeviceSlots.historyTransfer())
    // A word of the other device may have come right before an earlier process ended.
    this.#isLateDue = this.#state?.isDone ?? false
    this.#schedule(this.#state?.isDone ? LATE_ROUNDS_MS[0] : FIRST_RETRY_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /** How far it is; undefined for a device that gets no history. */
  get state(): HistoryTransferState | undefined {
    return this.#state
  }

  /** Whether the other device has more than this one so far. */
  get isUnderWay(): boolean {
    return this.#state !== undefined && !this.#state.isDone
  }

  /** Whether the other device has said that there is more, as far as this one knows, and it has not come. */
  async isOwed(): Promise<boolean> {
    if (!this.#state) return false
    const answered = await this.#components.states.read(ownDeviceSlots.historyAnswered())
    return !this.#state.isDone || (answered !== undefined && this.#components.moreVersion() > answered.version)
  }

  /** Asks now, as after a new connection. */
  kick(): void {
    this.#retryMs = FIRST_RETRY_MS
    this.#askedUntil = 0
    if (this.#state && (!this.#state.isDone || this.#isLateDue)) this.#schedule(0)
  }

  /** The other device says that there is more: asks now. */
  onMore(): void {
    this.#isLateDue = true
    this.kick()
  }

  #schedule(ms: number | undefined): void {
    this.#cancelTimer?.()
    if (this.#stopped || !this.#state || ms === undefined) return
    this.#cancelTimer = this.#components.context.timers.after(ms, () => {
      this.#running ??= this.#ask()
        .catch((error: unknown) => {
          this.#components.context.log.debug('history was not asked for', { reason: String(error) })
          this.#askLater(MAX_RETRY_MS)
        })
        .finally(() => (this.#running = undefined))
    })
  }

  /** Asks, and again later if nothing comes. */
  async #ask(): Promise<void> {
    const outcome = await this.#components.states.unit(unit => this.#request(unit))
    if (outcome !== 'over') this.#askLater(outcome === 'asked' ? MAX_RETRY_MS : MAX_SESSION_LOOK_MS)
  }

  /** Asks again after a pause, and after twice as long the next time. */
  #askLater(longestMs: number): void {
    this.#schedule(this.#retryMs)
    this.#retryMs = Math.min(2 * this.#retryMs, longestMs)
  }

  /** @returns `over` once everything was asked for, `no-session` if the other device cannot be asked yet. */
  async #request(unit: UnitOfWork): Promise<'asked' | 'no-session' | 'over'> {
    const { pairs, notesId } = this.#components
    const state = await this.#roundOf(unit)
    if (!state) return 'over'
    const { transferId, index, cursor, from } = state
    const request = { kind: 'historyRequest' as const, transferId, index, cursor, count: PIECES_ASKED }
    // False until the other device's session was accepted.
    if (!(await pairs.say(unit, notesId(), from, [request]))) return 'no-session'
    this.#askedUntil = index + PIECES_ASKED
    return 'asked'
  }

  /** The state to ask with; undefined once everything was asked for. The end of a round is where the next one begins. */
  async #roundOf(unit: UnitOfWork): Promise<HistoryTransferState | undefined> {
    const state = await unit.read(ownDeviceSlots.historyTransfer())
    const isWanted = !state?.isDone || this.#isLateDue || state.rounds < LATE_ROUNDS_MS.length
    return isWanted ? state : undefined
  }

  /** Takes one piece. Only from the device that was asked, and for this transfer. */
  async receive(unit: UnitOfWork, deviceId: DeviceId, body: BodyOf<'historyChunk'>): Promise<void> {
    let state = await unit.read(ownDeviceSlots.historyTransfer())
    if (!state || !equalBytes(state.from, deviceId) || !equalBytes(state.transferId, body.transferId)) return
    const piece = this.#decode(body.data)
    if (!piece) return
    if (!equalBytes(piece.from, state.cursor)) {
      if (this.#early.size < MAX_EARLY_PIECES) this.#early.set(toHex(piece.from), { piece, last: body.last })
      return
    }
    let isEnd = body.last
    state = await this.#take(unit, state, piece, body.last)
    for (let next = this.#early.get(toHex(state.cursor)); next; next = this.#early.get(toHex(state.cursor))) {
      this.#early.delete(toHex(state.cursor))
      state = await this.#take(unit, state, next.piece, next.last)
      isEnd = next.last
    }
    const taken = state
    unit.write(ownDeviceSlots.historyTransfer(), taken)
    if (isEnd) unit.write(ownDeviceSlots.historyAnswered(), { version: this.#components.moreVersion() })
    if (!isEnd && taken.index >= this.#askedUntil) await this.#request(unit)
    unit.after(() => this.#taken(taken, isEnd))
    unit.tell(() => this.#components.onChange())
  }

  async #take(
    unit: UnitOfWork,
    state: HistoryTransferState,
    piece: HistoryPiece,
    last: boolean
  ): Promise<HistoryTransferState> {
    const added = await this.#components.merge.merge(unit, piece)
    if (isNewBeginning(piece)) return this.#again(state)
    return {
      ...state,
      index: state.index + 1,
      cursor: piece.next,
      chats: Math.max(state.chats, piece.chats),
      chatsTotal: piece.chatsTotal,
      messages: state.messages + added,
      isDone: state.isDone || last,
      rounds: state.rounds + (state.isDone && last ? 1 : 0)
    }
  }

  /** Asks for everything again, under another name: pieces of before that come twice count for nothing. */
  #again(state: HistoryTransferState): HistoryTransferState {
    this.#early.clear()
    this.#isLateDue = true
    this.#askedUntil = 0
    return { ...state, transferId: this.#components.context.random(16), index: 0, cursor: encodeCursor(FIRST_CURSOR) }
  }

  #taken(state: HistoryTransferState, isEnd: boolean): void {
    this.#state = state
    this.#retryMs = FIRST_RETRY_MS
    if (isEnd) {
      this.#early.clear()
      this.#isLateDue = false
      this.#components.onEnd()
    }
    this.#schedule(isEnd ? this.#lateMs() : 5 * FIRST_RETRY_MS)
  }

  /** When what came late is asked for next; undefined if not any more. */
  #lateMs(): number | undefined {
    return LATE_ROUNDS_MS[this.#state?.rounds ?? 0]
  }

  #decode(data: Uint8Array): HistoryPiece | undefined {
    try {
      return decodePiece(data)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#components.context.log.warn('a piece of history could not be read', { code: error.code })
      return undefined
    }
  }
}

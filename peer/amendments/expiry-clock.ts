/** Removes messages whose time is over, also those whose time ran out while no process was there. */
import { toHex } from '../../protocol/bytes.ts'
import { NO_AMENDMENTS } from '../../protocol/conversation/amendments.ts'
import type { EngineContext } from '../engine-context.ts'
import type { MessageLog } from '../history/message-log.ts'
import { orderOf, type MessageRow, type ShownId } from '../store/conversation-entries.ts'
import { namedMessageEntry, slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** Messages removed in one unit of work. */
const AT_ONCE = 100
/** The user may put the clock forward: then it is looked at again before the time that a timer knows. */
const MAX_WAIT_MS = 60_000
const RETRY_MS = 5_000

export class ExpiryClock {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #history: MessageLog
  #cancelTimer: (() => void) | undefined
  #next = Infinity
  #running: Promise<void> | undefined
  #stopped = true

  constructor(context: EngineContext, states: StateStore, history: MessageLog) {
    this.#context = context
    this.#states = states
    this.#history = history
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /** A message will disappear at this time, by the user's clock. */
  note(at: number): void {
    if (at < this.#next) this.#schedule(at)
  }

  #schedule(at: number): void {
    this.#cancelTimer?.()
    this.#next = at
    if (this.#stopped || at === Infinity) return
    const { timers } = this.#context
    const ms = Math.min(Math.max(at - timers.now(), 0), MAX_WAIT_MS)
    this.#cancelTimer = timers.after(ms, () => {
      this.#running ??= this.#run().finally(() => (this.#running = undefined))
    })
  }

  /** Removes what is due, and waits for the next. Never rejects. */
  async #run(): Promise<void> {
    const { timers, log } = this.#context
    this.#next = Infinity
    try {
      while (!this.#stopped && (await this.#states.unit(unit => this.#removeDue(unit)))) {
        // A unit takes some; others may write in between.
      }
      const [first] = await this.#states.range('expiry', undefined, namedMessageEntry, { limit: 1 })
      this.#schedule(Math.min(this.#next, first ? timeIn(first.order) : Infinity))
    } catch (error) {
      log.warn('messages whose time is over could not be removed', { reason: String(error) })
      this.#schedule(timers.now() + RETRY_MS)
    }
  }

  /** @returns whether more may be due. */
  async #removeDue(unit: UnitOfWork): Promise<boolean> {
    const now = this.#context.timers.now()
    const before = orderOf(now + 1)
    const due = await this.#states.range('expiry', undefined, namedMessageEntry, { before, limit: AT_ONCE })
    for (const { order, value } of due) {
      unit.remove(slots.expiry(order))
      await this.#remove(unit, toHex(value.name) as ShownId, now)
    }
    return due.length === AT_ONCE
  }

  async #remove(unit: UnitOfWork, id: ShownId, now: number): Promise<void> {
    const place = await unit.read(slots.place(id))
    const row = place && (await unit.read(slots.message(toHex(place.conversationId), place.order)))
    if (!row || row.expiresAt === null) return
    // Its time begins when it is sent.
    if (isUnsent(row)) return this.#history.expireAt(unit, id, now + row.expiresAfter! * 1000)
    await this.#history.amend(unit, toHex(row.conversationId), id, { ...NO_AMENDMENTS, isHidden: true })
  }
}

const isUnsent = ({ mine, state }: MessageRow): boolean => mine && (state === 'waiting' || state === 'failed')

/** The time in the name of an entry, milliseconds. */
const timeIn = (order: string): number => Number.parseInt(order.slice(0, order.indexOf('.')), 16)

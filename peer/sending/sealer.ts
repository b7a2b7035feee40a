/**
 * From queued messages to sealed envelopes. A message is first written to the `unsent` queue. To seal it takes the directory
 * (who gets it) and sometimes a new session, so the sealer waits until it can ask a node. One round (`seal-round.ts`)
 * then moves messages from the queue into envelopes.
 */
import { toHex } from '../../protocol/bytes.ts'
import {
  createMessageId,
  encodeMessage,
  isSequenced,
  type MessageBody,
  type MessageId
} from '../../protocol/conversation/message.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { PeerError } from '../errors.ts'
import type { MessageProblem } from '../problems.ts'
import { ConnectionLost } from '../network/node-connection.ts'
import type { EngineContext } from '../engine-context.ts'
import type { MessageLog } from '../history/message-log.ts'
import type { Outbox } from './outbox.ts'
import type { SealRound } from './seal-round.ts'
import type { SealingPlan, SealingPlanner } from './sealing-plan.ts'
import { ownShownId } from '../history/shown-id.ts'
import { dueEntry, slots, type DueControls, type Unsent } from '../store/store-layout.ts'
import type { UnsentQueue } from './unsent-queue.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** Receipts and acknowledgements wait this long for more of their kind. */
export const CONTROL_DELAY_MS = 250
/** Due receipts and acknowledgements of one conversation; past it the oldest are dropped, for good. */
const MAX_DUE = 4_096
const RETRY_MS = 5_000
/** A moment on the monotonic clock that has passed. */
const AT_ONCE = -Infinity
/** Messages of a conversation that show why they wait. */
const MAX_EXPLAINED = 20

export interface SealerComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  queue: UnsentQueue
  outbox: Outbox
  planner: SealingPlanner
  round: SealRound
}

export class Sealer {
  readonly #components: SealerComponents
  /** When receipts and acknowledgements of a conversation go out, on the monotonic clock. */
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
    await this.#components.queue.start()
    this.#stopped = false
    for (const due of await this.#components.states.all('due', dueEntry))
      this.#due.set(toHex(due.conversationId), AT_ONCE)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#running
  }

  /** Puts a message into the queue as part of a unit of work. */
  async enqueue(
    unit: UnitOfWork,
    conversationId: ConversationId,
    body: MessageBody,
    options: { messageId?: MessageId; shown?: boolean; sentAt?: number } = {}
  ): Promise<void> {
    const { random, timers } = this.#components.context
    const messageId = options.messageId ?? createMessageId(random)
    const sentAt = options.sentAt ?? timers.now()
    await this.#components.queue.push(unit, {
      conversationId,
      messageId: options.shown ? messageId : null,
      content: encodeMessage({ messageId, sentAt, expiresAfter: null, body }),
      sequenced: isSequenced(body.kind),
      again: null
    })
    unit.after(() => this.kick())
  }

  /** What {@link sealAtOnce} needs, if it is known without asking a node. */
  async readyPlan(conversationId: string): Promise<SealingPlan | undefined> {
    return this.#stopped ? undefined : this.#components.planner.readyPlan(conversationId)
  }

  /** Seals what waits, and what the unit itself has taken: a message is on disk and on its way after one write. */
  async sealAtOnce(unit: UnitOfWork, plan: SealingPlan): Promise<void> {
    const conversationId = toHex(plan.conversation.conversationId)
    const { isDueDone, hasMore } = await this.#components.round.run(unit, plan)
    // With the commit, not later: what comes due in between must not be forgotten.
    if (isDueDone) unit.after(() => this.#due.delete(conversationId))
    if (hasMore) unit.after(() => this.kick())
    unit.after(() => this.#components.outbox.kick())
  }

  /** Queues a message that was sent before, with its place, for one device or all. */
  async enqueueAgain(unit: UnitOfWork, item: Unsent): Promise<void> {
    await this.#components.queue.push(unit, item)
    unit.after(() => this.kick())
  }

  /** Adds to what is said about received messages: it goes out a moment later, together. */
  async noteDue(unit: UnitOfWork, conversationId: ConversationId, add: Partial<DueControls>): Promise<void> {
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
      if (!this.#due.has(key)) this.#due.set(key, this.#components.context.timers.monotonic() + CONTROL_DELAY_MS)
      this.#schedule(CONTROL_DELAY_MS)
    })
  }

  /** Looks at a conversation in the next round, to hand out a new key. */
  wake(conversationId: string): void {
    if (!this.#due.has(conversationId)) this.#due.set(conversationId, AT_ONCE)
    this.kick()
  }

  /** Seals what can be sealed now. */
  kick(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // A call came while a round gave up: its reason may be gone.
      if (this.#again) this.kick()
    })
  }

  /** Seals receipts and acknowledgements at once, before the process ends. Never rejects. */
  async flush(): Promise<void> {
    for (const key of this.#due.keys()) this.#due.set(key, AT_ONCE)
    this.kick()
    await this.#running
  }

  /** Makes sure that a round comes in `ms` at the latest. */
  #schedule(ms: number): void {
    const { timers } = this.#components.context
    const at = timers.monotonic() + ms
    if (this.#stopped || at >= this.#timerAt) return
    this.#cancelTimer?.()
    this.#timerAt = at
    this.#cancelTimer = timers.after(ms, () => {
      this.#timerAt = Infinity
      this.kick()
    })
  }

  async #run(): Promise<void> {
    let next = Infinity
    while (this.#again && !this.#stopped) {
      this.#again = false
      const look = this.#lookAtDue()
      next = look.next
      for (const conversationId of new Set([...this.#components.queue.conversations(), ...look.due])) {
        try {
          await this.#seal(conversationId)
        } catch (error) {
          // The next connection kicks; a node that is only slow is asked again.
          if (isOffline(error)) return this.#schedule(RETRY_MS)
          await this.#noteFailure(conversationId, error)
        }
      }
    }
    if (next < Infinity) this.#schedule(Math.max(0, next - this.#components.context.timers.monotonic()))
  }

  /** Tells the person why their messages wait, unless only the connection is missing. Never rejects. */
  async #noteFailure(conversationId: string, error: unknown): Promise<void> {
    const { log } = this.#components.context
    log.warn('messages could not be sealed', { reason: String(error) })
    this.#schedule(RETRY_MS)
    if (!(error instanceof PeerError)) return
    await this.#hold(conversationId, error.code === 'no-keys' ? 'no-keys' : 'not-prepared').catch((failure: unknown) =>
      log.warn('the reason could not be stored', { reason: String(failure) })
    )
  }

  /**
   * What is due, and when the next of the others will be. The clock is read once: with two readings, what comes due between
   * them would be in neither, and would wait until a person writes.
   */
  #lookAtDue(): { due: string[]; next: number } {
    const now = this.#components.context.timers.monotonic()
    const due: string[] = []
    let next = Infinity
    for (const [conversationId, at] of this.#due) {
      if (at <= now) due.push(conversationId)
      else next = Math.min(next, at)
    }
    return { due, next }
  }

  async #seal(conversationId: string): Promise<void> {
    const { planner, states } = this.#components
    const plan = await planner.plan(conversationId)
    if (!plan) return
    if ('held' in plan) return this.#hold(conversationId, plan.held)
    await states.unit(unit => this.sealAtOnce(unit, plan))
  }

  async #hold(conversationId: string, problem: MessageProblem): Promise<void> {
    const { context, states, history, queue } = this.#components
    await states.unit(async unit => {
      for (const { messageId, ...item } of await queue.first(unit, conversationId, MAX_EXPLAINED)) {
        if (messageId) await history.notProgressing(unit, ownShownId(context, { ...item, messageId }), problem)
      }
    })
    this.#schedule(RETRY_MS)
  }
}

const isOffline = (error: unknown): boolean =>
  error instanceof ConnectionLost || (error instanceof PeerError && error.code === 'offline')

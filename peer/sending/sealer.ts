/**
 * From queued messages to sealed envelopes. A message is first written to the `unsent` queue. To seal it takes the directory
 * (who gets it) and sometimes a new session, so the sealer waits until it can ask a node. One round (`seal-round.ts`)
 * then moves messages from the queue into envelopes.
 */
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
import type { Unsent } from '../store/store-layout.ts'
import type { UnsentQueue } from './unsent-queue.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

const RETRY_MS = 5_000
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
    options: { messageId?: MessageId; shown?: boolean; sentAt?: number; expiresAfter?: number | null } = {}
  ): Promise<void> {
    const { random, timers } = this.#components.context
    const messageId = options.messageId ?? createMessageId(random)
    const sentAt = options.sentAt ?? timers.now()
    await this.#components.queue.push(unit, {
      conversationId,
      messageId: options.shown ? messageId : null,
      content: encodeMessage({ messageId, sentAt, expiresAfter: options.expiresAfter ?? null, body }),
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
    if (!this.#components.planner.isCurrent(plan)) return unit.after(() => this.kick())
    const hasMore = await this.#components.round.run(unit, plan)
    if (hasMore) unit.after(() => this.kick())
    unit.after(() => this.#components.outbox.kick())
  }

  /** Queues a message that was sent before, with its place. */
  async enqueueAgain(unit: UnitOfWork, item: Unsent): Promise<void> {
    await this.#components.queue.push(unit, item)
    unit.after(() => this.kick())
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

  /** Seals what can be sealed before the process ends. Never rejects. */
  async flush(): Promise<void> {
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
    while (this.#again && !this.#stopped) {
      this.#again = false
      for (const conversationId of this.#components.queue.conversations()) {
        try {
          await this.#seal(conversationId)
        } catch (error) {
          // The next connection kicks; a node that is only slow is asked again.
          if (isOffline(error)) return this.#schedule(RETRY_MS)
          await this.#noteFailure(conversationId, error)
        }
      }
    }
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

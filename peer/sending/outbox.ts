/**
 * Hands sealed envelopes to the network until enough signed receipts are here. What is sealed is on disk before the first
 * attempt and is never sealed again, so that no retry can show a message twice.
 *
 *     queued ── submit ──▶ in flight ── receipts verified ──▶ gone (message *sent*)
 *        ▲                     │
 *        └──── backoff ◀───────┘ too few receipts, refusal, lost connection
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS } from '../../protocol/limits.ts'
import { decodeEnvelope } from '../../protocol/wire/envelope.ts'
import type { NodeFrameOf, SubmissionResult } from '../../protocol/wire/peer-frames.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { ConnectionLost, NodeRefusal, type NodeConnection } from '../network/node-connection.ts'
import type { EngineContext } from '../engine-context.ts'
import { isKept, validReceipts } from './receipt-check.ts'
import { asStranger, withTrueIds } from './envelopes.ts'
import type { MessageLog } from '../history/message-log.ts'
import { ownShownId } from '../history/shown-id.ts'
import { orderOf, type ShownId } from '../store/conversation-entries.ts'
import { outboxEntry, slots, type OutboxItem, type ReceiptsEntry } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { MessageProblem } from '../problems.ts'

/** Envelopes under way at a time. */
export const MAX_IN_FLIGHT = 16
export const FIRST_RETRY_MS = 500
export const MAX_RETRY_MS = 60_000
/** Operators that have to call an envelope malformed before it is given up, if there are as many. */
const OPERATORS_TO_REFUSE = 2
/** Attempts without enough receipts after which the person is told why it takes so long. */
const EXPLAIN_AFTER_ATTEMPTS = 3
/** Attempts in a row without enough receipts and without a reason, after which the peer tries another node. */
const LEAVE_AFTER_FRUITLESS = 3
/** How far a clock may be ahead, and messages go out all the same. */
const MAX_CORRECTION_MS = 3 * 24 * 60 * 60_000
/** Pause before the peer leaves another node for this reason; it doubles while no node stores anything. */
const FIRST_LEAVE_PAUSE_MS = 10_000
const MAX_LEAVE_PAUSE_MS = 600_000

interface Entry {
  order: string
  item: OutboxItem
  attempts: number
  /** On the monotonic clock; -Infinity for at once. */
  nextTry: number
  inFlight: boolean
  /** Operators whose nodes called it malformed or too large, in hex. */
  refusedBy: Set<string>
}

export interface OutboxInit {
  connection: () => NodeConnection | undefined
  onEpoch: (epoch: Epoch, connection: NodeConnection) => Promise<void>
  /** A node answers, but no message gets enough receipts: it may be cut off from the other nodes, or lie. */
  onFruitless: (connection: NodeConnection) => void
}

export class Outbox {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #history: MessageLog
  readonly #init: OutboxInit
  readonly #entries = new Map<string, Entry>()
  #cancelTimer: (() => void) | undefined
  #fruitless = 0
  #nextLeave = -Infinity
  #leavePause = FIRST_LEAVE_PAUSE_MS
  #stopped = true

  constructor(context: EngineContext, states: StateStore, history: MessageLog, init: OutboxInit) {
    this.#context = context
    this.#states = states
    this.#history = history
    this.#init = init
  }

  async start(): Promise<void> {
    const { crypto, network } = this.#context
    for (const { order, value } of await this.#states.range('outbox', undefined, outboxEntry)) {
      this.#add(order, withTrueIds(crypto, network().id, value))
    }
    this.#stopped = false
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  /** Envelopes that the network does not keep yet. */
  get size(): number {
    return this.#entries.size
  }

  /** Whether anything of a conversation is not kept yet. @param conversationId - lower-case hex. */
  isIn(conversationId: string): boolean {
    return [...this.#entries.values()].some(({ item }) => toHex(item.conversationId) === conversationId)
  }

  /** Shown messages inside. */
  waitingMessages(): Set<ShownId> {
    return new Set([...this.#entries.values()].flatMap(({ item }) => this.#shownIn(item)))
  }

  /** Writes an envelope into the queue as part of a unit of work. */
  put(unit: UnitOfWork, order: string, item: OutboxItem): void {
    unit.write(slots.outbox(order), item)
    unit.after(() => this.#add(order, item))
  }

  /** Tries now what is due; with `retryAll`, also what pauses. Called when a connection opens or an envelope is added. */
  kick(retryAll = false): void {
    if (retryAll) for (const entry of this.#entries.values()) entry.nextTry = -Infinity
    this.#pump()
  }

  #add(order: string, item: OutboxItem): void {
    this.#entries.set(order, { order, item, attempts: 0, nextTry: -Infinity, inFlight: false, refusedBy: new Set() })
  }

  #pump(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const connection = this.#init.connection()
    if (this.#stopped || !connection) return
    const now = this.#context.timers.monotonic()
    let inFlight = [...this.#entries.values()].filter(entry => entry.inFlight).length
    let earliest = Infinity
    for (const entry of this.#entries.values()) {
      if (inFlight >= MAX_IN_FLIGHT) break
      if (entry.inFlight) continue
      if (now < entry.nextTry) {
        earliest = Math.min(earliest, entry.nextTry)
        continue
      }
      entry.inFlight = true
      inFlight++
      void this.#attempt(entry, connection)
    }
    if (earliest < Infinity) this.#cancelTimer = this.#context.timers.after(earliest - now, () => this.#pump())
  }

  async #attempt(entry: Entry, connection: NodeConnection): Promise<void> {
    try {
      await this.#submit(entry, connection)
    } catch (error) {
      await this.#failed(entry, error, connection).catch((failure: unknown) => {
        // The store cannot write. It still has the entry as it was, so the outbox tries it again.
        entry.nextTry = this.#context.timers.monotonic() + MAX_RETRY_MS
        this.#context.log.warn('the outbox could not be written', { reason: String(failure) })
      })
    } finally {
      entry.inFlight = false
      this.#pump()
    }
  }

  async #submit(entry: Entry, connection: NodeConnection): Promise<void> {
    const { item } = entry
    if (item.expiry < this.#context.timers.now()) return this.#giveUp(entry, 'expired')
    const answer = await connection.request(
      { kind: 'submit', epoch: this.#context.network().epoch.number, envelope: item.envelope },
      'submitted'
    )
    const { stored, receipts } = await this.#check(item, answer)
    const mailboxes = item.mailboxes.map(mailbox => ({
      ...mailbox,
      stored: mailbox.stored || stored.has(toHex(mailbox.mailbox))
    }))
    await this.#note(entry, { ...item, mailboxes }, receipts)
    if (stored.size > 0) this.#noteFruit()
    if (mailboxes.every(mailbox => mailbox.stored)) return
    const refused = answer.results.find(result => result.state === 'refused')?.refusal ?? undefined
    const refusal = refused?.reason
    if (stored.size === 0 && refusal === undefined) this.#noteFruitless(connection)
    // The clock is or was ahead: without another expiry it would wait until the right clock is as far.
    if (refusal === 'expiry-too-far' && (await this.#expireSooner(entry, refused!.time))) return
    if (refusal === 'proof' && (await this.#sendAsStranger(entry))) return
    if (refusal === 'epoch') await this.#refreshEpoch(connection)
    await this.#later(entry, refusal === undefined ? null : REFUSED[refusal])
  }

  /** Which mailboxes are kept, by receipts that hold. */
  async #check(
    item: OutboxItem,
    { results }: NodeFrameOf<'submitted'>
  ): Promise<{ stored: Set<string>; receipts: ReceiptsEntry }> {
    const { crypto } = this.#context
    const info = this.#context.network()
    const byMailbox = new Map<string, SubmissionResult>(results.map(result => [toHex(result.mailbox), result]))
    const stored = new Set<string>()
    const receipts: ReceiptsEntry = []
    for (const { mailbox, id } of item.mailboxes) {
      const result = byMailbox.get(toHex(mailbox))
      if (!result) continue
      const valid = await validReceipts(crypto, info, { mailbox, id, expiry: item.expiry }, result.receipts)
      if (!isKept(crypto, info, mailbox, valid)) continue
      stored.add(toHex(mailbox))
      receipts.push({ mailbox, id, receipts: valid, expiry: item.expiry })
    }
    return { stored, receipts }
  }

  /** Writes what is kept; the last mailbox of the last envelope makes the message *sent*. */
  async #note(entry: Entry, item: OutboxItem, receipts: ReceiptsEntry): Promise<void> {
    if (receipts.length === 0) return
    const done = item.mailboxes.every(mailbox => mailbox.stored)
    const order = `${entry.order}.${orderOf(entry.attempts)}`
    await this.#states.unit(
      async unit => {
        if (done) unit.remove(slots.outbox(entry.order))
        else unit.write(slots.outbox(entry.order), item)
        for (const id of this.#shownIn(item)) {
          unit.write(slots.receipts(id, order), receipts)
          if (done && !this.#isElsewhere(entry, id)) await this.#history.advance(unit, id, 'sent')
        }
        unit.after(() => {
          entry.item = item
          if (done) this.#entries.delete(entry.order)
        })
        // Not durable: what a power cut undoes is submitted again, and the nodes that keep it know it.
      },
      { durable: false }
    )
  }

  /**
   * Counts the expiry from what the clock says now, or from what the node's clock says, if that is earlier. A node that lies
   * takes at most {@link MAX_CORRECTION_MS} of it away.
   * @returns whether that is sooner.
   */
  async #expireSooner(entry: Entry, nodeTime: number): Promise<boolean> {
    const { crypto, timers, network } = this.#context
    const now = timers.now()
    const expiry = Math.max(Math.min(now, nodeTime), now - MAX_CORRECTION_MS) + PENDING_TTL_MS
    if (expiry > entry.item.expiry - CLOCK_TOLERANCE_MS) return false
    await this.#replace(entry, asStranger(crypto, network().id, entry.item, expiry))
    return true
  }

  /** A node has another token of the receiver than we: what we know is old, or never was true. @returns whether we used it. */
  async #sendAsStranger(entry: Entry): Promise<boolean> {
    if (decodeEnvelope(entry.item.envelope).class === 'request') return false
    await this.#replace(entry, asStranger(this.#context.crypto, this.#context.network().id, entry.item))
    return true
  }

  #replace(entry: Entry, item: OutboxItem): Promise<void> {
    return this.#states.unit(async unit => {
      unit.write(slots.outbox(entry.order), item)
      unit.after(() => (entry.item = item))
    })
  }

  /** Whether another envelope of the same message is still on its way. */
  #isElsewhere(entry: Entry, id: ShownId): boolean {
    return [...this.#entries.values()].some(other => other !== entry && this.#shownIn(other.item).includes(id))
  }

  #shownIn({ conversationId, messages }: OutboxItem): ShownId[] {
    return messages.map(messageId => ownShownId(this.#context, { conversationId, messageId }))
  }

  async #failed(entry: Entry, error: unknown, connection: NodeConnection): Promise<void> {
    if (error instanceof NodeRefusal) {
      if (error.code === 'wrong-epoch') {
        await this.#refreshEpoch(connection)
        // Tried again at once: nothing is wrong with the message.
        if (entry.attempts === 0) return void entry.attempts++
      }
      if (error.code === 'malformed' || error.code === 'too-large') {
        if (this.#isRefusedByAll(entry, connection)) return this.#giveUp(entry, 'not-accepted')
        await this.#later(entry, 'refused')
        // One node's word fails nothing: the next connection goes to another node.
        return connection.close('the node refuses a message')
      }
      return this.#later(entry, error.code === 'rate-limited' ? 'rate-limited' : 'refused')
    }
    // The next connection tries it again.
    if (error instanceof ConnectionLost) {
      if (connection.isOpen) this.#noteFruitless(connection)
      return this.#later(entry, null)
    }
    this.#context.log.warn('an envelope could not be handed in', { reason: String(error) })
    await this.#later(entry, null)
  }

  #noteFruit(): void {
    this.#fruitless = 0
    this.#leavePause = FIRST_LEAVE_PAUSE_MS
  }

  #noteFruitless(connection: NodeConnection): void {
    const now = this.#context.timers.monotonic()
    if (++this.#fruitless < LEAVE_AFTER_FRUITLESS || now < this.#nextLeave) return
    this.#fruitless = 0
    this.#nextLeave = now + this.#leavePause
    this.#leavePause = Math.min(2 * this.#leavePause, MAX_LEAVE_PAUSE_MS)
    this.#init.onFruitless(connection)
  }

  /** Whether as many operators as keep a message have refused it for what it is. */
  #isRefusedByAll({ refusedBy }: Entry, { node }: NodeConnection): boolean {
    const { nodes } = this.#context.network().epoch
    const operators = new Set(nodes.map(({ operator }) => toHex(operator)))
    const refuser = nodes.find(({ key }) => equalBytes(key, node))
    if (refuser) refusedBy.add(toHex(refuser.operator))
    return refusedBy.size >= Math.min(operators.size, OPERATORS_TO_REFUSE)
  }

  async #refreshEpoch(connection: NodeConnection): Promise<void> {
    try {
      const { epoch } = await connection.request({ kind: 'epoch' }, 'epoch')
      await this.#init.onEpoch(epoch, connection)
    } catch (error) {
      this.#context.log.debug('no epoch', { reason: String(error) })
    }
  }

  async #later(entry: Entry, problem: MessageProblem | null): Promise<void> {
    entry.attempts++
    const backoff = Math.min(FIRST_RETRY_MS * 2 ** (entry.attempts - 1), MAX_RETRY_MS)
    entry.nextTry = this.#context.timers.monotonic() + backoff
    const explained = problem ?? (entry.attempts >= EXPLAIN_AFTER_ATTEMPTS ? 'too-few-receipts' : null)
    if (explained !== null) await this.#explain(entry, explained)
  }

  #explain(entry: Entry, problem: MessageProblem): Promise<void> {
    return this.#states.unit(async unit => {
      for (const id of this.#shownIn(entry.item)) {
        await this.#history.notProgressing(unit, id, problem)
      }
    })
  }

  async #giveUp(entry: Entry, problem: MessageProblem): Promise<void> {
    await this.#states.unit(async unit => {
      unit.remove(slots.outbox(entry.order))
      for (const id of this.#shownIn(entry.item)) {
        await this.#history.update(unit, id, row =>
          row.state === 'waiting' ? { ...row, state: 'failed', problem } : undefined
        )
      }
      unit.after(() => this.#entries.delete(entry.order))
    })
  }
}

type RefusalReason = NonNullable<SubmissionResult['refusal']>['reason']

/** What a person is told about a node's refusal. The outbox tries again after all of them. */
const REFUSED: Record<RefusalReason, MessageProblem | null> = {
  expired: 'clock-behind',
  'expiry-too-far': 'clock-ahead',
  'mailbox-full': 'mailbox-full',
  'rate-limited': 'rate-limited',
  'unknown-mailbox': 'unknown-device',
  epoch: null,
  proof: 'contacts-only',
  'disk-full': 'nodes-full'
}

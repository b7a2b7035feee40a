/**
 * Brings records to the chain: queue, batch, sign, submit, and watch until nothing can undo it.
 *
 * Order of events in the life of a record: it is on disk before `enqueue` answers; its transaction is on disk before it
 * is first sent; the same bytes are sent again until the chain shows them; only when the transaction's time to live has
 * passed and blocks have settled over that does the record become free for another transaction. So every record is in at
 * most one transaction that can still make it, whatever fails in between.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { encodeMetadata } from '../../protocol/directory/metadata.ts'
import type { RecordId } from '../../protocol/identity/device.ts'
import { FINAL_CONFIRMATIONS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { nextBatch, nextDueTime, nextSuspect, type Batch, type BatchPolicy } from './batch.ts'
import type { Block, ChainSource, ProtocolParameters } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { FeeBudget } from './fee-budget.ts'
import type { ChainStore } from '../chain-store.ts'
import { SILENT_LOGGER, type Logger } from '../logger.ts'
import { PublisherStore, type LiveTransaction } from './publisher-store.ts'
import { RecordQueue } from './record-queue.ts'
import type { RecordStatus } from './record-status.ts'
import { isRecent } from '../recent.ts'
import { TransactionWatch } from './transaction-watch.ts'
import { WalletCoins } from './wallet-coins.ts'
import type { Wallet } from './wallet.ts'

/** Settings of a publisher; what is left out takes the default named beside it. */
export interface PublisherInit {
  /** The network that record ids belong to. */
  network: NetworkId
  /** Metadata label of the network's records. */
  label: number
  /** Records that make a batch full: {@link DEFAULT_BATCH_RECORDS}. */
  batchRecords?: number
  /** Longest wait of a record for its batch, in milliseconds: {@link DEFAULT_BATCH_WAIT_MS}. */
  batchWaitMs?: number
  /** How often the chain is asked about transactions under way, in milliseconds: {@link DEFAULT_CHECK_MS}. */
  checkMs?: number
  /** Life of a transaction in slots from the tip: {@link DEFAULT_TTL_SLOTS}. */
  ttlSlots?: number
  /** Blocks after a transaction's time to live until its records are published again: {@link DEFAULT_EXPIRY_DEPTH}. */
  expiryDepth?: number
  /** Confirmations after which a transaction is no longer watched; default: the protocol's FINAL_CONFIRMATIONS. */
  finalConfirmations?: number
  /** Most lovelace spent on fees in any hour: {@link DEFAULT_HOURLY_BUDGET}. */
  hourlyBudget?: bigint
  /** Most lovelace that one transaction may cost: {@link DEFAULT_FEE_CAP}. */
  feeCap?: bigint
  /** Below this many lovelace health warns, and a devnet's faucet is asked: {@link DEFAULT_LOW_BALANCE}. */
  lowBalance?: bigint
}

/** A full batch costs a tenth per record of a lone one; twenty gives most of that saving. */
export const DEFAULT_BATCH_RECORDS = 20
export const DEFAULT_BATCH_WAIT_MS = 60_000
export const DEFAULT_CHECK_MS = 20_000
/** Two hours on networks with one-second slots. */
export const DEFAULT_TTL_SLOTS = 7_200
export const DEFAULT_EXPIRY_DEPTH = 15
/** 5 ADA: some 28 lone records, or 280 in full batches. */
export const DEFAULT_HOURLY_BUDGET = 5_000_000n
/** 1 ADA: a full 16 KiB transaction costs 0.88. */
export const DEFAULT_FEE_CAP = 1_000_000n
/** 10 ADA. */
export const DEFAULT_LOW_BALANCE = 10_000_000n

/** Why publishing does not go on as it should, in words an operator can act on. */
export interface PublisherHealth {
  /** Records are being published, or there are none. */
  ok: boolean
  /** One sentence for each thing wrong. */
  reasons: string[]
  queuedRecords: number
  /** Transactions that are watched: submitted, or not final. */
  liveTransactions: number
  /** Lovelace in the wallet, own unconfirmed change included; `undefined` until first read. */
  balance: bigint | undefined
  lowBalance: boolean
  /** Lovelace of fees in the last hour. */
  spentLastHour: bigint
  /** The wallet's address, bech32. */
  address: string
}

/** Transactions on their way at most; further records wait for a block. */
const MAX_UNSEEN_TRANSACTIONS = 20
/** Room that a transaction needs besides its records: one or a few inputs, one output, one signature. */
const TRANSACTION_OVERHEAD_BYTES = 2_000
const DEFAULT_MAX_TRANSACTION_BYTES = 16_384
/** Between two rounds, so that nothing can make them spin. */
const MIN_PAUSE_MS = 20
/** A batch refused this often in a row is taken apart; before that, the coins may just have been read too early. */
const REFUSALS_BEFORE_BLAME = 3

export interface PublisherComponents {
  source: ChainSource
  wallet: Wallet
  /** For this publisher alone; opened and closed by its owner. */
  store: ChainStore
  crypto: Crypto
  clock: Clock
  logger?: Logger
}

export class Publisher {
  readonly #source: ChainSource
  readonly #wallet: Wallet
  readonly #store: PublisherStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #init: Required<PublisherInit>
  readonly #watch: TransactionWatch
  readonly #queue: RecordQueue
  readonly #coins: WalletCoins
  #budget: FeeBudget
  #maxTransactionBytes = DEFAULT_MAX_TRANSACTION_BYTES
  #triedSuspectAt = -Infinity
  #refusals = 0
  #tip: Block | undefined
  /** Why the last round stopped short, for health. */
  #obstacle: string | undefined
  #running: { abort: AbortController; done: Promise<void> } | undefined
  #wake: (() => void) | undefined

  constructor(components: PublisherComponents, init: PublisherInit) {
    this.#source = components.source
    this.#wallet = components.wallet
    this.#store = new PublisherStore(components.store)
    this.#clock = components.clock
    this.#logger = components.logger ?? SILENT_LOGGER
    this.#init = {
      batchRecords: DEFAULT_BATCH_RECORDS,
      batchWaitMs: DEFAULT_BATCH_WAIT_MS,
      checkMs: DEFAULT_CHECK_MS,
      ttlSlots: DEFAULT_TTL_SLOTS,
      expiryDepth: DEFAULT_EXPIRY_DEPTH,
      finalConfirmations: FINAL_CONFIRMATIONS,
      hourlyBudget: DEFAULT_HOURLY_BUDGET,
      feeCap: DEFAULT_FEE_CAP,
      lowBalance: DEFAULT_LOW_BALANCE,
      ...init
    }
    this.#budget = new FeeBudget(this.#init.hourlyBudget)
    const { expiryDepth, finalConfirmations } = this.#init
    this.#watch = new TransactionWatch(
      { source: this.#source, store: this.#store, logger: this.#logger },
      { expiryDepth, finalConfirmations }
    )
    const { store, watch } = { store: this.#store, watch: this.#watch }
    const { source, crypto, clock, wallet } = components
    this.#queue = new RecordQueue({ store, watch, crypto, clock }, init.network)
    this.#coins = new WalletCoins({ source, watch, clock }, wallet.address, this.#init.lowBalance)
  }

  /** Reads what was left of the last run and goes on with it. The chain need not be reachable. */
  async start(): Promise<void> {
    if (this.#running) return
    await this.#store.redateSpendings(this.#clock())
    const state = await this.#store.load()
    this.#budget = new FeeBudget(this.#init.hourlyBudget, state.spendings)
    this.#queue.restore(state)
    this.#watch.restore(state.transactions)
    const abort = new AbortController()
    this.#running = { abort, done: this.#run(abort.signal) }
  }

  /** Ends after the step in hand; what is under way is on disk. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.abort.abort()
    this.#wake?.()
    await running?.done
    await this.#queue.settled()
  }

  /**
   * Takes a record to be published; on disk once this returns. A record that was taken before is not taken twice,
   * whatever its signatures, so callers check signatures first.
   *
   * @param bytes - as `encodeRecord` makes them.
   * @throws ProtocolError if the bytes are not a record; {@link ChainError} `BUSY` if too many wait, `STOPPED` unless
   * running.
   */
  async enqueue(bytes: Uint8Array): Promise<RecordId> {
    if (!this.#running) throw new ChainError('STOPPED', 'the publisher is not running')
    const { recordId, added } = await this.#queue.add(bytes)
    const { waitingCount } = this.#queue
    const isWorthWaking = added?.isUrgent || waitingCount === 1 || waitingCount >= this.#init.batchRecords
    if (added && isWorthWaking) this.#wake?.()
    return recordId
  }

  /** How far a record has come, or `undefined` for one that was never enqueued here. */
  async status(recordId: RecordId): Promise<RecordStatus | undefined> {
    const id = toHex(recordId)
    const live = this.#watch.transactionOf(id)
    if (live) {
      const { place } = live
      return place ? this.#recorded(live.id, place.height) : { state: 'submitted', transaction: live.id }
    }
    if (this.#queue.has(id)) return { state: 'queued' }
    const outcome = await this.#store.outcome(id)
    if (outcome?.kind === 'recorded') return this.#recorded(outcome.transaction, outcome.height)
    return outcome && { state: 'refused', reason: outcome.reason }
  }

  health(): PublisherHealth {
    const { balance, isLow: lowBalance } = this.#coins
    const reasons = this.#obstacle === undefined ? [] : [this.#obstacle]
    if (lowBalance) reasons.push(`the wallet ${this.#wallet.address} holds only ${balance} lovelace: send it ADA`)
    return {
      ok: reasons.length === 0,
      reasons,
      queuedRecords: this.#queue.waiting().length,
      liveTransactions: this.#watch.live.length,
      balance,
      lowBalance,
      spentLastHour: this.#budget.spent(this.#clock()),
      address: this.#wallet.address
    }
  }

  #recorded(transaction: LiveTransaction['id'], height: number): RecordStatus {
    const confirmations = Math.max(0, (this.#tip?.height ?? height) - height)
    return { state: 'recorded', transaction, height, confirmations }
  }

  get #policy(): BatchPolicy {
    const { batchRecords: records, batchWaitMs: waitMs } = this.#init
    return { records, waitMs, maxBytes: this.#maxTransactionBytes - TRANSACTION_OVERHEAD_BYTES }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#obstacle = undefined
        await this.#round(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#obstacle = error instanceof Error ? error.message : String(error)
        this.#logger.warn({ error }, 'publishing waits')
      }
      await this.#pause(signal)
    }
  }

  /** Sleeps until the next check or, with nothing in the way, until a batch is due. */
  async #pause(signal: AbortSignal): Promise<void> {
    let checkAt = Infinity
    for (;;) {
      // Never further away than one check: the clock may have been put back since.
      checkAt = Math.min(checkAt, this.#clock() + this.#init.checkMs)
      const due = this.#obstacle === undefined ? this.#dueTime() : Infinity
      const wait = Math.max(MIN_PAUSE_MS, Math.min(checkAt, due) - this.#clock())
      const { promise, resolve } = Promise.withResolvers<'time' | 'woken'>()
      const timer = setTimeout(resolve, wait, 'time')
      this.#wake = () => resolve('woken')
      if (signal.aborted) resolve('woken')
      const reason = await promise
      clearTimeout(timer)
      this.#wake = undefined
      if (signal.aborted || reason === 'time') return
    }
  }

  #dueTime(): number {
    const waiting = this.#queue.waiting()
    const now = this.#clock()
    return nextBatch(waiting, this.#policy, now) ? 0 : nextDueTime(waiting, this.#policy, now)
  }

  async #round(signal: AbortSignal): Promise<void> {
    const isIdle = this.#watch.live.length === 0 && this.#queue.size === 0
    if (isIdle && this.#coins.isKnown && !this.#coins.isLow) return
    const tip = await this.#source.tip({ signal })
    this.#tip = tip
    const { settled } = await this.#watch.check(tip, signal)
    for (const id of settled) this.#queue.delete(id)
    await this.#coins.read(signal)
    await this.#publish(tip, signal)
  }

  async #publish(tip: Block, signal: AbortSignal): Promise<void> {
    for (;;) {
      const batch = this.#dueBatch()
      if (!batch) return
      if (this.#watch.unseenCount >= MAX_UNSEEN_TRANSACTIONS) {
        this.#obstacle = `${MAX_UNSEEN_TRANSACTIONS} transactions wait for a block already`
        return
      }
      const parameters = await this.#source.parameters({ signal })
      this.#maxTransactionBytes = parameters.maxTransactionSize
      const transaction = await this.#seal(batch, parameters, tip)
      if (!transaction) continue
      const result = await this.#watch.submit(transaction, tip, signal)
      if (result === 'sent') {
        this.#refusals = 0
        continue
      }
      if (result === 'refused' && ++this.#refusals >= REFUSALS_BEFORE_BLAME) {
        this.#refusals = 0
        this.#blame(batch)
      }
      throw new ChainError('REJECTED', 'the chain did not take a transaction; it is tried again')
    }
  }

  #dueBatch(): Batch | undefined {
    const waiting = this.#queue.waiting()
    const batch = nextBatch(waiting, this.#policy, this.#clock())
    if (batch || isRecent(this.#triedSuspectAt, this.#init.checkMs, this.#clock())) return batch
    this.#triedSuspectAt = this.#clock()
    return nextSuspect(waiting)
  }

  /** Builds a transaction and writes it down. @returns `undefined` if a record in it was refused instead. */
  async #seal(batch: Batch, parameters: ProtocolParameters, tip: Block): Promise<LiveTransaction | undefined> {
    const { label, feeCap, ttlSlots } = this.#init
    const chained = this.#watch.live.at(-1)?.change
    const spendable = this.#coins.spendable()
    const request = {
      auxiliaryData: encodeMetadata(
        label,
        batch.records.map(({ bytes }) => bytes)
      ),
      coins: spendable.filter(coin => coin !== chained),
      chained: spendable.find(coin => coin === chained),
      parameters,
      timeToLive: tip.slot + ttlSlots,
      feeCap
    }
    let built
    try {
      built = this.#wallet.build(request)
    } catch (error) {
      const isOurs = error instanceof ChainError && (error.code === 'MALFORMED' || error.code === 'TOO_LARGE')
      if (!isOurs) throw error
      await this.#refuse(batch, error.message)
      return undefined
    }
    const now = this.#clock()
    if (!this.#budget.allows(built.fee, now, batch.isUrgent)) {
      throw new ChainError('FEE_TOO_HIGH', `the fee budget of ${this.#init.hourlyBudget} lovelace an hour is used up`)
    }
    const recordIds = batch.records.map(({ id }) => id)
    const transaction: LiveTransaction = { ...built, sequence: this.#queue.nextSequence(), recordIds, place: undefined }
    await this.#store.addTransaction(transaction, now)
    this.#budget.spend(built.fee, now)
    await this.#store.forgetSpendings(this.#budget.oldest(now))
    this.#watch.add(transaction)
    return transaction
  }

  /** Of a batch that cannot be built, finds the record to blame by trying each alone; a lone one is given up. */
  async #refuse(batch: Batch, reason: string): Promise<void> {
    this.#blame(batch)
    this.#triedSuspectAt = -Infinity
    const [first, second] = batch.records
    if (!first || second) return
    this.#logger.error({ record: first.id, reason }, 'a record cannot be published')
    await this.#store.refuse(first.id, reason)
    this.#queue.delete(first.id)
  }

  #blame(batch: Batch): void {
    for (const record of batch.records) record.failures++
  }
}

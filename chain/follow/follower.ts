/**
 * Follows a label on the chain. Transactions too deep to change go to the FINAL log. Everything above is read again whenever the
 * tip moves and replaces the earlier view, so a rollback needs no code that undoes anything.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import { FINAL_CONFIRMATIONS } from '../../protocol/limits.ts'
import {
  LABEL_PAGE_SIZE,
  type Block,
  type ChainSource,
  type TransactionId,
  type TransactionPlace
} from '../source/chain-source.ts'
import { ChainError, type ChainErrorCode } from '../errors.ts'
import { FollowerStore, type ChainView, type FinalPlace } from './follower-store.ts'
import type { CatchUpProgress, ChainChange, FinalTransaction, FollowedTransaction } from './chain-change.ts'
import type { ChainStore } from '../chain-store.ts'
import { checkBlockBefore } from './completeness.ts'
import { settledRows, wholeThrough, type FollowerHealth, type HeldTransaction, type ReadRow } from './held.ts'
import { checkStanding, lastPageStart, mapLimited, readLabel, standingPlaces, type LabelPage } from './label-reader.ts'
import { SILENT_LOGGER, type Logger } from '../logger.ts'
import { SecondSource } from './second-source.ts'

/** Settings of a follower; what is left out takes the default named beside it. */
export interface FollowerInit {
  /** Metadata label of the network's records. */
  label: number
  /** Cardano network magic; a source of another network is refused. */
  magic: number
  /** Pause between polls in milliseconds: {@link DEFAULT_POLL_MS}. */
  pollMs?: number
  /** Pages of the label, of 100 transactions each, that one round reads at most: {@link DEFAULT_MAX_PAGES}. */
  maxPages?: number
  /** Confirmations after which a transaction joins the FINAL log; default: the protocol's FINAL_CONFIRMATIONS. */
  finalConfirmations?: number
  /**
   * Called after each poll that changed anything, never twice at once, and awaited. A rejection is reported in health
   * and the next poll reports the same change again.
   */
  onChange?: (change: ChainChange) => void | Promise<void>
  /** Called while a catch-up from the start goes on, once a page. */
  onProgress?: (progress: CatchUpProgress) => void
}

/** Hosted sources count requests; a devnet is followed faster by its own setting. */
export const DEFAULT_POLL_MS = 20_000
/** A longer history is read in several rounds. As many pages above the final transactions are too many to follow. */
export const DEFAULT_MAX_PAGES = 1_000

/** Readings of one poll before it gives up on a chain that keeps changing. */
const MAX_READINGS = 4
/** Failures of a reading that another one may not have. */
const PASSING: ChainErrorCode[] = ['TORN_READ', 'INCOMPLETE', 'CONTRADICTION']

export interface FollowerComponents {
  source: ChainSource
  /** Another party's view of the same chain; transactions that it does not confirm are not reported. */
  secondSource?: ChainSource
  /** For this follower alone; opened and closed by its owner. */
  store: ChainStore
  clock?: Clock
  logger?: Logger
}

export class Follower {
  readonly #source: ChainSource
  readonly #second: SecondSource | undefined
  readonly #store: FollowerStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #init: FollowerInit & { pollMs: number; maxPages: number; finalConfirmations: number }
  #lastFinal: FinalPlace | undefined
  #view: ChainView | undefined
  #bytes = new Map<TransactionId, Uint8Array>()
  #isRightChain = false
  #caughtUp = false
  /** The last round ended before the history did. */
  #hasMore = false
  #reachable = false
  #failure: unknown
  #held: HeldTransaction[] = []
  #running: { abort: AbortController; done: Promise<void> } | undefined
  #polling: Promise<void> | undefined

  constructor({ source, secondSource, store, clock, logger }: FollowerComponents, init: FollowerInit) {
    this.#source = source
    this.#second = secondSource && new SecondSource(secondSource, init.label)
    this.#store = new FollowerStore(store)
    this.#clock = clock ?? Date.now
    this.#logger = logger ?? SILENT_LOGGER
    this.#init = {
      pollMs: DEFAULT_POLL_MS,
      maxPages: DEFAULT_MAX_PAGES,
      finalConfirmations: FINAL_CONFIRMATIONS,
      ...init
    }
  }

  /** Reads what is stored and begins to poll. The chain need not be reachable. */
  async start(): Promise<void> {
    if (this.#running) return
    this.#lastFinal = await this.#store.lastFinal()
    this.#view = await this.#store.view()
    for (const { id } of this.#view?.provisional ?? []) {
      const bytes = await this.#store.bytes(id)
      if (bytes) this.#bytes.set(id, bytes)
    }
    const abort = new AbortController()
    this.#running = { abort, done: this.#run(abort.signal) }
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.abort.abort()
    await running?.done
    await this.#polling?.catch(() => undefined)
  }

  /**
   * Reads the chain now instead of at the next turn; of a very long history only what one round reads, see {@link health}.
   * @throws {@link ChainError} why the chain cannot be read; {@link health} reports it too.
   */
  async poll(): Promise<void> {
    if (!this.#running) throw new ChainError('STOPPED', 'the follower is not running')
    // One that is under way may have read the tip before what the caller wants to see.
    await this.#polling?.catch(() => undefined)
    await this.#pollOnce(this.#running.abort.signal)
  }

  /** Everything above the FINAL log as last seen, in chain order, and the tip; `undefined` before the first reading. */
  snapshot(): { tip: Block; provisional: FollowedTransaction[] } | undefined {
    return this.#view && { tip: this.#view.tip, provisional: this.#followed(this.#view) }
  }

  /** The stored FINAL log in order, from a sequence on. */
  async *finals(from = 0): AsyncGenerator<FinalTransaction> {
    for await (const place of this.#store.finals(from)) yield await this.#withBytes(place)
  }

  /** The raw bytes of a transaction that is on the chain under the label, or `undefined`. */
  async bytesOf(id: TransactionId): Promise<Uint8Array | undefined> {
    return this.#bytes.get(id) ?? (await this.#store.bytes(id))
  }

  /**
   * The block that stood at a height when asked, for the seeds of placement epochs.
   * @throws {@link ChainError} `UNREACHABLE` and its like.
   */
  async blockAt(height: number): Promise<Block | undefined> {
    return this.#source.block(height)
  }

  health(): FollowerHealth {
    const tip = this.#view?.tip
    const failure = this.#failure
    return {
      reachable: this.#reachable,
      caughtUp: this.#caughtUp,
      tip,
      tipAgeMs: tip && Math.max(0, this.#clock() - tip.time),
      reason: failure === undefined ? undefined : failure instanceof Error ? failure.message : String(failure),
      code: failure instanceof ChainError ? failure.code : undefined,
      held: this.#held,
      numbering: this.#second?.numbering
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await (this.#polling ?? this.#pollOnce(signal))
      } catch {
        // Health reports it; the next turn tries again.
      }
      await pause(this.#hasMore ? 0 : this.#init.pollMs, signal)
    }
  }

  async #pollOnce(signal: AbortSignal): Promise<void> {
    this.#polling ??= this.#guarded(signal).finally(() => (this.#polling = undefined))
    return this.#polling
  }

  async #guarded(signal: AbortSignal): Promise<void> {
    this.#hasMore = false
    try {
      this.#hasMore = !(await this.#read(signal))
      this.#reachable = true
      this.#failure = undefined
    } catch (error) {
      if (signal.aborted) return
      const isUnreachable = error instanceof ChainError && (error.code === 'UNREACHABLE' || error.code === 'BUSY')
      this.#reachable = !isUnreachable
      this.#failure = error
      this.#logger.warn({ error }, 'the chain could not be followed')
      throw error
    }
  }

  /** @returns whether the end of the history was reached. */
  async #read(signal: AbortSignal): Promise<boolean> {
    if (!this.#isRightChain) await this.#checkChain(signal)
    for (let reading = 1; ; reading++) {
      try {
        return await this.#readOnce(signal)
      } catch (error) {
        const isPassing = error instanceof ChainError && PASSING.includes(error.code)
        if (!isPassing || reading >= MAX_READINGS) throw error
      } finally {
        this.#releaseBytes()
      }
    }
  }

  async #checkChain(signal: AbortSignal): Promise<void> {
    const identity = await this.#source.identity({ signal })
    const { magic } = this.#init
    if (identity.magic !== magic) {
      throw new ChainError('WRONG_CHAIN', `${this.#source.name} serves network ${identity.magic}, not ${magic}`)
    }
    const stored = await this.#store.identity()
    if (!stored) await this.#store.setIdentity(identity)
    else if (stored.systemStart !== identity.systemStart) {
      throw new ChainError('WRONG_CHAIN', 'what is stored was read from another chain')
    }
    await this.#second?.checkChain(identity, signal)
    this.#isRightChain = true
  }

  /** @returns whether the end of the history was reached. */
  async #readOnce(signal: AbortSignal): Promise<boolean> {
    const tip = await this.#source.tip({ signal })
    if (this.#caughtUp && this.#held.length === 0 && this.#view?.tip.hash === tip.hash) return true
    try {
      return await this.#readUpTo(tip, signal)
    } catch (error) {
      // Only what was told of one chain is a contradiction.
      const isChecked = error instanceof ChainError && error.code !== 'TORN_READ' && PASSING.includes(error.code)
      if (isChecked) await checkStanding(this.#source, tip, signal)
      throw error
    }
  }

  async #readUpTo(tip: Block, signal: AbortSignal): Promise<boolean> {
    const before = this.#view
    const countBefore = this.#finalCount
    await checkBlockBefore(this.#source, this.#lastFinal, tip, signal)
    const standing = before ? await standingPlaces(this.#source, before.provisional, before.tip, signal) : []
    const known = new Map(standing.map(place => [place.id, place]))
    const end = { count: countBefore, lastPage: await this.#store.finalsFrom(lastPageStart(countBefore)) }
    const hidden: HeldTransaction[] = []
    let below = Infinity
    let rows: ReadRow[] = []
    let isEnd = false
    const { label, maxPages } = this.#init
    for await (const page of readLabel(this.#source, label, end, { tip, known, maxPages, signal })) {
      const review = await this.#second?.review(page, tip, id => this.#isListed(id, rows), signal)
      rows.push(...(await this.#judge(page, review?.unconfirmed ?? [], signal)))
      for (const { place, ...held } of review?.hidden ?? []) {
        hidden.push(held)
        below = Math.min(below, place.height)
      }
      isEnd = page.isLast
      // A long history is settled page by page, so that a restart goes on where it was.
      if (!isEnd) rows = await this.#settle(tip, rows, below)
    }
    if (!isEnd) {
      this.#leaveOff(countBefore)
      return false
    }
    await checkStanding(this.#source, tip, signal)
    const finals = settledRows(rows, place => this.#isFinal(place, tip), below)
    // What came in a block after the tip belongs to the next reading.
    const rest = rows.slice(finals.length).filter(({ place }) => !place || place.height <= tip.height)
    const provisional = rest.flatMap(({ place, held }) => (held ? [] : [place]))
    const through = tip.height - this.#init.finalConfirmations
    const settledHeight = (finals.at(-1) ?? this.#lastFinal)?.height ?? 0
    const finalThrough = wholeThrough(rest, through, below, settledHeight)
    await this.#advance(finals, { tip, provisional }, { finalThrough })
    this.#held = [...rest.flatMap(({ held }) => held ?? []), ...hidden]
    this.#caughtUp = true
    return true
  }

  /** The rows of a page, each held if the second source does not confirm it or the first does not serve it. */
  async #judge({ rows }: LabelPage, unconfirmed: HeldTransaction[], signal: AbortSignal): Promise<ReadRow[]> {
    const doubts = new Map(unconfirmed.map(held => [held.id, held]))
    return mapLimited(rows, async ({ id, place }): Promise<ReadRow> => {
      const hold = (why: string): ReadRow => ({ place, held: { id, why, isDisputed: false } })
      if (!place) return hold(`${this.#source.name} lists it and does not have it`)
      const disputed = doubts.get(id)
      if (disputed) return { place, held: disputed }
      try {
        if (await this.#fetchBytes(id, signal)) return { place }
        return hold(`${this.#source.name} does not have its bytes`)
      } catch (error) {
        if (!(error instanceof ChainError && error.code === 'BAD_ANSWER')) throw error
        return hold(error.message)
      }
    })
  }

  /** Whether the first source listed a transaction: its bytes are stored, or it is a row that is held. */
  async #isListed(id: TransactionId, rows: ReadRow[]): Promise<boolean> {
    return rows.some(({ place, held }) => (held ?? place).id === id) || (await this.#store.bytes(id)) !== undefined
  }

  /**
   * Ends a round in the middle of the history. What is above the log is not reported before the end of the history is
   * known; the next round continues from the log.
   * @throws {@link ChainError} `BAD_ANSWER` if the log has not grown: the next round would read the same again.
   */
  #leaveOff(countBefore: number): void {
    this.#caughtUp = false
    if (this.#finalCount > countBefore) return
    const most = this.#init.maxPages * LABEL_PAGE_SIZE
    throw new ChainError(
      'BAD_ANSWER',
      `some ${most} transactions or more stand above the final ones, too many to follow`
    )
  }

  #isFinal(place: TransactionPlace, tip: Block): boolean {
    return tip.height - place.height >= this.#init.finalConfirmations
  }

  /** Moves what is final to the log in the middle of a reading. @returns the rest. */
  async #settle(tip: Block, rows: ReadRow[], below: number): Promise<ReadRow[]> {
    const finals = settledRows(rows, place => this.#isFinal(place, tip), below)
    const ids = new Set(finals.map(({ id }) => id))
    // The reading is not finished: until then, the known transactions above the log stay as they are.
    const provisional = (this.#view?.provisional ?? []).filter(({ id }) => !ids.has(id))
    if (finals.length > 0) await this.#advance(finals, { tip: this.#view?.tip ?? tip, provisional })
    const { height } = finals.at(-1) ?? tip
    this.#init.onProgress?.({ transactions: this.#finalCount, height, tipHeight: tip.height })
    return rows.slice(finals.length)
  }

  /** Reports what is new, then stores it: after a crash in between it is reported again. */
  async #advance(
    places: TransactionPlace[],
    view: ChainView,
    whole: Pick<ChainChange, 'finalThrough'> = {}
  ): Promise<void> {
    const before = this.#view
    const finals = places.map((place, index) => ({ ...place, sequence: this.#finalCount + index }))
    const standing = new Map([...places, ...view.provisional].map(place => [place.id, place.blockHash]))
    const rolledBack = (before?.provisional ?? []).filter(({ id, blockHash }) => standing.get(id) !== blockHash)
    const final = await Promise.all(finals.map(place => this.#withBytes(place, view.tip)))
    await this.#init.onChange?.({ tip: view.tip, final, provisional: this.#followed(view), rolledBack, ...whole })
    const forgotten = rolledBack.map(({ id }) => id).filter(id => !standing.has(id))
    await this.#store.advance(finals, view, forgotten)
    this.#lastFinal = finals.at(-1) ?? this.#lastFinal
    this.#view = view
    this.#second?.keepOnly(view.provisional)
    for (const id of [...forgotten, ...finals.map(place => place.id)]) this.#bytes.delete(id)
    if (rolledBack.length > 0) this.#logger.warn({ transactions: rolledBack.length }, 'the chain rolled back')
  }

  #followed({ tip, provisional }: ChainView): FollowedTransaction[] {
    return provisional.flatMap(place => {
      const bytes = this.#bytes.get(place.id)
      return bytes ? [{ ...place, bytes, confirmations: tip.height - place.height }] : []
    })
  }

  async #withBytes(place: FinalPlace, tip = this.#view?.tip): Promise<FinalTransaction> {
    const bytes = await this.bytesOf(place.id)
    if (!bytes) throw new ChainError('BAD_ANSWER', `the bytes of transaction ${place.id} are missing from the store`)
    return { ...place, bytes, confirmations: Math.max(0, (tip?.height ?? place.height) - place.height) }
  }

  /** Frees bytes that the view does not need: the store has them, and a source must not fill the memory with them. */
  #releaseBytes(): void {
    const held = new Set(this.#view?.provisional.map(({ id }) => id))
    for (const id of this.#bytes.keys()) if (!held.has(id)) this.#bytes.delete(id)
  }

  get #finalCount(): number {
    return this.#lastFinal ? this.#lastFinal.sequence + 1 : 0
  }

  /** @returns whether the source has the transaction. */
  async #fetchBytes(id: TransactionId, signal: AbortSignal): Promise<boolean> {
    if (this.#bytes.has(id)) return true
    const bytes = (await this.#store.bytes(id)) ?? (await this.#source.transactionBytes(id, { signal }))
    if (!bytes) return false
    await this.#store.putBytes(id, bytes)
    this.#bytes.set(id, bytes)
    return true
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

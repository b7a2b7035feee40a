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
import { ChainError } from '../errors.ts'
import { FollowerStore, type ChainView, type FinalPlace } from './follower-store.ts'
import type { ChainChange, FinalTransaction, FollowedTransaction } from './chain-change.ts'
import type { ChainStore } from '../chain-store.ts'
import { checkStanding, mapLimited, readLabel, standingPlaces } from './label-reader.ts'
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

/** How far a catch-up from the start has come. */
export interface CatchUpProgress {
  transactions: number
  height: number
  tipHeight: number
}

/** State of the follower, for `/readyz`. */
export interface FollowerHealth {
  /** The last poll had answers. */
  reachable: boolean
  /** Everything up to the tip has been read at least once since start, and the last reading came to its end. */
  caughtUp: boolean
  tip: Block | undefined
  /** Milliseconds since the tip's block was made; `undefined` before the first answer. */
  tipAgeMs: number | undefined
  /** One sentence, when something is wrong. */
  reason: string | undefined
  /** Transactions that the second source does not confirm; always 0 without one. */
  disputed: number
}

/** Readings of one poll before it gives up on a chain that keeps changing. */
const MAX_READINGS = 4

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
  #reason: string | undefined
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
    const disputed = this.#second?.disputed ?? 0
    return {
      reachable: this.#reachable,
      caughtUp: this.#caughtUp,
      tip,
      tipAgeMs: tip && Math.max(0, this.#clock() - tip.time),
      reason: this.#reason ?? (disputed > 0 ? `${disputed} transactions are told by one source only` : undefined),
      disputed
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
      this.#reason = undefined
    } catch (error) {
      if (signal.aborted) return
      const isUnreachable = error instanceof ChainError && (error.code === 'UNREACHABLE' || error.code === 'BUSY')
      this.#reachable = !isUnreachable
      this.#reason = error instanceof Error ? error.message : String(error)
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
        const isTorn = error instanceof ChainError && error.code === 'TORN_READ'
        if (!isTorn || reading >= MAX_READINGS) throw error
      } finally {
        this.#releaseBytes()
      }
    }
  }

  async #checkChain(signal: AbortSignal): Promise<void> {
    const identity = await this.#source.identity({ signal })
    const { magic } = this.#init
    if (identity.magic !== magic) {
      throw new ChainError('WRONG_CHAIN', `${this.#source.name} tells of network ${identity.magic}, not of ${magic}`)
    }
    const stored = await this.#store.identity()
    if (!stored) await this.#store.setIdentity(identity)
    else if (stored.systemStart !== identity.systemStart) {
      throw new ChainError('WRONG_CHAIN', 'what is stored was read from another chain: move the chain folder away')
    }
    await this.#second?.checkChain(identity, signal)
    this.#isRightChain = true
  }

  /** @returns whether the end of the history was reached. */
  async #readOnce(signal: AbortSignal): Promise<boolean> {
    const tip = await this.#source.tip({ signal })
    const before = this.#view
    const isSettled = this.#caughtUp && !this.#second?.disputed
    if (isSettled && before?.tip.hash === tip.hash) return true
    const standing = before ? await standingPlaces(this.#source, before.provisional, before.tip, signal) : []
    const known = new Map(standing.map(place => [place.id, place]))
    const end = { count: this.#finalCount, last: this.#lastFinal }
    let places: TransactionPlace[] = []
    let isWhole = true
    let isEnd = false
    const { label, maxPages } = this.#init
    for await (const page of readLabel(this.#source, label, end, { known, maxPages, signal })) {
      await mapLimited(page.places, place => this.#fetchBytes(place.id, signal))
      const agreed = this.#second ? await this.#second.agreedPlaces(page, signal) : page.places
      places.push(...agreed)
      isWhole = agreed.length === page.places.length
      if (!isWhole) break
      isEnd = page.isLast
      // A long history is settled page by page, so that a restart goes on where it was.
      if (!isEnd) places = await this.#settle(tip, places)
    }
    if (isWhole && !isEnd) {
      this.#leaveOff(end.count)
      return false
    }
    await checkStanding(this.#source, tip, signal)
    const finals = places.filter(place => this.#isFinal(place, tip))
    // What came in a block after the tip belongs to the next reading.
    const provisional = places.slice(finals.length).filter(({ height }) => height <= tip.height)
    const finalThrough = tip.height - this.#init.finalConfirmations
    await this.#advance(finals, { tip, provisional }, isWhole ? { finalThrough } : {})
    this.#caughtUp = true
    return true
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
  async #settle(tip: Block, places: TransactionPlace[]): Promise<TransactionPlace[]> {
    const finals = places.filter(place => this.#isFinal(place, tip))
    const ids = new Set(finals.map(({ id }) => id))
    // The reading is not finished: until then, the known transactions above the log stay as they are.
    const provisional = (this.#view?.provisional ?? []).filter(({ id }) => !ids.has(id))
    if (finals.length > 0) await this.#advance(finals, { tip: this.#view?.tip ?? tip, provisional })
    const { height } = places.at(-1) ?? tip
    this.#init.onProgress?.({ transactions: this.#finalCount, height, tipHeight: tip.height })
    return places.slice(finals.length)
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

  async #fetchBytes(id: TransactionId, signal: AbortSignal): Promise<void> {
    if (this.#bytes.has(id)) return
    const bytes = (await this.#store.bytes(id)) ?? (await this.#source.transactionBytes(id, { signal }))
    if (!bytes) throw new ChainError('TORN_READ', 'a transaction left the chain while it was read')
    await this.#store.putBytes(id, bytes)
    this.#bytes.set(id, bytes)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

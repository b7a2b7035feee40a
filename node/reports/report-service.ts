import { SYNCED, sortableNumber, type ChainStore } from '../../chain/chain-store.ts'
import { toHex } from '../../protocol/bytes.ts'
import { decode } from '../../protocol/codec.ts'
import type { Clock, Random } from '../../protocol/crypto/crypto.ts'
import { MAX_REPORT_BYTES, MAX_REPORT_MESSAGES, reportCodec, type Report } from '../../protocol/reports/report.ts'
import { NodeError } from '../errors.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import { KeyedLock } from '../storage/keyed-lock.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Reports that one account may hand in within a day. */
export const REPORTS_PER_DAY = 10
/** Reports that are kept for the operator; beyond it no more are taken, so that nobody can push others out. */
export const MAX_REPORTS = 2_000
/** Bytes of all of them together, as they are stored. */
export const MAX_ALL_REPORTS_BYTES = 16 * 1024 * 1024
/** Reports are forgotten after this. */
export const REPORT_LIFE_MS = 90 * DAY_MS

/** A report as the operator sees it; ids are lower-case hex. */
export interface StoredReport {
  id: string
  /** When it came, milliseconds since 1970. */
  at: number
  /** Account that handed it in. */
  by: string
  about: string
  text: string
  messages: { from: string; sentAt: number; text: string }[]
}

/** After every key, in byte order. */
const END = '~'
const ONE = 'all'

/** Keeps what people report for the operator. Keys: `report/TIME/ID`. */
export class ReportService {
  readonly #clock: Clock
  readonly #random: Random
  readonly #store: ChainStore
  readonly #perAccount: RateLimiter
  readonly #lock = new KeyedLock()
  /** Counted once, then kept along. */
  #kept: { count: number; bytes: number } | undefined

  constructor({ clock, random, store }: { clock: Clock; random: Random; store: ChainStore }) {
    this.#clock = clock
    this.#random = random
    this.#store = store
    this.#perAccount = new RateLimiter({ clock }, { limit: REPORTS_PER_DAY, windowMs: DAY_MS })
  }

  /**
   * Keeps a report; on disk once this resolves.
   * @param account - that hands it in, lower-case hex. @param body - an encoded `Report`.
   * @throws NodeError `rate-limited`, `busy`; ProtocolError `MALFORMED`, `TOO_LARGE`.
   */
  async take(account: string, body: Uint8Array): Promise<void> {
    const limits = { maxBytes: MAX_REPORT_BYTES, maxDepth: 4, maxItems: 8 + 4 * MAX_REPORT_MESSAGES }
    const report = decode(reportCodec, body, limits)
    if (!this.#perAccount.spend(account)) {
      throw new NodeError('rate-limited', `An account makes at most ${REPORTS_PER_DAY} reports a day.`)
    }
    await this.#lock.run(ONE, async () => {
      const kept = (this.#kept ??= await this.#count())
      const { count, bytes } = kept
      if (count >= MAX_REPORTS || bytes + body.length > MAX_ALL_REPORTS_BYTES)
        throw new NodeError('busy', 'The operator has too many reports to read.')
      const stored = storedReport(report, { id: toHex(this.#random(8)), at: this.#clock(), by: account })
      const value = JSON.stringify(stored)
      await this.#store.put(`report/${sortableNumber(stored.at)}/${stored.id}`, value, SYNCED)
      kept.count++
      kept.bytes += value.length
    })
  }

  /** Oldest first. */
  async list(): Promise<StoredReport[]> {
    const found: StoredReport[] = []
    for await (const [, value] of this.#store.iterator({ gte: 'report/', lt: `report/${END}` })) {
      found.push(JSON.parse(value) as StoredReport)
    }
    return found
  }

  /** Forgets what is too old. */
  sweep(): Promise<void> {
    return this.#lock.run(ONE, () => this.#forgetOld())
  }

  async #forgetOld(): Promise<void> {
    const until = sortableNumber(Math.max(0, this.#clock() - REPORT_LIFE_MS))
    const gone: { type: 'del'; key: string }[] = []
    for await (const [key] of this.#store.iterator({ gte: 'report/', lt: `report/${until}` })) {
      gone.push({ type: 'del', key })
    }
    if (gone.length === 0) return
    await this.#store.batch(gone, SYNCED)
    this.#kept = undefined
  }

  async #count(): Promise<{ count: number; bytes: number }> {
    const use = { count: 0, bytes: 0 }
    for await (const [, value] of this.#store.iterator({ gte: 'report/', lt: `report/${END}` })) {
      use.count++
      use.bytes += value.length
    }
    return use
  }
}

function storedReport({ about, text, messages }: Report, taken: Pick<StoredReport, 'id' | 'at' | 'by'>): StoredReport {
  const said = messages.map(({ from, sentAt, text: words }) => ({ from: toHex(from), sentAt, text: words }))
  return { ...taken, about: toHex(about), text, messages: said }
}

/**
 * Watches the publisher's own transactions: sends again what the chain does not show, notices rollbacks, and lets go of
 * what is final or can never be on the chain any more.
 */
import type { Block, ChainSource } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { LiveTransaction, PublisherStore } from './publisher-store.ts'

/** An unseen transaction is sent again after this many blocks: it may have fallen out of a mempool. */
const RESEND_BLOCKS = 3
/** A recorded transaction is looked at again after this share of its confirmations. */
const RECHECK_DIVISOR = 4

interface Watched {
  readonly transaction: LiveTransaction
  /** Whether any source may have taken it. Always so after a restart: the answer may have been lost. */
  mayBeKnown: boolean
  /** Height at which it was last sent. */
  sentAt: number | undefined
  /** Height at which it is looked for again, once seen. */
  checkAt: number
  /** Height at which its time to live was first found to have passed. */
  expiredAt: number | undefined
}

export interface TransactionWatchComponents {
  source: ChainSource
  store: PublisherStore
  logger: Logger
}

export interface TransactionWatchInit {
  expiryDepth: number
  finalConfirmations: number
}

export class TransactionWatch {
  readonly #source: ChainSource
  readonly #store: PublisherStore
  readonly #logger: Logger
  readonly #init: TransactionWatchInit
  /** In the order in which they were built; each spends the change of the one before. */
  #watched: Watched[] = []
  readonly #byRecord = new Map<string, LiveTransaction>()
  #lastTip: Block | undefined

  constructor({ source, store, logger }: TransactionWatchComponents, init: TransactionWatchInit) {
    this.#source = source
    this.#store = store
    this.#logger = logger
    this.#init = init
  }

  /** Those that may be, or become, part of the chain, oldest first. */
  get live(): LiveTransaction[] {
    return this.#watched.map(({ transaction }) => transaction)
  }

  get unseenCount(): number {
    return this.#watched.filter(({ transaction }) => !transaction.place).length
  }

  /** Records that live transactions carry. */
  get recordCount(): number {
    return this.#byRecord.size
  }

  /** The live transaction that carries a record. @param recordId - hex. */
  transactionOf(recordId: string): LiveTransaction | undefined {
    return this.#byRecord.get(recordId)
  }

  /** Takes over what an earlier run left. */
  restore(transactions: LiveTransaction[]): void {
    for (const transaction of transactions) this.#keep(transaction, true)
  }

  add(transaction: LiveTransaction): void {
    this.#keep(transaction, false)
  }

  /**
   * Sends a transaction.
   * @returns `sent`; `refused` if certainly no source took it; then it is no longer watched; else `unknown`.
   */
  async submit(transaction: LiveTransaction, tip: Block, signal: AbortSignal): Promise<'sent' | 'refused' | 'unknown'> {
    const watched = this.#watched.find(item => item.transaction === transaction)
    if (!watched) return 'refused'
    try {
      await this.#source.submit(transaction.bytes, { signal })
      watched.mayBeKnown = true
      watched.sentAt = tip.height
      return 'sent'
    } catch (error) {
      if (!(error instanceof ChainError)) throw error
      const { id } = transaction
      if (error.code === 'REJECTED') {
        // Also the answer for what is in the mempool or on the chain already: its coin is spent, by itself.
        watched.sentAt = tip.height
        if (watched.mayBeKnown) return 'unknown'
        this.#logger.warn({ transaction: id, reason: error.message }, 'the ledger refused a transaction')
        await this.#drop([watched])
        return 'refused'
      }
      if (error.code !== 'BUSY') watched.mayBeKnown = true
      this.#logger.warn({ transaction: id, reason: error.message }, 'a transaction could not be sent')
      return 'unknown'
    }
  }

  /** Brings everything up to a tip. @returns ids of the records that are final now. */
  async check(tip: Block, signal: AbortSignal): Promise<{ settled: string[] }> {
    const isRollback = await this.#hasRolledBack(tip, signal)
    const settled: string[] = []
    for (const watched of [...this.#watched]) {
      // A transaction dropped together with an earlier one is no longer there.
      if (!this.#watched.includes(watched)) continue
      const { transaction } = watched
      if (!transaction.place || isRollback || tip.height >= watched.checkAt) await this.#locate(watched, tip, signal)
      const confirmations = transaction.place ? tip.height - transaction.place.height : 0
      if (transaction.place && confirmations >= this.#init.finalConfirmations) {
        await this.#store.finish(transaction, transaction.place.height)
        this.#forget([watched])
        settled.push(...transaction.recordIds)
      } else if (!transaction.place) {
        await this.#resendOrExpire(watched, tip, signal)
      }
    }
    this.#lastTip = tip
    return { settled }
  }

  async #hasRolledBack(tip: Block, signal: AbortSignal): Promise<boolean> {
    const last = this.#lastTip
    const isSeen = this.#watched.some(({ transaction }) => transaction.place)
    if (!last || !isSeen || last.hash === tip.hash) return false
    return (await this.#source.block(last.height, { signal }))?.hash !== last.hash
  }

  async #locate(watched: Watched, tip: Block, signal: AbortSignal): Promise<void> {
    const { transaction } = watched
    const found = await this.#source.transaction(transaction.id, { signal })
    const before = transaction.place
    if (found) {
      const { height, blockHash } = found
      watched.expiredAt = undefined
      watched.checkAt = tip.height + Math.max(1, Math.floor((tip.height - height) / RECHECK_DIVISOR))
      if (before?.blockHash === blockHash) return
      transaction.place = { height, blockHash }
    } else if (before) {
      transaction.place = undefined
      // Send it again at once: with the block, it may have left every mempool too.
      watched.sentAt = undefined
      this.#logger.warn({ transaction: transaction.id, height: before.height }, 'a transaction was rolled back')
    } else return
    await this.#store.updateTransaction(transaction)
  }

  async #resendOrExpire(watched: Watched, tip: Block, signal: AbortSignal): Promise<void> {
    const { transaction, sentAt } = watched
    if (tip.slot < transaction.timeToLive) {
      watched.expiredAt = undefined
      const isDue = sentAt === undefined || tip.height >= sentAt + RESEND_BLOCKS || tip.height < sentAt
      if (isDue) await this.submit(transaction, tip, signal)
      return
    }
    if (watched.expiredAt === undefined || tip.height < watched.expiredAt) watched.expiredAt = tip.height
    if (tip.height - watched.expiredAt < this.#init.expiryDepth) return
    this.#logger.warn({ transaction: transaction.id }, 'a transaction expired unseen; its records wait again')
    await this.#drop([watched, ...this.#descendants(watched)])
  }

  /** All later ones that spend its change, directly or not: they can no more be on the chain than it can. */
  #descendants(watched: Watched): Watched[] {
    const lost = new Set<string>([watched.transaction.id])
    return this.#watched.filter(({ transaction }) => {
      const isLost = transaction.inputs.some(input => lost.has(input.transaction))
      if (isLost) lost.add(transaction.id)
      return isLost
    })
  }

  async #drop(watched: Watched[]): Promise<void> {
    await this.#store.removeTransactions(watched.map(({ transaction }) => transaction))
    this.#forget(watched)
  }

  #keep(transaction: LiveTransaction, mayBeKnown: boolean): void {
    this.#watched.push({ transaction, mayBeKnown, sentAt: undefined, checkAt: 0, expiredAt: undefined })
    for (const id of transaction.recordIds) this.#byRecord.set(id, transaction)
  }

  #forget(watched: Watched[]): void {
    this.#watched = this.#watched.filter(item => !watched.includes(item))
    for (const { transaction } of watched) for (const id of transaction.recordIds) this.#byRecord.delete(id)
  }
}

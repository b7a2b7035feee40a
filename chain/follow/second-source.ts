/**
 * Another party's view of the same history. One source alone can withhold or invent transactions. A transaction that two
 * sources place in the same block is false only if both lie.
 */
import {
  LABEL_PAGE_SIZE,
  type Block,
  type ChainIdentity,
  type ChainSource,
  type TransactionId,
  type TransactionPlace
} from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { comparePlaces } from './completeness.ts'
import type { HeldTransaction } from './held.ts'
import { mapLimited, type LabelPage } from './label-reader.ts'

/** What the second source says of one page. */
export interface Review {
  /** Transactions of the page that the second source does not have, or has in another block. */
  unconfirmed: HeldTransaction[]
  /** Transactions that only the second source lists, with their places. */
  hidden: (HeldTransaction & { place: TransactionPlace })[]
}

export class SecondSource {
  readonly #source: ChainSource
  readonly #label: number
  /** Block of each transaction that both sources placed alike. */
  #agreed = new Map<TransactionId, string>()
  #numbering: string | undefined

  constructor(source: ChainSource, label: number) {
    this.#source = source
    this.#label = label
  }

  get name(): string {
    return this.#source.name
  }

  /** One sentence, if it places a transaction in the same block under another number. The first source's number is used. */
  get numbering(): string | undefined {
    return this.#numbering
  }

  /** @throws {@link ChainError} `WRONG_CHAIN` if its chain is another one. */
  async checkChain(identity: ChainIdentity, signal: AbortSignal): Promise<void> {
    const own = await this.#source.identity({ signal })
    if (own.magic !== identity.magic || own.systemStart !== identity.systemStart) {
      throw new ChainError('WRONG_CHAIN', `${this.name} serves another chain than the first source`)
    }
  }

  /**
   * Compares a page. The lists may be shifted against each other, so each transaction is looked up by its id.
   * @param isListed - whether the first source listed a transaction before this page.
   */
  async review(
    { page, ids, rows, isLast }: LabelPage,
    tip: Block,
    isListed: (id: TransactionId) => Promise<boolean>,
    signal: AbortSignal
  ): Promise<Review> {
    const placed = rows.flatMap(({ place }) => (place ? [place] : []))
    const doubts = await mapLimited(placed, place => this.#doubt(place, signal))
    const unconfirmed = placed.flatMap(({ id }, index) => {
      const why = doubts[index]
      return why === undefined ? [] : [{ id, why, isDisputed: true }]
    })
    const listed = new Set(ids)
    const hidden: Review['hidden'] = []
    for (const id of await this.#list(page, isLast, signal)) {
      if (listed.has(id) || (await isListed(id))) continue
      const place = await this.#source.transaction(id, { signal })
      const last = placed.at(-1)
      const isDue = place && (isLast ? place.height <= tip.height : last && comparePlaces(place, last) < 0)
      if (isDue) hidden.push({ id, place, why: `only ${this.name} lists it`, isDisputed: true })
    }
    return { unconfirmed, hidden }
  }

  /** Forgets the transactions that need not be asked about again. */
  keepOnly(places: TransactionPlace[]): void {
    this.#agreed = new Map(places.map(({ id, blockHash }) => [id, blockHash]))
  }

  /** Its own list of a page, and at the end of the history of the page after it, where a longer list goes on. */
  async #list(page: number, isLast: boolean, signal: AbortSignal): Promise<TransactionId[]> {
    const ids = await this.#source.labelPage(this.#label, { page, signal })
    if (!isLast || ids.length < LABEL_PAGE_SIZE) return ids
    return [...ids, ...(await this.#source.labelPage(this.#label, { page: page + 1, signal }))]
  }

  /** @returns why a transaction is not confirmed, or `undefined`. */
  async #doubt(place: TransactionPlace, signal: AbortSignal): Promise<string | undefined> {
    if (this.#agreed.get(place.id) === place.blockHash) return undefined
    const other = await this.#source.transaction(place.id, { signal })
    if (!other) return `${this.name} does not have it`
    if (other.blockHash !== place.blockHash) return `${this.name} has it in another block`
    if (other.height !== place.height || other.index !== place.index || other.time !== place.time) {
      this.#numbering = `${this.name} has transaction ${place.id} as number ${other.index} of its block, not as number ${place.index}`
    }
    return undefined
  }
}

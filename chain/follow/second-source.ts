/**
 * Another party's view of the same history. One source alone can withhold or invent transactions. A transaction that two
 * sources report alike is false only if both lie.
 */
import type { ChainIdentity, ChainSource, TransactionId, TransactionPlace } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { mapLimited, type LabelPage } from './label-reader.ts'

export class SecondSource {
  readonly #source: ChainSource
  readonly #label: number
  /** Block of each transaction that both sources placed alike. */
  #agreed = new Map<TransactionId, string>()
  #disputed = 0

  constructor(source: ChainSource, label: number) {
    this.#source = source
    this.#label = label
  }

  get name(): string {
    return this.#source.name
  }

  /** Rows of the last page read that only one of the two lists, or that they place differently. */
  get disputed(): number {
    return this.#disputed
  }

  /** @throws {@link ChainError} `WRONG_CHAIN` if its chain is another one. */
  async checkChain(identity: ChainIdentity, signal: AbortSignal): Promise<void> {
    const own = await this.#source.identity({ signal })
    if (own.magic !== identity.magic || own.systemStart !== identity.systemStart) {
      throw new ChainError('WRONG_CHAIN', `${this.name} tells of another chain than the first source`)
    }
  }

  /**
   * The transactions of a page that both sources report alike, up to the first difference. Order matters, so what follows a
   * difference has to wait. Where one source is only late, both agree again at the next reading.
   */
  async agreedPlaces({ page, ids, places }: LabelPage, signal: AbortSignal): Promise<TransactionPlace[]> {
    const listed = await this.#source.labelPage(this.#label, { page, signal })
    const difference = ids.findIndex((id, index) => listed[index] !== id)
    const alike = difference < 0 ? ids.length : difference
    const settled = ids.length - places.length
    const candidates = places.slice(0, Math.max(0, alike - settled))
    const verdicts = await mapLimited(candidates, place => this.#agrees(place, signal))
    const firstFalse = verdicts.indexOf(false)
    const agreed = firstFalse < 0 ? candidates : candidates.slice(0, firstFalse)
    this.#disputed = Math.max(ids.length, listed.length) - Math.min(alike, settled + agreed.length)
    return agreed
  }

  /** Forgets the transactions that need not be asked about again. */
  keepOnly(places: TransactionPlace[]): void {
    this.#agreed = new Map(places.map(({ id, blockHash }) => [id, blockHash]))
  }

  async #agrees(place: TransactionPlace, signal: AbortSignal): Promise<boolean> {
    if (this.#agreed.get(place.id) === place.blockHash) return true
    const other = await this.#source.transaction(place.id, { signal })
    return (
      other?.blockHash === place.blockHash &&
      other.height === place.height &&
      other.index === place.index &&
      other.time === place.time
    )
  }
}

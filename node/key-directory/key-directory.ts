/**
 * The key directory as this node sees it, in three layers: the FINAL log; above it the blocks that may still be rolled
 * back; above these the records that wait to be in a block. The upper layers are thrown away and made again whenever the chain
 * moves, so that every rollback undoes itself.
 */
import { randomInt } from 'node:crypto'
import type { ChainChange, FinalTransaction, FollowedTransaction } from '../../chain/follow/chain-change.ts'
import type { Block } from '../../chain/source/chain-source.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { AccountState } from '../../protocol/directory/account.ts'
import { Directory } from '../../protocol/directory/directory.ts'
import { recordsOfTransaction } from '../../protocol/directory/metadata.ts'
import type { OrderKey } from '../../protocol/directory/order.ts'
import { parseRecord, type ParsedRecord, type ParseResult } from '../../protocol/directory/parsed-record.ts'
import type { NameState } from '../../protocol/directory/tables/tables.ts'
import type { RejectCode } from '../../protocol/directory/verdict.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId, RecordId } from '../../protocol/identity/device.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { FinalPlaces, type RecordedTransaction } from './final-places.ts'
import { RecordPool, type PooledRecord } from './record-pool.ts'

/** What became of a record that was handed in. */
export type PendingVerdict =
  | { kind: 'added'; accountId: AccountId; parsed: ParsedRecord }
  /** On the chain, or waiting already. */
  | { kind: 'known'; parsed: ParsedRecord }
  /** Its predecessor is unknown so far; it is kept for a while. */
  | { kind: 'orphan' }
  | { kind: 'refused'; code: RejectCode | 'POOL_FULL' }

/** A transaction's records, parsed once for as long as it is not final. */
interface ParsedTransaction {
  place: FollowedTransaction
  results: { bytes: Uint8Array; result: ParseResult }[]
}

interface DirectoryViewComponents {
  crypto: Crypto
  clock: Clock
}

/** Looks at the FINAL state at heights of its choice. */
export interface FinalWatcher {
  /** @param directory - with all final records up to this height, and none above it; not to be kept. */
  reach(directory: Directory, height: number): void
}

interface DirectoryViewInit {
  network: NetworkId
  genesis: Genesis
  finalWatcher?: FinalWatcher | undefined
}

const placeKey = (order: Pick<OrderKey, 'blockHeight' | 'txIndex'>): string => `${order.blockHeight}/${order.txIndex}`

export class KeyDirectory {
  readonly pool: RecordPool
  readonly #crypto: Crypto
  readonly #clock: Clock
  readonly #init: DirectoryViewInit
  readonly #final: Directory
  readonly #finalPlaces: FinalPlaces
  #finalCount = 0
  /** The FINAL log and the blocks above it. */
  #recorded: Directory
  #provisional = new Map<string, ParsedTransaction>()
  #provisionalPlaces = new Map<string, RecordedTransaction>()
  /** All layers. */
  #current: Directory
  #tip: Block | undefined
  /** Own records that the chain has overtaken. */
  #refused: RecordId[] = []
  /** Changes go one after the other: a fork must not be written while what it rests on moves. */
  readonly #changes = new SerialQueue()

  constructor({ crypto, clock }: DirectoryViewComponents, init: DirectoryViewInit) {
    this.#crypto = crypto
    this.#clock = clock
    this.#init = init
    this.pool = new RecordPool({ clock })
    const hashSeed = randomInt(2 ** 32)
    this.#final = Directory.create(crypto, init.network, init.genesis, hashSeed)
    this.#finalPlaces = new FinalPlaces(hashSeed)
    this.#recorded = this.#final.fork()
    this.#current = this.#recorded.fork()
  }

  /** The newest block, once the chain was seen. */
  get tip(): Block | undefined {
    return this.#tip
  }

  /** The directory with all that waits. */
  get current(): Directory {
    return this.#current
  }

  /** The directory as the chain has it now. */
  get recorded(): Directory {
    return this.#recorded
  }

  /** Confirmations of a place on the chain; 0 for what waits. */
  confirmations(order: OrderKey | null): number {
    return order && this.#tip ? Math.max(0, this.#tip.height - order.blockHeight + 1) : 0
  }

  /** Names held by anybody whose tag begins so. @param prefix - at least two bytes. */
  names(prefix: Uint8Array): Iterable<NameState> {
    return this.#current.namesBeginningWith(prefix)
  }

  /** The transaction that holds a record. */
  transactionAt(order: OrderKey): RecordedTransaction | undefined {
    return this.#provisionalPlaces.get(placeKey(order)) ?? this.#finalPlaces.get(order)
  }

  /** Takes in a transaction of the FINAL log that an earlier run had seen. */
  restoreFinal(transaction: FinalTransaction): Promise<void> {
    return this.exclusive(() => this.#advanceFinal(transaction))
  }

  /** Takes in what the follower saw. */
  applyChange(change: ChainChange): Promise<void> {
    return this.exclusive(() => this.#applyChange(change))
  }

  /**
   * Takes a record that is not on the chain.
   * @param own - taken from a device of this node, to be kept until settled.
   * @param from - the node that brought it; each has its share of the room.
   */
  addPending(bytes: Uint8Array, own: boolean, from?: string): Promise<PendingVerdict> {
    return this.exclusive(() => this.#addPending(bytes, own, from))
  }

  /** Own records that can never be accepted any more, since the last call. */
  takeRefused(): RecordId[] {
    return this.#refused.splice(0)
  }

  /** Runs `work` while nothing changes. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#changes.run(work)
  }

  async #applyChange({ tip, final, provisional, rolledBack, finalThrough }: ChainChange): Promise<void> {
    for (const transaction of final) await this.#advanceFinal(transaction)
    if (finalThrough !== undefined) this.#init.finalWatcher?.reach(this.#final, finalThrough)
    for (const { id } of rolledBack) this.#keepRolledBack(this.#provisional.get(id))
    const parsed = new Map(
      provisional.map(transaction => [
        transaction.id as string,
        { place: transaction, results: this.#provisional.get(transaction.id)?.results ?? this.#parse(transaction) }
      ])
    )
    const recorded = this.#final.fork()
    const places = new Map<string, RecordedTransaction>()
    for (const transaction of parsed.values()) {
      const isUsed = await this.#applyTransaction(recorded, transaction)
      if (isUsed) places.set(placeKey(orderOf(transaction.place, 0)), recordedTransaction(transaction.place))
    }
    this.#provisional = parsed
    this.#provisionalPlaces = places
    this.#recorded = recorded
    this.#tip = tip
    await this.#rebuildPending()
  }

  async #advanceFinal(transaction: FinalTransaction): Promise<void> {
    // Told again after a crash.
    if (transaction.sequence < this.#finalCount) return
    this.#init.finalWatcher?.reach(this.#final, transaction.height - 1)
    const results = this.#provisional.get(transaction.id)?.results ?? this.#parse(transaction)
    const isUsed = await this.#applyTransaction(this.#final, { place: transaction, results })
    if (isUsed) this.#finalPlaces.add(transaction)
    this.#finalCount = transaction.sequence + 1
  }

  /** @returns whether any of its records was accepted. */
  async #applyTransaction(directory: Directory, { place, results }: ParsedTransaction): Promise<boolean> {
    let isUsed = false
    for (const [recordIndex, { bytes, result }] of results.entries()) {
      const entry = { order: orderOf(place, recordIndex), blockTime: place.time }
      const verdict =
        result.kind === 'parsed'
          ? await directory.applyParsed({ ...entry, parsed: result.parsed })
          : await directory.apply({ ...entry, bytes })
      if (verdict.kind === 'accepted') isUsed = true
    }
    return isUsed
  }

  #parse({ bytes }: FollowedTransaction): ParsedTransaction['results'] {
    const { network, genesis } = this.#init
    try {
      const { metadata } = recordsOfTransaction(bytes, genesis.metadataLabel)
      if (metadata.kind !== 'records') return []
      return metadata.records.map(record => ({ bytes: record, result: parseRecord(this.#crypto, network, record) }))
    } catch (error) {
      if (error instanceof ProtocolError) return []
      throw error
    }
  }

  /** What a rollback took off the chain waits again, as long as there is room. */
  #keepRolledBack(transaction: ParsedTransaction | undefined): void {
    for (const { bytes, result } of transaction?.results ?? []) {
      if (result.kind !== 'parsed') continue
      const { parsed } = result
      const accountId = this.#recorded.accountOfRecord(parsed.id)?.accountId
      if (accountId === undefined || this.pool.has(parsed.id) || !this.pool.hasRoom(accountId, false)) continue
      this.pool.add({ parsed, bytes, own: false, accountId })
    }
  }

  async #rebuildPending(): Promise<void> {
    this.pool.expire()
    const current = this.#recorded.fork()
    await this.#applyWaiting(current, [...this.pool.values()])
    this.#current = current
  }

  /** Applies pooled records in an order in which each finds its predecessor; drops those that can never be accepted. */
  async #applyWaiting(directory: Directory, records: PooledRecord[]): Promise<void> {
    for (let waiting = records; waiting.length > 0;) {
      const left: PooledRecord[] = []
      for (const record of waiting) {
        const verdict = await directory.applyParsed(this.#pendingEntry(record.parsed))
        if (verdict.kind === 'accepted') {
          if (record.accountId === undefined) this.pool.adopt(record, verdict.accountId!)
        } else if (verdict.code === 'UNKNOWN_PREV') {
          left.push(record)
        } else if (verdict.code !== 'DUPLICATE') {
          this.pool.delete(record.parsed.id)
          if (record.own) this.#refused.push(record.parsed.id)
        }
      }
      if (left.length === waiting.length) return
      waiting = left
    }
  }

  async #addPending(bytes: Uint8Array, own: boolean, from: string | undefined): Promise<PendingVerdict> {
    const result = parseRecord(this.#crypto, this.#init.network, bytes)
    if (result.kind === 'rejected') return { kind: 'refused', code: result.code }
    const { parsed } = result
    if (parsed.record.kind === 'release') return { kind: 'refused', code: 'OTHER_ACCOUNT' }
    const pooled = this.pool.get(parsed.id)
    if (pooled || this.#recorded.accountOfRecord(parsed.id)) {
      if (pooled && own && !pooled.own) this.pool.add({ ...pooled, own })
      return { kind: 'known', parsed }
    }
    const account = this.#accountBefore(parsed)
    if (!this.pool.hasRoom(account?.accountId, own, from)) return { kind: 'refused', code: 'POOL_FULL' }
    const verdict = await this.#current.applyParsed(this.#pendingEntry(parsed))
    if (verdict.kind === 'accepted') {
      this.pool.add({ parsed, bytes, own, from, accountId: verdict.accountId! })
      if (this.pool.orphanCount > 0) await this.#adoptOrphans()
      return { kind: 'added', accountId: verdict.accountId!, parsed }
    }
    if (verdict.code === 'DUPLICATE') return { kind: 'known', parsed }
    if (verdict.code !== 'UNKNOWN_PREV') return { kind: 'refused', code: verdict.code }
    this.pool.add({ parsed, bytes, own, from, accountId: undefined })
    return { kind: 'orphan' }
  }

  #adoptOrphans(): Promise<void> {
    const orphans = [...this.pool.values()].filter(record => record.accountId === undefined)
    return this.#applyWaiting(this.#current, orphans)
  }

  #accountBefore({ record }: ParsedRecord): AccountState | undefined {
    return 'prev' in record ? this.#current.accountOfRecord(record.prev) : undefined
  }

  #pendingEntry(parsed: ParsedRecord) {
    return { parsed, order: null, blockTime: this.#clock() }
  }
}

/** Whether a pooled record stands on the chain, and how deep; undefined if it does not. */
export function placeOf(keyDirectory: KeyDirectory, record: PooledRecord): OrderKey | undefined {
  let entry = keyDirectory.recorded.accountOfRecord(record.parsed.id)?.history ?? null
  while (entry && !sameId(entry.recordId, record.parsed.id)) entry = entry.previous
  return entry?.order ?? undefined
}

const sameId = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, index) => byte === b[index])

function orderOf(place: FollowedTransaction, recordIndex: number): OrderKey {
  return { blockHeight: place.height, txIndex: place.index, recordIndex }
}

function recordedTransaction({ confirmations: _confirmations, ...place }: FollowedTransaction): RecordedTransaction {
  return place
}

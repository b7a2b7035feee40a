import { toHex } from '../../../protocol/bytes.ts'
import { bytesKey, type OrderKey } from '../../../protocol/directory/order.ts'
import type { AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import type { RejectCode, Verdict } from '../../../protocol/directory/verdict.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import type { TransactionId, TransactionPlace } from '../../source/chain-source.ts'
import { ChainReplay, replayChain, type ReplayComponents } from './replay.ts'
import type { AccountSource, CallOptions, NameEvent, RejectedEntry, SourceParty } from './account-source.ts'

/** Rejected records that are kept with their account; further ones are only counted. */
const MAX_REJECTED = 10_000

export interface ReplaySourceInit {
  /** Base URL, as given. */
  url: string
  untilHeight?: number | undefined
  /** Told now and then how far a read has come. */
  onProgress?: (transactions: number) => void
}

/** How one record was judged. */
export interface JudgedRecord {
  readonly verdict: Verdict
  readonly place: TransactionPlace
}

/** A Blockfrost server: everything is folded from raw transactions, once for all questions. */
export class ReplaySource implements AccountSource {
  readonly kind = 'blockfrost'
  readonly name: string
  readonly party: SourceParty
  readonly components: ReplayComponents
  readonly #init: ReplaySourceInit
  readonly #rejected = new Map<string, RejectedEntry[]>()
  readonly #nameEvents = new Map<string, NameEvent[]>()
  readonly #judged = new Map<number, JudgedRecord>()
  #rejectedCount = 0
  #watched: TransactionId | undefined
  #replay: Promise<ChainReplay> | undefined

  constructor(components: ReplayComponents, init: ReplaySourceInit) {
    this.components = components
    this.#init = init
    this.name = components.source.name
    this.party = { origin: new URL(init.url).origin }
  }

  /** The folded directory; read once. */
  replay({ signal }: CallOptions = {}): Promise<ChainReplay> {
    this.#replay ??= replayChain(this.components, {
      untilHeight: this.#init.untilHeight,
      onStart: () => this.#forget(),
      onVerdict: (verdict, place, recordIndex) => this.#note(verdict, place, recordIndex),
      ...(this.#init.onProgress ? { onProgress: this.#init.onProgress } : {}),
      signal
    })
    return this.#replay
  }

  /** How each record of one transaction was judged, by its index; reads the chain again. */
  async judge(transaction: TransactionId, options: CallOptions = {}): Promise<ReadonlyMap<number, JudgedRecord>> {
    this.refresh()
    this.#watched = transaction
    await this.replay(options)
    return this.#judged
  }

  async proof(accountId: AccountId, options: CallOptions = {}): Promise<AccountProof | undefined> {
    return (await this.replay(options)).proof(accountId)
  }

  async claimants(nameTag: Uint8Array, options: CallOptions = {}): Promise<AccountId[]> {
    const holder = (await this.replay(options)).directory.name(nameTag)
    return holder ? [holder.accountId] : []
  }

  rejected(accountId: AccountId): readonly RejectedEntry[] {
    return this.#rejected.get(bytesKey(accountId)) ?? []
  }

  nameEvents(nameTag: Uint8Array): readonly NameEvent[] {
    return this.#nameEvents.get(bytesKey(nameTag)) ?? []
  }

  refresh(): void {
    this.#replay = undefined
  }

  #forget(): void {
    this.#rejected.clear()
    this.#nameEvents.clear()
    this.#judged.clear()
    this.#rejectedCount = 0
  }

  #note(verdict: Verdict, place: TransactionPlace, recordIndex: number): void {
    if (place.id === this.#watched) this.#judged.set(recordIndex, { verdict, place })
    const order = { blockHeight: place.height, txIndex: place.index, recordIndex }
    if (verdict.kind === 'accepted') this.#noteEffects(verdict, order)
    else if (verdict.accountId) this.#noteRejected(verdict.accountId, verdict.recordId, verdict.code, order)
  }

  #noteRejected(accountId: AccountId, recordId: Uint8Array | null, code: RejectCode, order: OrderKey): void {
    if (++this.#rejectedCount > MAX_REJECTED) return
    const entry = { record: recordId && toHex(recordId), code, ...order }
    append(this.#rejected, bytesKey(accountId), entry)
  }

  #noteEffects(verdict: Extract<Verdict, { kind: 'accepted' }>, order: OrderKey): void {
    const account = verdict.accountId ? toHex(verdict.accountId) : ''
    for (const effect of verdict.effects) {
      if (effect.kind === 'nameHeld') {
        const other = effect.from && toHex(effect.from)
        append(this.#nameEvents, bytesKey(effect.nameTag), { kind: 'held', account, other, ...order })
      } else if (effect.kind === 'nameTaken') {
        const other = toHex(effect.holder)
        append(this.#nameEvents, bytesKey(effect.nameTag), { kind: 'taken', account, other, ...order })
      } else if (effect.kind === 'nameReleased') {
        append(this.#nameEvents, bytesKey(effect.nameTag), { kind: 'released', account, other: null, ...order })
      }
    }
  }
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

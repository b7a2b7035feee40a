/** What a follower keeps: the FINAL log, the transactions above it as last seen, and the bytes of both. */
import { z } from 'zod'
import {
  parseBlockHash,
  parseTransactionId,
  type Block,
  type ChainIdentity,
  type TransactionId,
  type TransactionPlace
} from '../source/chain-source.ts'
import { sortableNumber, SYNCED, type ChainStore } from '../chain-store.ts'

const blockHash = z.string().transform(parseBlockHash)
const placeSchema = z.object({
  id: z.string().transform(parseTransactionId),
  blockHash,
  height: z.number(),
  index: z.number(),
  slot: z.number(),
  time: z.number()
})
const blockSchema = z.object({ hash: blockHash, height: z.number(), slot: z.number(), time: z.number() })
const viewSchema = z.object({ tip: blockSchema, provisional: z.array(placeSchema) })
const identitySchema = z.object({ magic: z.number(), systemStart: z.number() })

/** The chain above the FINAL log, as one poll saw it. */
export interface ChainView {
  tip: Block
  /** In chain order. */
  provisional: TransactionPlace[]
}

/** A transaction of the FINAL log, without its bytes. */
export interface FinalPlace extends TransactionPlace {
  sequence: number
}

const FINAL = { gte: 'final/', lt: 'final0' }
const finalKey = (sequence: number): string => `final/${sortableNumber(sequence)}`
const bytesKey = (id: TransactionId): string => `bytes/${id}`

export class FollowerStore {
  readonly #level: ChainStore

  constructor(level: ChainStore) {
    this.#level = level
  }

  /** The chain that all of this is from, or `undefined` in a new store. */
  async identity(): Promise<ChainIdentity | undefined> {
    const value = await this.#level.get('identity')
    return value === undefined ? undefined : identitySchema.parse(JSON.parse(value))
  }

  async setIdentity(identity: ChainIdentity): Promise<void> {
    await this.#level.put('identity', JSON.stringify(identity), SYNCED)
  }

  /** The newest transaction of the FINAL log. */
  async lastFinal(): Promise<FinalPlace | undefined> {
    for await (const entry of this.#level.iterator({ ...FINAL, reverse: true, limit: 1 })) return parseFinal(entry)
    return undefined
  }

  /** The FINAL log from a sequence on. */
  async *finals(from: number): AsyncGenerator<FinalPlace> {
    for await (const entry of this.#level.iterator({ ...FINAL, gte: finalKey(from) })) yield parseFinal(entry)
  }

  /** The FINAL log from a sequence on, at once: for a page of it. */
  async finalsFrom(sequence: number): Promise<FinalPlace[]> {
    const places: FinalPlace[] = []
    for await (const place of this.finals(sequence)) places.push(place)
    return places
  }

  async view(): Promise<ChainView | undefined> {
    const value = await this.#level.get('view')
    return value === undefined ? undefined : viewSchema.parse(JSON.parse(value))
  }

  /** Extends the FINAL log and replaces the view above it, in one step; forgets the bytes of what is in neither. */
  async advance(finals: FinalPlace[], view: ChainView, forgotten: TransactionId[]): Promise<void> {
    await this.#level.batch(
      [
        ...finals.map(({ sequence, ...place }) => {
          return { type: 'put' as const, key: finalKey(sequence), value: JSON.stringify(place) }
        }),
        ...forgotten.map(id => ({ type: 'del' as const, key: bytesKey(id) })),
        { type: 'put', key: 'view', value: JSON.stringify(view) }
      ],
      SYNCED
    )
  }

  async bytes(id: TransactionId): Promise<Uint8Array | undefined> {
    const value = await this.#level.get(bytesKey(id), { valueEncoding: 'view' })
    return value && Uint8Array.from(value)
  }

  /** On disk once this resolves: the FINAL log that names the transaction follows, and must never be there without it. */
  async putBytes(id: TransactionId, bytes: Uint8Array): Promise<void> {
    await this.#level.put(bytesKey(id), bytes, { valueEncoding: 'view', ...SYNCED })
  }
}

function parseFinal([key, value]: [string, string]): FinalPlace {
  return { sequence: Number(key.slice('final/'.length)), ...placeSchema.parse(JSON.parse(value)) }
}

import type { FollowedTransaction } from '../../chain/follow/chain-change.ts'
import { parseBlockHash, parseTransactionId, type TransactionPlace } from '../../chain/source/chain-source.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { bytesKey, type OrderKey } from '../../protocol/directory/order.ts'
import { PackedMap } from '../../protocol/directory/tables/packed-map.ts'
import type { Packing } from '../../protocol/directory/tables/packing.ts'

const HASH_BYTES = 32
const KEY_BYTES = 16

/** The place of a transaction that holds records, for proofs. */
export interface RecordedTransaction extends Omit<FollowedTransaction, 'bytes' | 'confirmations'> {
  /** Kept in memory only while the transaction is not final. */
  bytes: Uint8Array | undefined
}

/** Where the transactions of the FINAL log stand: a hundred bytes each, because a chain may hold millions. */
export class FinalPlaces {
  readonly #places: PackedMap<TransactionPlace>

  /** @param hashSeed - see `PackedMapInit`. */
  constructor(hashSeed: number) {
    this.#places = new PackedMap(placePacking, { keyBytes: KEY_BYTES, hashSeed })
  }

  add(place: TransactionPlace): void {
    this.#places.set(keyOf(place.height, place.index), place)
  }

  /** The transaction that holds the record of this place. */
  get({ blockHeight, txIndex }: OrderKey): RecordedTransaction | undefined {
    const place = this.#places.get(keyOf(blockHeight, txIndex))
    return place && { ...place, bytes: undefined }
  }
}

function keyOf(height: number, index: number): string {
  return bytesKey(new Uint8Array(Float64Array.of(height, index).buffer))
}

const placePacking: Packing<TransactionPlace> = {
  write(writer, { id, blockHash, height, index, slot, time }) {
    writer.bytes(fromHex(id, HASH_BYTES))
    writer.bytes(fromHex(blockHash, HASH_BYTES))
    for (const value of [height, index, slot, time]) writer.number(value)
  },
  read(reader) {
    const id = parseTransactionId(toHex(reader.bytes(HASH_BYTES)))
    const blockHash = parseBlockHash(toHex(reader.bytes(HASH_BYTES)))
    const [height, index] = [reader.number(), reader.number()]
    return { id, blockHash, height, index, slot: reader.number(), time: reader.number() }
  }
}

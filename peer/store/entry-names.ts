/** How entries are named on disk: a thief who copies the disk learns no id from a name. */
import { concatBytes, toHex, utf8 } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { Secret } from '../../protocol/secret.ts'

/**
 * Name of an entry. `space` is the kind, `id` what it belongs to, `order` sorts within `(space, id)`.
 *
 * On disk the space is in clear, because it is one of a few words of this program. The id is a keyed hash. An order that is a
 * number or a place stays, so that ranges are read in its order; any other order is an id, and is a keyed hash too.
 */
export interface EntryName {
  space: string
  id?: string
  order?: string
}

const BLIND_BYTES = 16
/** Blinded ids kept, about 300 bytes each: a message touches the same few a dozen times. */
const MAX_CACHED_BLINDS = 2_000
/** Before a blinded order. No number begins with it. */
const BLIND_MARK = '!'
/** Hex of at most 48 bits, or several joined by dots, see `orderOf`. Ids are longer. */
const NUMBERS = /^[0-9a-f]{1,12}(\.[0-9a-f]{1,12})*$/
const MAX_ORDER_BYTES = 255

const isClearOrder = (order: string): boolean => order === '' || NUMBERS.test(order)
const orderIn = (key: string): string => key.slice(key.lastIndexOf('/') + 1)

/** Whether the order in a key is a keyed hash. */
export const isBlinded = (key: string): boolean => orderIn(key).startsWith(BLIND_MARK)

/** The keys of a store, under its blinding key. */
export class EntryNames {
  readonly #crypto: Pick<Crypto, 'hmacSha256'>
  readonly #blindKey: Secret
  readonly #blinds = new Map<string, string>()

  /** @param blindKey - 32 bytes, secret, the same for the whole life of the store. */
  constructor(crypto: Pick<Crypto, 'hmacSha256'>, blindKey: Secret) {
    this.#crypto = crypto
    this.#blindKey = blindKey
  }

  keyOf({ space, id, order = '' }: EntryName): string {
    return this.#keyIn(this.prefixOf(space, id), order)
  }

  /** What the keys of all entries of one `(space, id)` begin with. */
  prefixOf(space: string, id: string | undefined): string {
    return `${space}/${id === undefined ? '' : this.#blind(`${space}/${id}`)}/`
  }

  /** Name of today for a key whose order is an id in clear, as names were before; undefined if it has none. */
  renamed(key: string): { key: string; order: string } | undefined {
    const order = orderIn(key)
    if (!key.includes('/') || isClearOrder(order) || isBlinded(key)) return undefined
    return { key: this.#keyIn(key.slice(0, key.length - order.length), order), order }
  }

  #keyIn(prefix: string, order: string): string {
    return prefix + (isClearOrder(order) ? order : BLIND_MARK + this.#blind(prefix + order))
  }

  #blind(name: string): string {
    let blind = this.#blinds.get(name)
    if (blind === undefined) {
      blind = toHex(this.#crypto.hmacSha256(this.#blindKey.expose(), utf8(name)).subarray(0, BLIND_BYTES))
      // Emptied when full: what is in use comes back at once.
      if (this.#blinds.size >= MAX_CACHED_BLINDS) this.#blinds.clear()
      this.#blinds.set(name, blind)
    }
    return blind
  }
}

/** What is sealed under a key: the value, after the order if the key does not tell it. */
export function withOrder(key: string, order: string, value: Uint8Array): Uint8Array {
  if (!isBlinded(key)) return value
  const encoded = utf8(order)
  if (encoded.length > MAX_ORDER_BYTES) throw new RangeError(`an order has at most ${MAX_ORDER_BYTES} bytes`)
  return concatBytes(Uint8Array.of(encoded.length), encoded, value)
}

/** Reverses {@link withOrder}. */
export function splitOrder(key: string, content: Uint8Array): { order: string; value: Uint8Array } {
  if (!isBlinded(key)) return { order: orderIn(key), value: content }
  const end = 1 + content[0]!
  return { order: new TextDecoder().decode(content.subarray(1, end)), value: content.subarray(end) }
}

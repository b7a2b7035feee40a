import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { toHex, utf8 } from '../../protocol/bytes.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { AtRestCipher, KeyValueStore } from '../ports.ts'

/**
 * Name of an entry. `space` is the kind, `id` what it belongs to, `order` sorts within `(space, id)`.
 * On disk the id is a keyed hash: the names of entries must not tell who writes to whom.
 */
export interface EntryName {
  space: string
  id?: string
  order?: string
}

/** A change of one entry; `null` deletes. */
export interface EntryChange extends EntryName {
  value: Uint8Array | null
}

const BLIND_BYTES = 16
/** Blinded ids kept, about 300 bytes each: a message touches the same few a dozen times. */
const MAX_CACHED_BLINDS = 2_000
/** Sorts after every character used in names. */
const LAST = '~'

/** A key-value store in which every value is sealed and every id is blinded. */
export class SealedStore {
  readonly #store: KeyValueStore
  readonly #cipher: AtRestCipher
  readonly #crypto: Pick<Crypto, 'hmacSha256'>
  readonly #blindKey: Uint8Array
  readonly #blinds = new Map<string, string>()
  /** Sealing takes unequal times; batches reach the disk in the order of the calls all the same. */
  readonly #writes = new SerialQueue()

  private constructor(
    store: KeyValueStore,
    cipher: AtRestCipher,
    crypto: Pick<Crypto, 'hmacSha256'>,
    blindKey: Uint8Array
  ) {
    this.#store = store
    this.#cipher = cipher
    this.#crypto = crypto
    this.#blindKey = blindKey
  }

  /**
   * Opens a store, making its blinding key on first use.
   * @throws ProtocolError `DECRYPT_FAILED` if the cipher's key is not the one the store was made with.
   */
  static async open(
    store: KeyValueStore,
    cipher: AtRestCipher,
    crypto: Pick<Crypto, 'hmacSha256'>,
    random: (length: number) => Uint8Array
  ): Promise<SealedStore> {
    const name = 'blind-key'
    const sealed = await store.get(name)
    if (sealed) return new SealedStore(store, cipher, crypto, await cipher.open(name, sealed))
    const blindKey = random(32)
    await store.batch([{ key: name, value: await cipher.seal(name, blindKey) }])
    return new SealedStore(store, cipher, crypto, blindKey)
  }

  /** @returns undefined if there is no such entry. */
  async get(name: EntryName): Promise<Uint8Array | undefined> {
    const key = this.#key(name)
    const sealed = await this.#store.get(key)
    return sealed && this.#cipher.open(key, sealed)
  }

  /**
   * All changes or none, on disk when it resolves unless it need not be `durable`. The last change of one entry counts, within a
   * batch and of several batches: what memory has and what the disk has are the same.
   */
  async batch(changes: EntryChange[], options?: { durable?: boolean }): Promise<void> {
    const byKey = new Map(changes.map(change => [this.#key(change), change.value]))
    const sealing = Promise.all(
      [...byKey].map(async ([key, value]) => ({ key, value: value && (await this.#cipher.seal(key, value)) }))
    )
    // It is awaited in its turn; until then its failure is no unhandled one.
    sealing.catch(() => undefined)
    await this.#writes.run(async () => this.#store.batch(await sealing, options))
  }

  /** Resolves once every batch so far survives a power cut. */
  flush(): Promise<void> {
    return this.#store.flush()
  }

  /**
   * Entries of one `(space, id)` in order.
   * @param options - `after` and `before` are exclusive bounds of `order`.
   */
  async range(
    space: string,
    id: string | undefined,
    options: { after?: string; before?: string; reverse?: boolean; limit?: number } = {}
  ): Promise<{ order: string; value: Uint8Array }[]> {
    const prefix = this.#key({ space, ...(id === undefined ? {} : { id }) })
    const { after, before, ...rest } = options
    const entries = await this.#store.range({
      gte: prefix + (after === undefined ? '' : `${after} `),
      lt: prefix + (before ?? LAST),
      ...rest
    })
    return Promise.all(
      entries.map(async ([key, sealed]) => ({
        order: key.slice(prefix.length),
        value: await this.#cipher.open(key, sealed)
      }))
    )
  }

  /** Values of a whole space, whatever their ids, in no useful order. */
  async all(space: string): Promise<Uint8Array[]> {
    const entries = await this.#store.range({ gte: `${space}/`, lt: `${space}/${LAST}` })
    return Promise.all(entries.map(([key, sealed]) => this.#cipher.open(key, sealed)))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #key({ space, id, order = '' }: EntryName): string {
    return `${space}/${id === undefined ? '' : this.#blind(`${space}/${id}`)}/${order}`
  }

  #blind(name: string): string {
    let blind = this.#blinds.get(name)
    if (blind === undefined) {
      blind = toHex(this.#crypto.hmacSha256(this.#blindKey, utf8(name)).subarray(0, BLIND_BYTES))
      // Emptied when full: what is in use comes back at once.
      if (this.#blinds.size >= MAX_CACHED_BLINDS) this.#blinds.clear()
      this.#blinds.set(name, blind)
    }
    return blind
  }
}

import { KEY_BYTES, type Crypto } from '../../protocol/crypto/crypto.ts'
import { Secret } from '../../protocol/secret.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { AtRestCipher, KeyValueStore, SecretKeys, StoreChange } from '../ports.ts'
import { EntryNames, isBlinded, splitOrder, withOrder, type EntryName } from './entry-names.ts'
import { openRotatingCipher, RotatingCipher } from './rotating-cipher.ts'
import { isSecret, SecretRenewal } from './secret-renewal.ts'
import { StoreKeyReplacement } from './store-key-replacement.ts'

/** A change of one entry; `null` deletes. */
export interface EntryChange extends EntryName {
  value: Uint8Array | null
}

/** Sorts after every character used in names. */
const LAST = '~'
/** Old names changed in one batch. */
const RENAMED_AT_ONCE = 200

/** Name of the key that ids in names are blinded with. */
const BLIND_KEY = 'blind-key'

/** Whether a store has entries that only its key opens. */
export const hasSealedEntries = async (store: KeyValueStore): Promise<boolean> =>
  (await store.get(BLIND_KEY)) !== undefined

/** A key-value store in which every value is sealed and every id in a name is blinded. */
export class SealedStore {
  readonly #store: KeyValueStore
  readonly #cipher: AtRestCipher
  readonly #names: EntryNames
  /** Sealing takes unequal times; batches reach the disk in the order of the calls all the same. A renewal takes turns with them. */
  readonly #writes = new SerialQueue()
  readonly #secretCipher: AtRestCipher
  readonly #renewal: SecretRenewal | undefined
  /** Undefined where the key of the store cannot be replaced. */
  readonly #replacement: StoreKeyReplacement | undefined

  private constructor(
    store: KeyValueStore,
    cipher: AtRestCipher,
    names: EntryNames,
    secrets: { cipher: RotatingCipher; isOld: boolean } | undefined
  ) {
    this.#store = store
    this.#cipher = cipher
    this.#names = names
    this.#secretCipher = secrets?.cipher ?? cipher
    const writes = this.#writes
    const renewal = secrets && new SecretRenewal({ store, cipher: secrets.cipher, writes }, secrets.isOld)
    this.#renewal = renewal
    if (renewal && cipher instanceof RotatingCipher)
      this.#replacement = new StoreKeyReplacement({ store, cipher, renewal, writes })
  }

  /**
   * Opens a store, making its blinding key on first use.
   *
   * @param cipher - a {@link RotatingCipher} where the key of the store can be replaced.
   * @param secrets - keys of the entries that must be gone once they are erased, and the time. Without them, in tests, all is
   * sealed under `cipher`.
   * @throws PeerError `store` if the keys of the secrets are gone.
   * @throws ProtocolError `DECRYPT_FAILED` if the cipher's key is not the one the store was made with.
   */
  static async open(
    store: KeyValueStore,
    cipher: AtRestCipher,
    crypto: Pick<Crypto, 'hmacSha256'>,
    random: (length: number) => Uint8Array,
    secrets?: { keys: SecretKeys; now: number }
  ): Promise<SealedStore> {
    const sealed = await store.get(BLIND_KEY)
    const blindKey = new Secret(sealed ? await cipher.open(BLIND_KEY, sealed) : random(KEY_BYTES))
    if (!sealed) await store.batch([{ key: BLIND_KEY, value: await cipher.seal(BLIND_KEY, blindKey.expose()) }])
    const isNew = !sealed
    const opened = secrets && (await openRotatingCipher(store, cipher, secrets.keys, { now: secrets.now, isNew }))
    return new SealedStore(store, cipher, new EntryNames(crypto, blindKey), opened)
  }

  /** @returns undefined if there is no such entry. */
  async get(name: EntryName): Promise<Uint8Array | undefined> {
    const key = this.#names.keyOf(name)
    const sealed = await this.#store.get(key)
    return sealed && (await this.#open(key, sealed)).value
  }

  /**
   * All changes or none, on disk when it resolves unless it need not be `durable`. The last change of one entry counts, within a
   * batch and of several batches: what memory has and what the disk has are the same.
   */
  batch(changes: EntryChange[], options?: { durable?: boolean }): Promise<void> {
    const byKey = new Map(changes.map(change => [this.#names.keyOf(change), change]))
    this.#renewal?.noteErasures([...byKey.keys()].filter(isSecret).length)
    return this.#writes.run(async () => {
      const sealed = [...byKey].map(([key, { order = '', value }]) => this.#sealed(key, order, value))
      await this.#store.batch(await Promise.all(sealed), options)
    })
  }

  /** Resolves once every batch so far survives a power cut. */
  flush(): Promise<void> {
    return this.#writes.run(() => this.#store.flush())
  }

  /**
   * Lets the database drop what it still has of entries that were erased or replaced, where it can.
   * @param id - of one `(space, id)`; the whole space without it.
   */
  async compact(space: string, id?: string): Promise<void> {
    const prefix = id === undefined ? `${space}/` : this.#names.prefixOf(space, id)
    await this.flush()
    await this.#store.compact?.(prefix, prefix + LAST)
  }

  /**
   * Replaces the key of the secrets if it is a day old, or if much was erased since: then nothing that the database left of
   * them in its files can be opened. Call it from time to time.
   */
  async renewSecrets(now: number): Promise<void> {
    await this.#replacement?.finish(now)
    await this.#renewal?.runIfDue(now)
  }

  /**
   * Seals everything again under another key, and destroys the old one: takes as long as reading and writing the whole store,
   * and others go on meanwhile. A process that ends in between leaves the rest to the next {@link renewSecrets}.
   *
   * @param keys - makes the new key, and keeps the old one beside it until that is destroyed.
   */
  async replaceKey(now: number, keys: Pick<SecretKeys, 'add'>): Promise<void> {
    if (!this.#replacement) throw new TypeError('the key of this store cannot be replaced')
    await this.#replacement.replace(now, keys)
  }

  /**
   * Entries of one `(space, id)` in order.
   * @param options - `after` and `before` are exclusive bounds of `order`. All four are for orders that are numbers: names
   * that are ids have no order on disk, and are asked for all at once.
   */
  async range(
    space: string,
    id: string | undefined,
    options: { after?: string; before?: string; reverse?: boolean; limit?: number } = {}
  ): Promise<{ order: string; value: Uint8Array }[]> {
    const prefix = this.#names.prefixOf(space, id)
    const { after, before, ...rest } = options
    const entries = await this.#store.range({
      gte: prefix + (after === undefined ? '' : `${after} `),
      lt: prefix + (before ?? LAST),
      ...rest
    })
    const found = await Promise.all(entries.map(([key, sealed]) => this.#open(key, sealed)))
    const isSorted = !entries.some(([key]) => isBlinded(key))
    return isSorted ? found : found.sort((a, b) => (a.order < b.order ? -1 : 1))
  }

  /** Values of a whole space, whatever their ids, in no useful order. */
  async all(space: string): Promise<Uint8Array[]> {
    const entries = await this.#store.range({ gte: `${space}/`, lt: `${space}/${LAST}` })
    return Promise.all(entries.map(async ([key, sealed]) => (await this.#open(key, sealed)).value))
  }

  /**
   * Renames the entries of a store that has ids in clear in its names. A process that ends in between leaves some to the next
   * call: each entry has one name or the other.
   */
  async blindOldNames(): Promise<void> {
    for (let from = ''; ;) {
      const entries = await this.#store.range({ gte: from, lt: LAST, limit: RENAMED_AT_ONCE })
      if (entries.length === 0) return
      const renamed = await Promise.all(entries.map(([key, sealed]) => this.#renamed(key, sealed)))
      if (renamed.some(({ length }) => length > 0)) await this.#store.batch(renamed.flat())
      // The next key there is.
      from = `${entries.at(-1)![0]}\0`
    }
  }

  async #renamed(key: string, sealed: Uint8Array): Promise<StoreChange[]> {
    const name = this.#names.renamed(key)
    if (!name) return []
    const value = await this.#cipherOf(key).open(key, sealed)
    return [{ key, value: null }, await this.#sealed(name.key, name.order, value)]
  }

  async close(): Promise<void> {
    const replaced = this.#replacement?.stop()
    await this.#renewal?.stop()
    await replaced
    await this.#writes.idle()
    await this.#store.close()
  }

  #cipherOf(key: string): AtRestCipher {
    return isSecret(key) ? this.#secretCipher : this.#cipher
  }

  async #sealed(key: string, order: string, value: Uint8Array | null): Promise<StoreChange> {
    return { key, value: value && (await this.#cipherOf(key).seal(key, withOrder(key, order, value))) }
  }

  async #open(key: string, sealed: Uint8Array): Promise<{ order: string; value: Uint8Array }> {
    return splitOrder(key, await this.#cipherOf(key).open(key, sealed))
  }
}

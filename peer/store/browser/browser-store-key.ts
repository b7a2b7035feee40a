/**
 * The key of a browser's store, in one of two forms. Without a lock it is a key of the platform, which no script can read, but
 * which the browser writes in clear into the files of its profile. With a lock it is there only wrapped, once for each way that
 * opens it.
 *
 * A way is added to the key that there is. A way that is changed or taken away is another key. While the store is sealed again,
 * the key before it is kept: as it was, or, if it was locked, sealed under the new key. So what opens the store is from one
 * write on the new form alone.
 */
import { KEY_BYTES } from '../../../protocol/crypto/crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import { storeFailure } from '../../errors.ts'
import type { AtRestCipher, SecretKey, SecretKeys } from '../../ports.ts'
import { RotatingCipher } from '../rotating-cipher.ts'
import {
  openSlots,
  parseSlots,
  waysOf,
  wrapSlots,
  type KeySlots,
  type LockWays,
  type Opener,
  type SlotComponents
} from './key-slots.ts'
import type { KeyTable } from './key-table.ts'
import { generateSealKey, importSealKey, webCipher } from './web-cipher.ts'

/** Name of the key in use; the name of the first version, which stored a bare `CryptoKey`. */
const CURRENT = 'seal'
const OLDER = 'seal-older'

interface Numbered {
  number: number
  since: number
}
type StoredKey = Numbered & ({ key: CryptoKey } | { slots: KeySlots })
type StoredOlder = Numbered & ({ key: CryptoKey } | { sealed: Uint8Array })

export interface BrowserStoreKeyComponents extends SlotComponents {
  table: KeyTable
  subtle: SubtleCrypto
}

/** Which ways open a browser's store, as its table of keys says; none of them if it has no lock, or no key. */
export async function readLockWays(table: KeyTable): Promise<LockWays> {
  const stored = parseStored(table, await table.get(CURRENT))
  return stored && 'slots' in stored ? waysOf(stored.slots) : NO_WAYS
}

const NO_WAYS: LockWays = { passphrase: false, passkey: null }

export class BrowserStoreKey {
  /** Seals everything in the store but secrets. */
  readonly cipher: RotatingCipher
  readonly #components: BrowserStoreKeyComponents
  #stored: StoredKey

  private constructor(components: BrowserStoreKeyComponents, stored: StoredKey, generations: SecretKey[]) {
    this.#components = components
    this.#stored = stored
    const keys: SecretKeys = {
      location: components.table.location,
      load: async () => generations,
      add: () => Promise.reject(new TypeError('a key of the store is made in the form that a person chose')),
      keepOnly: () => components.table.write([{ name: OLDER, value: undefined }])
    }
    this.cipher = new RotatingCipher(keys, undefined, generations)
  }

  /** Makes the key of a new store, without a lock. */
  static async create(components: BrowserStoreKeyComponents, since: number): Promise<BrowserStoreKey> {
    const { table, subtle } = components
    const stored = { number: 1, since, key: await generateSealKey(subtle) }
    await table.write([
      { name: CURRENT, value: stored },
      { name: OLDER, value: undefined }
    ])
    return new BrowserStoreKey(components, stored, [opened(components, stored, stored.key)])
  }

  /**
   * @param opener - undefined if nobody was asked yet.
   * @returns undefined if this profile has no key.
   * @throws PeerError `store`: `locked`, `passphrase-wrong` or `passkey-wrong` if there is a lock; `key-damaged`.
   * @throws ProtocolError `DECRYPT_FAILED` if the key before this one is not of this store.
   */
  static async open(
    components: BrowserStoreKeyComponents,
    opener: Opener | undefined
  ): Promise<BrowserStoreKey | undefined> {
    const { table } = components
    const stored = parseStored(table, await table.get(CURRENT))
    if (!stored) return undefined
    const current = opened(components, stored, await unlocked(components, stored, opener))
    const older = (await table.get(OLDER)) as StoredOlder | undefined
    const generations = older ? [await openedOlder(components, older, current.cipher), current] : [current]
    return new BrowserStoreKey(components, stored, generations)
  }

  /** What opens the store; none of them if there is no lock. */
  get ways(): LockWays {
    return 'slots' in this.#stored ? waysOf(this.#stored.slots) : NO_WAYS
  }

  get isLocked(): boolean {
    return 'slots' in this.#stored
  }

  /**
   * Gives what makes the next key.
   *
   * @param openers - what opens the store from then on; none for no lock.
   * @param current - what opens the lock that there is; null if there is none. If it does not, making the key fails and changes
   * nothing.
   */
  next(openers: Opener[], current: Opener | null): Pick<SecretKeys, 'add'> {
    return {
      add: async (number, since) => {
        const { table, subtle, random } = this.#components
        const secret = new Secret(random(KEY_BYTES))
        const key = await importSealKey(subtle, secret)
        const made = opened(this.#components, { number, since }, key)
        const isOpen = openers.length === 0
        const form = isOpen ? { key } : { slots: await wrapSlots(this.#components, secret, openers) }
        secret.erase()
        const stored: StoredKey = { number, since, ...form }
        await table.write([
          { name: OLDER, value: await this.#asOlder(made.cipher, current ?? undefined) },
          { name: CURRENT, value: stored }
        ])
        this.#stored = stored
        return made
      }
    }
  }

  /**
   * Adds a way to the lock that there is: the key stays. The caller runs nothing else that changes the key meanwhile.
   *
   * @param current - a way that opens it now.
   * @throws PeerError `store` as {@link BrowserStoreKey.open}; nothing is changed then.
   */
  async addWay(opener: Opener, current: Opener): Promise<void> {
    const stored = this.#stored
    if (!('slots' in stored) || stored.slots[opener.way]) throw new TypeError('there is no lock, or it has this way')
    const { table } = this.#components
    const secret = await openSlots(this.#components, table.location, stored.slots, current)
    const added = await wrapSlots(this.#components, secret, [opener])
    secret.erase()
    const next: StoredKey = { ...stored, slots: { ...stored.slots, ...added } }
    await table.write([{ name: CURRENT, value: next }])
    this.#stored = next
  }

  /** The key in use, in a form that the next one opens. */
  async #asOlder(next: AtRestCipher, current: Opener | undefined): Promise<StoredOlder> {
    const { number, since } = this.#stored
    if ('key' in this.#stored) return { number, since, key: this.#stored.key }
    const secret = await openSlots(this.#components, this.#components.table.location, this.#stored.slots, current)
    const sealed = await next.seal(olderName(number), secret.expose())
    secret.erase()
    return { number, since, sealed }
  }
}

const olderName = (number: number): string => `store-key ${number}`

/** Reads what is stored under {@link CURRENT}. @throws PeerError `store` `key-damaged` if it is no key. */
function parseStored(table: KeyTable, value: unknown): StoredKey | undefined {
  if (value === undefined) return undefined
  // Of the first version.
  if (isKey(value)) return { number: 0, since: 0, key: value }
  const { number, since, key, slots, wrapped } = (value ?? {}) as Record<string, unknown>
  const isNumbered = Number.isSafeInteger(number) && Number.isSafeInteger(since)
  const numbered = { number: number as number, since: since as number }
  if (isNumbered && isKey(key)) return { ...numbered, key }
  // Locks had a passphrase only.
  const parsed = parseSlots(slots ?? { passphrase: wrapped })
  if (isNumbered && parsed) return { ...numbered, slots: parsed }
  throw storeFailure('key-damaged', table.location)
}

const isKey = (value: unknown): value is CryptoKey => (value as { type?: unknown } | null)?.type === 'secret'

const opened = (
  { subtle, random }: BrowserStoreKeyComponents,
  { number, since }: Numbered,
  key: CryptoKey
): SecretKey => ({ number, since, cipher: webCipher(subtle, key, random) })

async function unlocked(
  components: BrowserStoreKeyComponents,
  stored: StoredKey,
  opener: Opener | undefined
): Promise<CryptoKey> {
  if ('key' in stored) return stored.key
  return platformKey(components, await openSlots(components, components.table.location, stored.slots, opener))
}

async function openedOlder(
  components: BrowserStoreKeyComponents,
  older: StoredOlder,
  current: AtRestCipher
): Promise<SecretKey> {
  if ('key' in older) return opened(components, older, older.key)
  const secret = new Secret(await current.open(olderName(older.number), older.sealed))
  return opened(components, older, await platformKey(components, secret))
}

/** Hands the bytes of a key to the platform, and erases them. */
async function platformKey({ subtle }: BrowserStoreKeyComponents, secret: Secret): Promise<CryptoKey> {
  const key = await importSealKey(subtle, secret)
  secret.erase()
  return key
}

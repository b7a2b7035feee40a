/**
 * The key of a browser's store, in one of two forms. Without a lock it is a key of the platform, which no script can read, but
 * which the browser writes in clear into the files of its profile. With a lock it is there only wrapped under a passphrase.
 *
 * Another form is another key. While the store is sealed again, the key before it is kept: as it was, or, if it was wrapped
 * under another passphrase, sealed under the new key. So what opens the store is from one write on the new form alone.
 */
import { wipe } from '../../../protocol/bytes.ts'
import { KEY_BYTES, type Random } from '../../../protocol/crypto/crypto.ts'
import { storeFailure } from '../../errors.ts'
import type { AtRestCipher, SecretKey, SecretKeys } from '../../ports.ts'
import type { KeyWrapping, WrappedKey } from '../passphrase-wrap.ts'
import { RotatingCipher } from '../rotating-cipher.ts'
import type { KeyTable } from './key-table.ts'
import { generateSealKey, importSealKey, webCipher } from './web-cipher.ts'

/** Name of the key in use; the name of the first version, which stored a bare `CryptoKey`. */
const CURRENT = 'seal'
const OLDER = 'seal-older'

interface Numbered {
  number: number
  since: number
}
type StoredKey = Numbered & ({ key: CryptoKey } | { wrapped: WrappedKey })
type StoredOlder = Numbered & ({ key: CryptoKey } | { sealed: Uint8Array })

export interface BrowserStoreKeyComponents {
  table: KeyTable
  subtle: SubtleCrypto
  random: Random
  wrapping: KeyWrapping
}

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
   * @param passphrase - undefined if nobody was asked for it yet.
   * @returns undefined if this profile has no key.
   * @throws PeerError `store`: `passphrase-needed` or `passphrase-wrong` if there is a lock.
   */
  static async open(
    components: BrowserStoreKeyComponents,
    passphrase: string | undefined
  ): Promise<BrowserStoreKey | undefined> {
    const { table } = components
    const stored = parseStored(await table.get(CURRENT))
    if (!stored) return undefined
    const current = opened(components, stored, await unlocked(components, stored, passphrase))
    const older = (await table.get(OLDER)) as StoredOlder | undefined
    const generations = older ? [await openedOlder(components, older, current.cipher), current] : [current]
    return new BrowserStoreKey(components, stored, generations)
  }

  get isLocked(): boolean {
    return 'wrapped' in this.#stored
  }

  /**
   * Gives what makes the next key.
   *
   * @param passphrase - of the lock; null for none.
   * @param current - the passphrase of the lock there is; null if there is none. Making the key fails with `passphrase-wrong`
   * if it is another, and changes nothing.
   */
  next(passphrase: string | null, current: string | null): Pick<SecretKeys, 'add'> {
    return {
      add: async (number, since) => {
        const { table, subtle, random, wrapping } = this.#components
        const secret = random(KEY_BYTES)
        const key = await importSealKey(subtle, secret)
        const made = opened(this.#components, { number, since }, key)
        const stored: StoredKey =
          passphrase === null
            ? { number, since, key }
            : { number, since, wrapped: await wrapping.wrap(secret, passphrase) }
        wipe(secret)
        await table.write([
          { name: OLDER, value: await this.#asOlder(made.cipher, current ?? undefined) },
          { name: CURRENT, value: stored }
        ])
        this.#stored = stored
        return made
      }
    }
  }

  /** The key in use, in a form that the next one opens. */
  async #asOlder(next: AtRestCipher, passphrase: string | undefined): Promise<StoredOlder> {
    const { number, since } = this.#stored
    if (!('wrapped' in this.#stored)) return { number, since, key: this.#stored.key }
    const secret = await unwrapped(this.#components, this.#stored.wrapped, passphrase)
    const sealed = await next.seal(olderName(number), secret)
    wipe(secret)
    return { number, since, sealed }
  }
}

const olderName = (number: number): string => `store-key ${number}`

/** Reads what is stored under {@link CURRENT}. */
function parseStored(value: unknown): StoredKey | undefined {
  if (value === undefined) return undefined
  return (value as CryptoKey).type === 'secret'
    ? { number: 0, since: 0, key: value as CryptoKey }
    : (value as StoredKey)
}

const opened = (
  { subtle, random }: BrowserStoreKeyComponents,
  { number, since }: Numbered,
  key: CryptoKey
): SecretKey => ({ number, since, cipher: webCipher(subtle, key, random) })

async function unlocked(
  components: BrowserStoreKeyComponents,
  stored: StoredKey,
  passphrase: string | undefined
): Promise<CryptoKey> {
  if ('key' in stored) return stored.key
  return platformKey(components, await unwrapped(components, stored.wrapped, passphrase))
}

async function openedOlder(
  components: BrowserStoreKeyComponents,
  older: StoredOlder,
  current: AtRestCipher
): Promise<SecretKey> {
  if ('key' in older) return opened(components, older, older.key)
  const secret = await current.open(olderName(older.number), older.sealed)
  return opened(components, older, await platformKey(components, secret))
}

/** Hands the bytes of a key to the platform, and wipes them. */
async function platformKey({ subtle }: BrowserStoreKeyComponents, secret: Uint8Array): Promise<CryptoKey> {
  const key = await importSealKey(subtle, secret)
  wipe(secret)
  return key
}

async function unwrapped(
  { wrapping, table }: BrowserStoreKeyComponents,
  stored: WrappedKey,
  passphrase: string | undefined
): Promise<Uint8Array> {
  if (passphrase === undefined) throw storeFailure('passphrase-needed', table.location)
  return wrapping.unwrap(table.location, stored, passphrase)
}

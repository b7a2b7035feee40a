/** Keys of a store's secrets in a browser. A deleted one is gone from the database, not at once from the files of the profile. */
import { KEY_BYTES, type Random } from '../../../protocol/crypto/crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import type { SecretKey, SecretKeys } from '../../ports.ts'
import type { BrowserStoreKey } from './browser-store-key.ts'
import type { KeyTable } from './key-table.ts'
import { generateSealKey, importSealKey, webCipher } from './web-cipher.ts'

/** A key of the platform, or with a lock one that the key of the store seals. */
type StoredSecretKey = { number: number; since: number } & ({ key: CryptoKey } | { sealed: Uint8Array })

/** Under names that sort as the numbers do. */
const nameOf = (number: number): string => `secret/${String(number).padStart(12, '0')}`
const sealName = (number: number): string => `secret-key ${number}`

/** @param storeKey - whether it is locked says in which form a new key is stored. */
export function browserSecretKeys(
  table: KeyTable,
  subtle: SubtleCrypto,
  random: Random,
  storeKey: BrowserStoreKey
): SecretKeys {
  const keyOf = async (stored: StoredSecretKey): Promise<SecretKey> => {
    const { number, since } = stored
    return { number, since, cipher: webCipher(subtle, await platformKey(stored), random) }
  }
  const platformKey = async (stored: StoredSecretKey): Promise<CryptoKey> => {
    if ('key' in stored) return stored.key
    const secret = new Secret(await storeKey.cipher.open(sealName(stored.number), stored.sealed))
    const key = await importSealKey(subtle, secret)
    secret.erase()
    return key
  }
  const make = async (number: number): Promise<{ key: CryptoKey } | { sealed: Uint8Array }> => {
    if (!storeKey.isLocked) return { key: await generateSealKey(subtle) }
    const secret = new Secret(random(KEY_BYTES))
    const sealed = await storeKey.cipher.seal(sealName(number), secret.expose())
    secret.erase()
    return { sealed }
  }
  return {
    location: table.location,
    load: async () => Promise.all(((await table.all('secret/')) as StoredSecretKey[]).map(keyOf)),
    async add(number, since) {
      const stored = { number, since, ...(await make(number)) }
      await table.write([{ name: nameOf(number), value: stored }])
      return keyOf(stored)
    },
    async keepOnly(number) {
      const others = ((await table.all('secret/')) as StoredSecretKey[]).filter(key => key.number !== number)
      await table.write(others.map(other => ({ name: nameOf(other.number), value: undefined })))
    }
  }
}

import type { Crypto } from '../../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { storeFailure } from '../../errors.ts'
import type { KeyValueStore } from '../../ports.ts'
import { openPeerStore } from '../migrations.ts'
import { hasSealedEntries, type SealedStore } from '../sealed-store.ts'
import { browserSecretKeys } from './browser-secret-keys.ts'
import { BrowserStoreKey, type BrowserStoreKeyComponents } from './browser-store-key.ts'
import type { Opener } from './key-slots.ts'
import type { KeyTable } from './key-table.ts'

export interface BrowserStoreComponents extends BrowserStoreKeyComponents {
  crypto: BrowserStoreKeyComponents['crypto'] & Pick<Crypto, 'hmacSha256'>
  openLevel(): Promise<KeyValueStore>
}

/**
 * Opens the store of a browser profile with its keys, making both on first use. The key comes before the store: a locked
 * browser's store stays shut.
 *
 * @param opener - undefined if nobody was asked yet.
 * @throws PeerError `store`: `locked`, `passphrase-wrong` or `passkey-wrong` if there is a lock; `key-missing` if the keys
 * were deleted and the store was not; `key-damaged` if they are not the keys of this store.
 */
export async function openBrowserStore(
  components: BrowserStoreComponents,
  opener: Opener | undefined,
  now: number
): Promise<{ store: SealedStore; storeKey: BrowserStoreKey }> {
  const { table, subtle, crypto, random } = components
  const stored = await BrowserStoreKey.open(components, opener).catch((error: unknown) => {
    throw notOfThisStore(table, error)
  })
  const level = await components.openLevel()
  try {
    // A new key opens nothing of an old store, and would be taken for its key.
    if (!stored && (await hasSealedEntries(level))) throw storeFailure('key-missing', table.location)
    const storeKey = stored ?? (await BrowserStoreKey.create(components, now))
    const keys = browserSecretKeys(table, subtle, random, storeKey)
    return { store: await openPeerStore(level, storeKey.cipher, crypto, random, { keys, now }), storeKey }
  } catch (error) {
    await level.close()
    throw notOfThisStore(table, error)
  }
}

function notOfThisStore(table: KeyTable, error: unknown): unknown {
  const isOther = error instanceof ProtocolError && error.code === 'DECRYPT_FAILED'
  return isOther ? storeFailure('key-damaged', table.location, error) : error
}

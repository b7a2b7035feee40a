/**
 * Brings a peer's store to the layout that this program reads. The store carries the version of its layout; a store without
 * one has version 1, the layout before there were versions. Steps run in order, and the changes of each are one batch with the
 * version that it leads to: a process that ends between two steps, or during one, finds a store of a known version.
 *
 * To change the layout: store a copy of a store of today (`test/fixtures/peer-stores`), add a step, and test it from the copy.
 * A step that was released never changes; what it needs of an old layout it keeps with itself.
 */
import { decode, encode, uint } from '../../protocol/codec.ts'
import type { Crypto, Random } from '../../protocol/crypto/crypto.ts'
import { storeFailure } from '../errors.ts'
import type { AtRestCipher, KeyValueStore, SecretKeys } from '../ports.ts'
import { BLINDED_SINCE, STEPS, type MigrationStep } from './migration-steps.ts'
import { SealedStore, type EntryChange } from './sealed-store.ts'

/** Version of a store that carries none. */
const FIRST_VERSION = 1
const VERSION_NAME = { space: 'store-version' }
const MAX_VERSION_BYTES = 9

/** The version of the layout that this program reads and writes. */
export const STORE_VERSION = FIRST_VERSION + STEPS.length

/**
 * Opens a store, makes its blinding key on first use, and migrates it.
 *
 * @param secrets - keys of what must be gone once it is erased, and the time.
 * @throws ProtocolError `DECRYPT_FAILED` if the cipher's key is not the one the store was made with.
 * @throws PeerError `store` if a newer version of the program wrote the store, or the keys of the secrets are gone.
 */
export async function openPeerStore(
  store: KeyValueStore,
  cipher: AtRestCipher,
  crypto: Pick<Crypto, 'hmacSha256'>,
  random: Random,
  secrets: { keys: SecretKeys; now: number }
): Promise<SealedStore> {
  const sealed = await SealedStore.open(store, cipher, crypto, random, secrets)
  await migrate(sealed, STEPS)
  return sealed
}

/**
 * Runs the steps that a store has not had yet.
 *
 * @param steps - step `i` leads from version `i + 1` to `i + 2`.
 * @throws PeerError `store` if the store has a version that no step leads to; nothing is changed then.
 */
export async function migrate(store: SealedStore, steps: readonly MigrationStep[]): Promise<void> {
  const newest = FIRST_VERSION + steps.length
  const stored = await store.get(VERSION_NAME)
  const found = stored ? decode(uint(), stored, { maxBytes: MAX_VERSION_BYTES }) : undefined
  if (found !== undefined && found > newest) throw newerStore(found, newest)
  if (found === undefined && newest === FIRST_VERSION) return writeVersion(store, newest, [])
  // Before the first step: steps read and write names of today.
  if ((found ?? FIRST_VERSION) < BLINDED_SINCE) await store.blindOldNames()
  for (let version = found ?? FIRST_VERSION; version < newest; version++) {
    await writeVersion(store, version + 1, await steps[version - FIRST_VERSION]!(store))
  }
}

function writeVersion(store: SealedStore, version: number, changes: EntryChange[]): Promise<void> {
  return store.batch([...changes, { ...VERSION_NAME, value: encode(uint(), version) }])
}

/** Older code would misread newer entries, and could write over what it does not know. */
function newerStore(found: number, known: number): Error {
  const detail = `it has version ${found}, this program knows versions up to ${known}`
  return storeFailure('newer', 'store', new Error(detail))
}

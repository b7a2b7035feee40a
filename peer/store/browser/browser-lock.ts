import type { SecretKeys } from '../../ports.ts'
import { requirePassphrase } from '../passphrase-wrap.ts'
import type { SealedStore } from '../sealed-store.ts'
import type { SigningVault } from '../signing-vault.ts'
import type { BrowserStoreKey } from './browser-store-key.ts'

export interface LockState {
  isSet: boolean
  /** Whether the key that signs for this device is under the lock; not where an earlier version let the browser make it. */
  coversDevice: boolean
}

/** The lock of an open store. Each call seals the whole store again, which takes as long as reading and writing it. */
export interface BrowserLock {
  state(): Promise<LockState>
  /** @throws PeerError `passphrase` if it is too short or too long. */
  set(passphrase: string): Promise<void>
  /** @throws PeerError `store` `passphrase-wrong` if `current` is wrong; nothing is changed then. */
  change(current: string, passphrase: string): Promise<void>
  /** @throws PeerError `store` `passphrase-wrong`; nothing is changed then. */
  remove(current: string): Promise<void>
}

export interface BrowserLockComponents {
  store: SealedStore
  storeKey: BrowserStoreKey
  vault: Pick<SigningVault, 'madeIn'>
  now: () => number
}

export function createBrowserLock({ store, storeKey, vault, now }: BrowserLockComponents): BrowserLock {
  const replace = (keys: Pick<SecretKeys, 'add'>): Promise<void> => store.replaceKey(now(), keys)
  return {
    state: async () => ({ isSet: storeKey.isLocked, coversDevice: (await vault.madeIn()) === 'seed' }),
    async set(passphrase) {
      requirePassphrase(passphrase)
      await replace(storeKey.next(passphrase, null))
    },
    async change(current, passphrase) {
      requirePassphrase(passphrase)
      await replace(storeKey.next(passphrase, current))
    },
    remove: current => replace(storeKey.next(null, current))
  }
}

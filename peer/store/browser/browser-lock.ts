import { SerialQueue } from '../../../protocol/serial-queue.ts'
import { requirePassphrase } from '../passphrase-wrap.ts'
import type { SealedStore } from '../sealed-store.ts'
import type { SigningVault } from '../signing-vault.ts'
import type { BrowserStoreKey } from './browser-store-key.ts'
import type { LockWays, Opener } from './key-slots.ts'

export interface LockState {
  ways: LockWays
  /** Whether the key that signs for this device is under the lock; not where an earlier version let the browser make it. */
  coversDevice: boolean
}

/**
 * The lock of an open store. No call changes anything if what should open the lock does not: they throw PeerError `store` with
 * `locked`, `passphrase-wrong` or `passkey-wrong` then, and PeerError `passphrase` for a new one that is too short or too long.
 */
export interface BrowserLock {
  state(): Promise<LockState>
  /**
   * Makes another key, and seals the whole store again under it: takes as long as reading and writing the store.
   *
   * @param openers - what opens the store from then on, one of a kind at most; none takes the lock off. What opens it today and is
   * not among them opens nothing that is written later, also for the owner of an old copy.
   * @param current - a way that opens it now, null if there is no lock.
   */
  replace(openers: Opener[], current: Opener | null): Promise<void>
  /** Adds another way to a lock, at once: nothing is sealed again. @param current - a way that opens it now. */
  add(opener: Opener, current: Opener): Promise<void>
}

export interface BrowserLockComponents {
  store: SealedStore
  storeKey: BrowserStoreKey
  vault: Pick<SigningVault, 'madeIn'>
  now: () => number
}

export function createBrowserLock({ store, storeKey, vault, now }: BrowserLockComponents): BrowserLock {
  // One at a time: a way that is added to a key which is being replaced would bring the old key back.
  const changes = new SerialQueue()
  return {
    state: async () => ({ ways: storeKey.ways, coversDevice: (await vault.madeIn()) === 'seed' }),
    async replace(openers, current) {
      openers.forEach(requireFit)
      await changes.run(() => store.replaceKey(now(), storeKey.next(openers, current)))
    },
    async add(opener, current) {
      requireFit(opener)
      await changes.run(() => storeKey.addWay(opener, current))
    }
  }
}

function requireFit(opener: Opener): void {
  if (opener.way === 'passphrase') requirePassphrase(opener.passphrase)
}

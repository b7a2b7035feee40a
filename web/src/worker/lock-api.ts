import type { LockState } from '../../../peer/store/browser/browser-lock.ts'

/** The lock of this browser, as a tab uses it: the same whether the peer is open or shut. */
export interface LockApi {
  /** Opens a locked browser for every tab. @throws PeerError `store` `passphrase-wrong`. */
  unlock(passphrase: string): Promise<void>
  state(): Promise<LockState>
  set(passphrase: string): Promise<void>
  change(current: string, passphrase: string): Promise<void>
  remove(current: string): Promise<void>
  /** Shuts the peer until a tab unlocks it. */
  lockNow(): Promise<void>
  /** Deletes everything that the peer keeps in this browser, also while it is locked or does not open. */
  forget(): Promise<void>
  /** @param listener - called when this tab finds that the browser is locked. @returns a function that stops the listening. */
  onLocked(listener: () => void): () => void
}

/** Every call of the lock that a page may make. */
export const LOCK_CALLS = ['unlock', 'state', 'set', 'change', 'remove', 'lockNow', 'forget'] as const
export type LockCall = (typeof LOCK_CALLS)[number]

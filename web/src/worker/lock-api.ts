import type { LockState } from '../../../peer/store/browser/browser-lock.ts'
import type { LockWays, Opener } from '../../../peer/store/browser/key-slots.ts'

/** The lock of this browser, as a tab uses it. Answers of passkeys that are handed over are erased with the call. */
export interface LockApi {
  /** Which ways open this browser; also while it is locked. */
  ways(): Promise<LockWays>
  /** Opens a locked browser for every tab. @throws PeerError `store` `passphrase-wrong` or `passkey-wrong`. */
  unlock(opener: Opener): Promise<void>
  state(): Promise<LockState>
  /** See `BrowserLock`. */
  replace(openers: Opener[], current: Opener | null): Promise<void>
  /** See `BrowserLock`. */
  add(opener: Opener, current: Opener): Promise<void>
  /** Shuts the peer until a tab unlocks it. */
  lockNow(): Promise<void>
  /** Deletes everything that the peer keeps in this browser, also while it is locked or does not open. */
  forget(): Promise<void>
  /** @param listener - called when this tab finds that the browser is locked. @returns a function that stops the listening. */
  onLocked(listener: () => void): () => void
}

/** Every call of the lock that a page may make. */
export const LOCK_CALLS = ['ways', 'unlock', 'state', 'replace', 'add', 'lockNow', 'forget'] as const
export type LockCall = (typeof LOCK_CALLS)[number]

/** An {@link Opener} that passes through a port: a `Secret` does not. */
type OpenerFrame =
  { way: 'passphrase'; passphrase: string } | { way: 'passkey'; credentialId: string; salt: string; answer: Uint8Array }

/** What stands for an argument of a call in its frame. */
export function lockArgument(value: Opener | Opener[] | null): OpenerFrame | OpenerFrame[] | null {
  if (value === null) return null
  return Array.isArray(value) ? value.map(openerFrame) : openerFrame(value)
}

function openerFrame(opener: Opener): OpenerFrame {
  if (opener.way === 'passphrase') return { ...opener }
  return { way: 'passkey', ...opener.passkey, answer: opener.answer.expose() }
}

/** Erases what passkeys answered, of the arguments of a call. */
export function eraseOpeners(args: readonly unknown[]): void {
  for (const each of args.flat() as (Opener | null)[]) if (each?.way === 'passkey') each.answer.erase()
}

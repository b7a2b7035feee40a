/** Stands in for peer/browser-peer.ts in the fixture build: a peer that is a {@link FakePeer}, behind a lock. */
import type { BrowserPeer } from '../../peer/browser-peer.ts'
import { storeFailure } from '../../peer/errors.ts'
import type { BrowserLock } from '../../peer/store/browser/browser-lock.ts'
import type { LockWays, Opener } from '../../peer/store/browser/key-slots.ts'
import { FakePeer } from './fake-peer.ts'

/** A lock that takes any passphrase but `wrong`, and any passkey. It is forgotten with the page. */
export class FakeLock implements BrowserLock {
  ways: LockWays = NO_WAYS

  state = async () => ({ ways: this.ways, coversDevice: true })
  async replace(openers: Opener[], current: Opener | null): Promise<void> {
    requireRight(current)
    this.ways = openers.reduce(withWay, NO_WAYS)
  }
  async add(opener: Opener, current: Opener): Promise<void> {
    requireRight(current)
    this.ways = withWay(this.ways, opener)
  }
}

const NO_WAYS: LockWays = { passphrase: false, passkey: null }

const withWay = (ways: LockWays, opener: Opener): LockWays =>
  opener.way === 'passphrase' ? { ...ways, passphrase: true } : { ...ways, passkey: opener.passkey }

function requireRight(opener: Opener | null): void {
  if (opener?.way === 'passphrase' && opener.passphrase === 'wrong') throw storeFailure('passphrase-wrong', 'fixture')
}

const lock = new FakeLock()
let peer: FakePeer | undefined

/** Same shape as the real one. */
export async function createBrowserPeer({ opener }: { opener: Opener | undefined }): Promise<BrowserPeer> {
  const isLocked = lock.ways.passphrase || lock.ways.passkey
  if (isLocked && !opener) throw storeFailure('locked', 'fixture')
  requireRight(opener ?? null)
  const api = (peer ??= new FakePeer())
  return { api, lock, start: () => api.start(), stop: () => api.stop() }
}

/** See the real one. */
export const browserLockWays = async (): Promise<LockWays> => lock.ways

/** See the real one. */
export async function forgetBrowserPeer(): Promise<void> {
  lock.ways = NO_WAYS
  peer = undefined
}

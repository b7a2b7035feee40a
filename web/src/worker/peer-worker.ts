/**
 * Owns the peer. As a shared worker there is one for every tab of this browser profile, and closing a tab disturbs
 * nothing. Where there are no shared workers every tab starts this as a worker of its own: the one that gets the lock
 * serves all tabs, and when its tab closes, another one does.
 */
import { APP_VERSION } from '../state/app-version.ts'
import { CHANNEL_NAME, leadTabs } from './broadcast-frames.ts'
import { portFrames, type HostFrame, type TabFrame } from './frames.ts'
import { holdLifeLock, holdPeerLock } from './peer-lock.ts'
import { PeerHost } from './peer-host.ts'

/** The part of a shared worker's global scope in use; TypeScript has the page's scope only. */
interface SharedWorkerScope {
  onconnect: ((event: { ports: readonly MessagePort[] }) => void) | null
}

const host = new PeerHost({
  async open(opener, onEnded) {
    // The lock first: an older version's worker may still have the store open.
    await locked
    const { createBrowserPeer } = await import('../../../peer/browser-peer.ts')
    const peer = await createBrowserPeer({ origin: location.origin, version: APP_VERSION, opener, onEnded })
    await peer.start()
    return peer
  },
  async ways() {
    const { browserLockWays } = await import('../../../peer/browser-peer.ts')
    return browserLockWays()
  },
  async forget() {
    await locked
    const { forgetBrowserPeer } = await import('../../../peer/browser-peer.ts')
    await forgetBrowserPeer()
  }
})

function serveTabs(scope: SharedWorkerScope): void {
  const life = holdLifeLock()
  scope.onconnect = async ({ ports: [port] }) => {
    if (!port) return
    const tab = portFrames<HostFrame, TabFrame>(port)
    // Newer browsers report when the other end is gone, for whatever reason.
    port.addEventListener('close', () => host.forget(tab))
    host.serve(tab, await life)
  }
}

const locked = holdPeerLock()
if ('onconnect' in globalThis) serveTabs(globalThis as unknown as SharedWorkerScope)
else void locked.then(() => leadTabs(new BroadcastChannel(CHANNEL_NAME), tab => host.serve(tab)))

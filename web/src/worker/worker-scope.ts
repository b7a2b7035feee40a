import type { PeerApi } from '../../../peer/peer-api.ts'

/** The part of a shared worker's global scope in use; TypeScript has the page's scope only. */
export interface SharedWorkerScope {
  onconnect: ((event: { ports: readonly MessagePort[] }) => void) | null
}

/** Only who holds this lock may open the peer's store: an older version's worker may still be running. */
const PEER_LOCK = 'volo-peer'

/**
 * Waits for the one lock of this browser profile, and keeps it until the worker ends. The browser releases it, also
 * after a crash, so it cannot get stuck.
 */
export function holdPeerLock(): Promise<void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(PEER_LOCK, () => {
        resolve()
        return new Promise(() => {})
      })
      .catch(reject)
  })
}

/** Opens the peer in this worker and starts it. */
export async function openPeer(): Promise<PeerApi> {
  const { createBrowserPeer } = await import('../../../peer/browser.ts')
  const peer = await createBrowserPeer({ origin: location.origin })
  await peer.start()
  return peer
}

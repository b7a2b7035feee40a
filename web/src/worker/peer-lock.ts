/** Only who holds this lock may open the peer's store. */
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

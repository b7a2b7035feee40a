/** Only the worker that holds this lock may open the peer's store. */
const PEER_LOCK = 'volo-peer'

/**
 * Waits for the one lock of this browser profile, and keeps it until the worker ends. The browser releases it, also
 * after a crash, so it cannot get stuck.
 */
export const holdPeerLock = (): Promise<void> => hold(PEER_LOCK)

/** Holds a lock of this worker's own until it ends, however it ends. @returns its name, so that a tab can wait for the end. */
export async function holdLifeLock(): Promise<string> {
  const name = `volo-worker-${crypto.randomUUID()}`
  await hold(name)
  return name
}

function hold(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, () => {
        resolve()
        return new Promise(() => {})
      })
      .catch(reject)
  })
}

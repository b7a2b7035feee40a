import type { PeerApi } from '../../../peer/peer-api.ts'
import { CHANNEL_NAME, tabFrames, type Channel } from './broadcast-frames.ts'
import type { LockApi } from './lock-api.ts'
import { PeerClient } from './peer-client.ts'
import { sharedWorkerFrames } from './shared-worker-frames.ts'
import { trustedScript } from './trusted-script.ts'
import workerUrl from './peer-worker.ts?worker&url'

/** Connects this tab to the one peer of the browser profile, starting its worker if needed. */
export function connectPeer(): { api: PeerApi; lock: LockApi } {
  const client = new PeerClient('SharedWorker' in globalThis ? sharedWorkerPort() : leadingWorkerPort())
  addEventListener('pagehide', event => {
    // A page that the browser keeps for "back" still listens.
    if (!event.persisted) client.leave()
  })
  return { api: client.api, lock: client.lock }
}

function sharedWorkerPort() {
  return sharedWorkerFrames(() => new SharedWorker(trustedScript(workerUrl), { type: 'module', name: 'volo' }))
}

function leadingWorkerPort() {
  new Worker(trustedScript(workerUrl), { type: 'module', name: 'volo' })
  return tabFrames(new BroadcastChannel(CHANNEL_NAME) as unknown as Channel, crypto.randomUUID())
}

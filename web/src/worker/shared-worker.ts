/** Owns the peer for every tab of this browser profile; closing one tab disturbs nothing. */
import { portFrames, type HostFrame, type TabFrame } from './frames.ts'
import { PeerHost } from './peer-host.ts'
import { holdPeerLock, openPeer, type SharedWorkerScope } from './worker-scope.ts'

const locked = holdPeerLock()
const host = new PeerHost(async () => {
  await locked
  return openPeer()
})

const scope = globalThis as unknown as SharedWorkerScope
scope.onconnect = ({ ports }) => {
  const [port] = ports
  if (!port) return
  const tab = portFrames<HostFrame, TabFrame>(port)
  // Newer browsers tell when the other end is gone, whatever ended it.
  port.addEventListener('close', () => host.forget(tab))
  host.serve(tab)
}

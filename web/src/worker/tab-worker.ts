/** Where there are no shared workers: every tab has one of these, and the one that holds the lock serves all tabs. */
import { CHANNEL_NAME, leadTabs } from './broadcast-frames.ts'
import { PeerHost } from './peer-host.ts'
import { holdPeerLock, openPeer } from './worker-scope.ts'

await holdPeerLock()
const host = new PeerHost(openPeer)
leadTabs(new BroadcastChannel(CHANNEL_NAME), tab => host.serve(tab))

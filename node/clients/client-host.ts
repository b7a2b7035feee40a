import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { nodeNoiseCrypto } from '../../protocol/crypto/backends/node-noise.ts'
import { fewWindowUpdates, wholePackets } from '../../protocol/libp2p/libp2p-packets.ts'
import { forgetfulDatastore } from '../network/forgetful-datastore.ts'
import { UPGRADE_TIMEOUT_MS } from '../network/libp2p-host.ts'
import { silentLibp2pLog } from '../network/silent-libp2p-log.ts'
import { CLIENT_LISTEN_ADDRESS, type WebSocketServer } from './websocket-server.ts'

/** All addresses: this node limits client connections itself, before the WebSocket is accepted. */
const ANY_ADDRESS = ['/ip4/0.0.0.0/ipcidr/0', '/ip6/::/ipcidr/0']

/** Makes the host that clients connect to; not started. */
export function createClientHost(privateKey: PrivateKey, webSockets: WebSocketServer): Promise<Libp2p> {
  return createLibp2p({
    start: false,
    privateKey,
    logger: silentLibp2pLog,
    addresses: { listen: [CLIENT_LISTEN_ADDRESS] },
    transports: [webSockets.transport()],
    connectionEncrypters: [wholePackets(noise({ crypto: nodeNoiseCrypto }))],
    // The session pings and notices silence itself; a timer per connection would only cost.
    streamMuxers: [
      fewWindowUpdates(
        yamux({ enableKeepAlive: false, maxInboundStreams: 2, maxOutboundStreams: 0, maxEarlyStreams: 1 })
      )
    ],
    connectionManager: { allow: ANY_ADDRESS, maxConnections: 1_000_000, inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS },
    connectionMonitor: { enabled: false },
    datastore: forgetfulDatastore()
  })
}

/**
 * The libp2p host of links between nodes, and names of nodes in libp2p. Clients connect to a host of their own
 * (`clients/client-host.ts`) under the same key: whatever a client does, it cannot reach gossip, and clients that come and
 * go do not touch the links between nodes.
 */
import { gossipsub, type GossipSub, type GossipSubComponents, type GossipsubOpts } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { publicKeyFromRaw, privateKeyFromRaw } from '@libp2p/crypto/keys'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { concatBytes } from '../../protocol/bytes.ts'
import { nodeNoiseCrypto } from '../../protocol/crypto/backends/node-noise.ts'
import { MAX_LISTED_NODES } from '../../protocol/limits.ts'
import { fewWindowUpdates, MAX_WINDOW_BYTES, wholePackets } from '../../protocol/libp2p/libp2p-packets.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { silentLibp2pLog } from './silent-libp2p-log.ts'

/** A connection that is not through its handshakes by then is dropped. */
export const UPGRADE_TIMEOUT_MS = 5_000

/** The host of links between nodes. */
export type NodeHost = Libp2p<{ gossip: GossipSub }>

/** The libp2p key of a node. @param seed - 32 bytes. @param publicKey - the Ed25519 key of that seed. */
export function libp2pKeyOf(seed: Uint8Array, publicKey: Uint8Array): PrivateKey {
  return privateKeyFromRaw(concatBytes(seed, publicKey))
}

/** The libp2p name of a node's key. */
export function peerIdOf(nodeKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(nodeKey))
}

/** The node's key behind a libp2p name; undefined if it is no Ed25519 key. */
export function nodeKeyOf(peerId: PeerId): NodeKey | undefined {
  return peerId.type === 'Ed25519' ? (peerId.publicKey.raw as NodeKey) : undefined
}

/** Lets through only peers that `isListed`; who is not ends before the first stream. */
function listedOnly(isListed: (peer: PeerId) => boolean): ConnectionGater {
  return {
    denyDialPeer: peer => !isListed(peer),
    denyInboundEncryptedConnection: peer => !isListed(peer),
    denyOutboundEncryptedConnection: peer => !isListed(peer),
    // Nodes of one operator or of a test may live on private or loopback addresses.
    denyDialMultiaddr: () => false
  }
}

export interface NodeHostInit {
  privateKey: PrivateKey
  /** Multiaddr, or undefined to take no inbound links. */
  listen: string | undefined
  isListed: (peer: PeerId) => boolean
  gossip: Partial<GossipsubOpts>
}

/** Makes the host for links between nodes; not started. */
export function createNodeHost({ privateKey, listen, isListed, gossip }: NodeHostInit): Promise<NodeHost> {
  return createLibp2p({
    start: false,
    privateKey,
    logger: silentLibp2pLog,
    addresses: { listen: listen === undefined ? [] : [listen] },
    transports: [tcp()],
    connectionEncrypters: [wholePackets(noise({ crypto: nodeNoiseCrypto }))],
    streamMuxers: [
      fewWindowUpdates(
        yamux({ streamOptions: { maxWriteBufferLength: 16 * 1024 * 1024, maxStreamWindowSize: MAX_WINDOW_BYTES } })
      )
    ],
    connectionGater: listedOnly(isListed),
    connectionManager: {
      maxConnections: 2 * MAX_LISTED_NODES,
      // Unlisted peers are refused after the handshake, which costs them as much as us.
      inboundConnectionThreshold: 50,
      maxIncomingPendingConnections: 200,
      maxParallelDials: 50,
      // Redialling is done here, see node-links.ts.
      reconnectRetries: 0,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS
    },
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      gossip: (components: GossipSubComponents) => gossipsub(gossip)(components) as GossipSub
    }
  }) as Promise<NodeHost>
}

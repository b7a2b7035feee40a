/** libp2p over WebSocket: one connection to one node, one stream of length-prefixed frames on it. */
import { noise, type ICryptoInterface } from '@libp2p/noise'
import { generateKeyPair, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Connection, PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { equalBytes } from '../../protocol/bytes.ts'
import { MAX_PEER_FRAME_BYTES } from '../../protocol/limits.ts'
import { FrameStream } from '../../protocol/libp2p/frame-stream.ts'
import { fewWindowUpdates, MAX_WINDOW_BYTES, wholePackets } from '../../protocol/libp2p/libp2p-packets.ts'
import { PEER_PROTOCOL } from '../../protocol/wire/peer-frames.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import type { NodeStream, Transport } from '../ports.ts'
import { nodeAddress } from './node-address.ts'

/** Bytes that may wait for a node that does not read, far above what the outbox has under way at a time. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024

export interface Libp2pTransportOptions {
  /**
   * Whether a WebSocket without TLS may be opened to a host. The frames are encrypted by Noise in any case; browsers
   * should only do so on a devnet of this machine.
   */
  allowPlain: (host: string) => boolean
  /** Ciphers of the connection; undefined for those that @libp2p/noise brings. */
  noiseCrypto?: ICryptoInterface
}

/** Dials nodes under an identity made for this process: the device's key never appears in libp2p. */
export class Libp2pTransport implements Transport {
  readonly #options: Libp2pTransportOptions
  #host: Promise<{ libp2p: Libp2p; key: PrivateKey }> | undefined

  constructor(options: Libp2pTransportOptions) {
    this.#options = options
  }

  async dial(url: string, key: NodeKey, { signal }: { signal: AbortSignal }): Promise<NodeStream> {
    const { hostname, protocol } = new URL(url)
    if (protocol !== 'https:' && !this.#options.allowPlain(hostname)) {
      throw new Error(`${url} is not encrypted by TLS, which is only accepted on this machine`)
    }
    const host = await (this.#host ??= startLibp2p(this.#options.noiseCrypto))
    const peerId = peerIdFromPublicKey(publicKeyFromRaw(key))
    // `force`: an older connection to the same node may be half dead, and libp2p would hand it out again.
    const connection = await host.libp2p
      .dial(multiaddr(`${nodeAddress(url)}/p2p/${peerId.toString()}`), { signal, force: true })
      .catch((error: unknown) => {
        // Failed WebSocket dials reject with an event, not an error.
        throw error instanceof Error ? error : new Error(`${url} did not answer`)
      })
    try {
      const remote = connection.remotePeer.publicKey?.raw
      if (!remote || !equalBytes(remote, key)) throw new Error(`another node answered at ${url}`)
      const stream = await connection.newStream(PEER_PROTOCOL, { signal })
      return new Libp2pNodeStream(connection, stream, key, host.key.publicKey.raw)
    } catch (error) {
      connection.abort(error as Error)
      throw error
    }
  }

  async stop(): Promise<void> {
    const host = this.#host
    this.#host = undefined
    await (await host)?.libp2p.stop()
  }
}

async function startLibp2p(crypto: ICryptoInterface | undefined): Promise<{ libp2p: Libp2p; key: PrivateKey }> {
  const key = await generateKeyPair('Ed25519')
  const libp2p = await createLibp2p({
    privateKey: key,
    transports: [webSockets()],
    connectionEncrypters: [wholePackets(noise(crypto && { crypto }))],
    streamMuxers: [fewWindowUpdates(yamux({ streamOptions: { maxStreamWindowSize: MAX_WINDOW_BYTES } }))],
    connectionMonitor: { enabled: false },
    // The browser default refuses every plain WebSocket; which ones are fine is decided above.
    connectionGater: { denyDialMultiaddr: () => false }
  })
  return { libp2p, key }
}

class Libp2pNodeStream implements NodeStream {
  readonly node: NodeKey
  readonly clientKey: Uint8Array
  readonly #connection: Connection
  readonly #frames: FrameStream
  #closed = false

  constructor(connection: Connection, stream: Stream, node: NodeKey, clientKey: Uint8Array) {
    this.#connection = connection
    this.#frames = new FrameStream(stream, {
      maxFrameBytes: MAX_PEER_FRAME_BYTES,
      maxWaitingBytes: MAX_WAITING_BYTES
    })
    this.node = node
    this.clientKey = clientKey
    connection.addEventListener('close', () => this.close())
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#closed || !this.#frames.send(frame)) throw new Error('the connection has ended')
  }

  async receive(): Promise<Uint8Array | undefined> {
    if (this.#closed) return undefined
    // The end of a stream, an oversized frame and a lost connection mean the same: dial again.
    const frame = await this.#frames.read().catch(() => undefined)
    if (frame === undefined) this.close()
    return frame
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#connection.abort(new Error('closed by the client'))
  }
}

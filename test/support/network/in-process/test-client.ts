/** A client that speaks `/volo/peer/1` frame by frame, for tests that must send wrong ones too. */
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { lpStream } from '@libp2p/utils'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { toHex } from '../../../../protocol/bytes.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import {
  deviceIdOf,
  type AccountId,
  type DeviceId,
  type DevicePublicKeys
} from '../../../../protocol/identity/device.ts'
import { signPeerAuthentication } from '../../../../protocol/identity/peer-authentication.ts'
import { MAX_PEER_FRAME_BYTES } from '../../../../protocol/limits.ts'
import { signAcknowledgement } from '../../../../protocol/wire/custody.ts'
import { signMailboxToken } from '../../../../protocol/wire/delivery-token.ts'
import { encodeEnvelope, type Delivery, type DeliveryId, type Envelope } from '../../../../protocol/wire/envelope.ts'
import {
  decodeNodeFrame,
  encodeClientFrame,
  PEER_PROTOCOL,
  type ClientFrame,
  type NodeFrame,
  type NodeFrameOf,
  type SubmissionResult
} from '../../../../protocol/wire/peer-frames.ts'
import { peerIdOf } from '../../../../node/network/libp2p-host.ts'
import { crypto, network, random } from './fixtures.ts'
import { eventually } from '../../wait-for.ts'

type Plain<F> = F extends unknown ? Omit<F, 'request'> : never
export type ClientRequest = Plain<ClientFrame>

/** An `error` frame. */
export class RefusedError extends Error {
  readonly code: string

  constructor(frame: NodeFrameOf<'error'>) {
    super(`${frame.code}: ${frame.message}`)
    this.code = frame.code
  }
}

/** Opens a raw stream to a node with a fresh libp2p key. */
export async function openStream(port: number, nodeKey: Uint8Array): Promise<{ host: Libp2p; stream: Stream }> {
  const host = await createLibp2p({
    addresses: { listen: [] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false }
  })
  try {
    const connection = await host.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${peerIdOf(nodeKey)}`))
    return { host, stream: await connection.newStream(PEER_PROTOCOL) }
  } catch (error) {
    await host.stop()
    throw error
  }
}

export class TestClient {
  readonly keys: DevicePublicKeys
  readonly deviceId: DeviceId
  readonly accountId = random(32) as AccountId
  readonly key: SigningKey
  /** Delivery token of its account. */
  readonly token = random(32)
  /** Everything the node said, in order. */
  readonly frames: NodeFrame[] = []
  readonly delivered: Delivery[] = []
  epoch = 0
  /** Acknowledge every delivery. */
  acknowledges = true
  #host: Libp2p | undefined
  #stream: ReturnType<typeof lpStream> | undefined
  #raw: Stream | undefined
  #nodeKey: Uint8Array = new Uint8Array(32)
  #request = 0
  readonly #waiting = new Map<number, { resolve(frame: NodeFrame): void; reject(error: Error): void }>()
  #ended = Promise.withResolvers<void>()
  #acknowledging: Promise<unknown> = Promise.resolve()

  private constructor(key: SigningKey, messagingKeyHash: Uint8Array) {
    this.key = key
    this.keys = { signingKey: key.publicKey, messagingKeyHash }
    this.deviceId = deviceIdOf(crypto, network, this.keys)
  }

  static async create(): Promise<TestClient> {
    return new TestClient(await crypto.signingKeyFromSeed(random(32)), random(32))
  }

  /** The same device a second time, as from a copied data folder. */
  twin(): TestClient {
    return new TestClient(this.key, this.keys.messagingKeyHash)
  }

  /** Connects and proves the device. @throws RefusedError */
  async connect(port: number, nodeKey: Uint8Array): Promise<NodeFrameOf<'authenticated'>> {
    const hello = await this.open(port, nodeKey)
    return this.authenticate(hello)
  }

  /** Connects and waits for the hello. */
  async open(port: number, nodeKey: Uint8Array): Promise<NodeFrameOf<'hello'>> {
    await this.close()
    const { host, stream } = await openStream(port, nodeKey)
    this.#host = host
    this.#raw = stream
    this.#nodeKey = nodeKey
    this.#stream = lpStream(stream, { maxDataLength: MAX_PEER_FRAME_BYTES })
    this.#ended = Promise.withResolvers<void>()
    this.frames.length = 0
    void this.#read(this.#stream)
    await eventually(() => this.frames.length > 0, { what: 'a hello', timeoutMs: 5_000 })
    return this.frames[0] as NodeFrameOf<'hello'>
  }

  async authenticate(
    hello: NodeFrameOf<'hello'>,
    change: {
      nonce?: Uint8Array
      nodeKey?: Uint8Array
      clientPeerKey?: Uint8Array
      time?: number
      version?: number
    } = {}
  ): Promise<NodeFrameOf<'authenticated'>> {
    const time = change.time ?? Date.now()
    const proof = {
      nodeKey: change.nodeKey ?? this.#nodeKey,
      clientPeerKey: change.clientPeerKey ?? this.#host!.peerId.publicKey!.raw,
      nonce: change.nonce ?? hello.nonce,
      deviceId: this.deviceId,
      time
    }
    const signature = await signPeerAuthentication(network, this.key, proof)
    const frame = { kind: 'authenticate', version: change.version ?? 1, keys: this.keys, time, signature } as const
    const answer = (await this.request(frame)) as NodeFrameOf<'authenticated'>
    this.epoch = answer.epoch.number
    return answer
  }

  /** Sends a request and waits for its answer. @throws RefusedError for an error, or Error if the stream ends. */
  request(frame: ClientRequest): Promise<NodeFrame> {
    const request = ++this.#request
    const { promise, resolve, reject } = Promise.withResolvers<NodeFrame>()
    this.#waiting.set(request, { resolve, reject })
    promise.catch(() => undefined)
    this.sendBytes(encodeClientFrame({ ...frame, request } as ClientFrame)).catch(reject)
    return promise
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#stream!.write(bytes)
  }

  async submit(envelope: Envelope, epoch = this.epoch): Promise<SubmissionResult[]> {
    const answer = await this.request({ kind: 'submit', epoch, envelope: encodeEnvelope(envelope) })
    return (answer as NodeFrameOf<'submitted'>).results
  }

  /** Gives its token to the replicas of its mailbox. */
  async publishToken(revision = 1, token = this.token): Promise<void> {
    const signed = await signMailboxToken(crypto, network, this.key, { keys: this.keys, revision, token })
    await this.request({ kind: 'publishToken', token: signed })
  }

  async attach(): Promise<number> {
    return ((await this.request({ kind: 'attach' })) as NodeFrameOf<'attached'>).pending
  }

  async acknowledge(ids: DeliveryId[]): Promise<void> {
    const acknowledgement = await signAcknowledgement(crypto, network, this.key, this.keys, ids)
    await this.request({ kind: 'acknowledge', acknowledgement })
  }

  /** Waits until every acknowledgement so far is answered. */
  async acknowledged(): Promise<void> {
    await this.#acknowledging
  }

  get isCaughtUp(): boolean {
    return this.frames.some(frame => frame.kind === 'caughtUp')
  }

  get deliveredIds(): string[] {
    return this.delivered.map(delivery => toHex(delivery.id))
  }

  /** The reason the node gave before it hung up. */
  get farewell(): string | undefined {
    const last = this.frames.findLast(frame => frame.kind === 'error' && frame.request === 0)
    return (last as NodeFrameOf<'error'> | undefined)?.code
  }

  /** Resolves once the stream has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Stops reading without closing, as a client that hangs. */
  stopReading(): void {
    this.#raw?.pause()
  }

  async close(): Promise<void> {
    const host = this.#host
    this.#host = undefined
    await host?.stop()
  }

  async #read(stream: ReturnType<typeof lpStream>): Promise<void> {
    try {
      for (;;) {
        const frame = decodeNodeFrame((await stream.read()).subarray())
        this.frames.push(frame)
        this.#take(frame)
      }
    } catch {
      this.#ended.resolve()
      for (const { reject } of this.#waiting.values()) reject(new Error('the stream ended'))
      this.#waiting.clear()
    }
  }

  #take(frame: NodeFrame): void {
    if (frame.kind === 'epoch') this.epoch = frame.epoch.number
    if (frame.kind === 'deliver') {
      this.delivered.push(...frame.deliveries)
      const ids = frame.deliveries.map(delivery => delivery.id)
      if (this.acknowledges)
        this.#acknowledging = this.#acknowledging.then(() => this.acknowledge(ids).catch(() => undefined))
    }
    const waiting = this.#waiting.get(frame.request)
    if (frame.request === 0 || waiting === undefined) return
    this.#waiting.delete(frame.request)
    if (frame.kind === 'error') waiting.reject(new RefusedError(frame))
    else waiting.resolve(frame)
  }
}

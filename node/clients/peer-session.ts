import { equalBytes } from '../../protocol/bytes.ts'
import type { Clock, Crypto, Random } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { deviceIdOf } from '../../protocol/identity/device.ts'
import { verifyPeerAuthentication } from '../../protocol/identity/peer-authentication.ts'
import {
  AUTHENTICATION_TIMEOUT_MS,
  MAX_PEER_FRAME_BYTES,
  MAX_UNAUTHENTICATED_FRAME_BYTES,
  PING_INTERVAL_MS
} from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { FrameStream } from '../../protocol/libp2p/frame-stream.ts'
import {
  decodeClientFrame,
  encodeNodeFrame,
  MAX_PROOF_BYTES,
  PEER_VERSIONS,
  type ClientFrame,
  type ClientFrameOf,
  type NodeFrame,
  type PeerErrorCode
} from '../../protocol/wire/peer-frames.ts'
import type { ChatService } from '../messages/chat-service.ts'
import type { ClientQuotas } from '../limits/client-quotas.ts'
import type { Admission, ConnectionManager, DeviceSession } from './connection-manager.ts'
import type { MessageDeliveryService } from '../messages/message-delivery-service.ts'
import type { DeliverySink } from '../messages/delivery-session.ts'
import { NodeError, peerErrorOf } from '../errors.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import type { AuthenticatedDevice, Logger } from '../ports.ts'
import type { ProfileReplication } from '../replication/profile-replication.ts'
import type { TokenReplication } from '../replication/token-replication.ts'

/** Time for what waits to be written when a stream is closed. */
const CLOSE_TIMEOUT_MS = 1_000
/** Bytes that may wait for a client that reads slowly; the delivery window is far below. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Requests of one client worked on at once, and their bytes; more wait in the stream. */
const MAX_CONCURRENT = 256
const MAX_CONCURRENT_BYTES = 4 * 1024 * 1024
/** A client that says nothing for so long is gone: it missed three pings. */
export const SILENCE_LIMIT_MS = 3 * PING_INTERVAL_MS
/** Refusals for going too fast, after which a client is cut off. */
const MAX_RATE_REFUSALS = 2_000
/** Bytes of a request that count as much as one request more. */
const BYTES_PER_REQUEST = 32 * 1024

/** What a request takes from a device's allowance, beside its bytes: reading the directory costs more than a ping. */
const WEIGHT: Record<ClientFrame['kind'], number> = {
  authenticate: 1,
  submit: 1,
  attach: 2,
  acknowledge: 0.5,
  account: 2,
  names: 4,
  bundles: 2,
  publishBundle: 4,
  publishRecords: 8,
  epoch: 1,
  ping: 0.5,
  publishToken: 4,
  lossSeen: 2,
  publishProfile: 8,
  profiles: 4
}

export interface PeerSessionComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  clock: Clock
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  random: Random
  logger: Logger
  connectionManager: ConnectionManager
  quotas: ClientQuotas
  chat: ChatService
  delivery: MessageDeliveryService
  directory: DirectoryPort
  tokens: TokenReplication
  publicProfiles: ProfileReplication
}

/**
 * One client's stream `/volo/peer/1`: hello, proof of the device, then requests in any order. A malformed frame ends it;
 * a request that fails gets an error and the stream goes on.
 */
export class PeerSession implements DeviceSession {
  readonly #components: PeerSessionComponents
  readonly #frames: FrameStream
  readonly #clientKey: Uint8Array | undefined
  readonly #admission: Admission | undefined
  readonly #sink: DeliverySink
  #device: AuthenticatedDevice | undefined
  #lastHeard: number
  #working = 0
  #workingBytes = 0
  #resume: (() => void) | undefined
  #rateRefusals = 0
  #ended = false
  #isDraining = false
  #onIdle: (() => void) | undefined

  /** @param clientKey - Ed25519 key of the client's end of the connection; undefined if it has another kind. */
  constructor(
    components: PeerSessionComponents,
    stream: ConstructorParameters<typeof FrameStream>[0],
    clientKey: Uint8Array | undefined,
    admission: Admission | undefined
  ) {
    this.#components = components
    this.#clientKey = clientKey
    this.#admission = admission
    this.#lastHeard = components.now()
    this.#frames = new FrameStream(stream, {
      maxFrameBytes: MAX_UNAUTHENTICATED_FRAME_BYTES,
      maxWaitingBytes: MAX_WAITING_BYTES,
      later: setImmediate
    })
    this.#sink = {
      owner: this,
      deliver: deliveries => this.#send({ kind: 'deliver', request: 0, deliveries }),
      caughtUp: () => this.#send({ kind: 'caughtUp', request: 0 }),
      evicted: eviction => this.#send({ kind: 'evicted', request: 0, eviction })
    }
  }

  /** Serves the client until either side ends; never throws. */
  async run(): Promise<void> {
    const timer = setTimeout(() => {
      if (this.#device === undefined) this.#hangUp('not-authenticated', 'no device was proven in time')
    }, AUTHENTICATION_TIMEOUT_MS)
    try {
      const proven = await this.#authenticate()
      clearTimeout(timer)
      if (proven) await this.#serve()
    } catch (error) {
      this.#fail(error)
    } finally {
      clearTimeout(timer)
      await this.#leave()
    }
  }

  /** Whether the client has been silent for too long. */
  get isSilent(): boolean {
    return this.#components.now() - this.#lastHeard > SILENCE_LIMIT_MS
  }

  get device(): AuthenticatedDevice | undefined {
    return this.#device
  }

  /** Tells the client that another list of nodes is in force. */
  announceEpoch(): void {
    if (this.#device) this.#send({ kind: 'epoch', request: 0, epoch: this.#components.view.current })
  }

  supersede(): void {
    this.#hangUp('refused', 'the device has a newer connection')
  }

  /** Says why, and ends the stream. */
  end(code: PeerErrorCode, message: string): void {
    this.#hangUp(code, message)
  }

  /**
   * Finishes the requests in hand, takes no more, and sends the client to another node. What it asks meanwhile it asks
   * there again, as after any lost connection.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true
    if (this.#working > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, deadlineMs)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.end('busy', 'the node is stopping: use another')
    // The last answers must be out before the socket is cut.
    await this.#frames.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  }

  async #authenticate(): Promise<boolean> {
    const { network, view, clock, random } = this.#components
    const nonce = random(32)
    this.#send({
      kind: 'hello',
      request: 0,
      versions: PEER_VERSIONS,
      network,
      node: view.nodeKey,
      nonce,
      time: clock(),
      epoch: view.current.number
    })
    const bytes = await this.#frames.read()
    if (bytes === undefined || this.#ended) return false
    const frame = decodeClientFrame(bytes, MAX_UNAUTHENTICATED_FRAME_BYTES)
    if (frame.kind !== 'authenticate') throw new NodeError('not-authenticated', 'the first frame must prove a device')
    this.#device = await this.#prove(frame, nonce)
    if (this.#ended) return false
    this.#admission?.proven()
    this.#components.connectionManager.register(this.#device.deviceId, this)
    this.#frames.allowFrames(MAX_PEER_FRAME_BYTES)
    const { deviceId, accountId } = this.#device
    return this.#send({ kind: 'authenticated', request: frame.request, deviceId, accountId, epoch: view.current })
  }

  async #prove(frame: ClientFrameOf<'authenticate'>, nonce: Uint8Array): Promise<AuthenticatedDevice> {
    const { crypto, network, view, clock, directory } = this.#components
    const { keys, time, signature } = frame
    if (!PEER_VERSIONS.includes(frame.version)) {
      throw new NodeError('unsupported-version', `this node speaks versions ${PEER_VERSIONS.join(', ')}`)
    }
    if (this.#clientKey === undefined)
      throw new NodeError('authentication-failed', 'the connection key must be Ed25519')
    const deviceId = deviceIdOf(crypto, network, keys)
    const proof = { nodeKey: view.nodeKey, clientPeerKey: this.#clientKey, nonce, deviceId, time }
    await verifyPeerAuthentication(crypto, network, keys.signingKey, proof, signature, clock()).catch(
      (error: Error) => {
        throw new NodeError('authentication-failed', error.message, { cause: error })
      }
    )
    const known = await directory.device(deviceId)
    if (known === undefined) throw new NodeError('unknown-device', 'no record of this device is known here')
    if (known.state === 'revoked') throw new NodeError('device-revoked', 'this device was removed from its account')
    if (!equalBytes(known.keys.signingKey, keys.signingKey))
      throw new NodeError('unknown-device', 'other keys are recorded')
    return { deviceId, accountId: known.accountId, keys }
  }

  async #serve(): Promise<void> {
    for (;;) {
      const bytes = await this.#frames.read()
      if (bytes === undefined || this.#ended) return
      this.#lastHeard = this.#components.now()
      if (this.#isDraining) continue
      const frame = decodeClientFrame(bytes)
      if (!this.#isAllowed(frame, bytes.length)) continue
      this.#working += 1
      this.#workingBytes += bytes.length
      void this.#answer(frame).finally(() => {
        this.#working -= 1
        this.#workingBytes -= bytes.length
        this.#resume?.()
        if (this.#working === 0) this.#onIdle?.()
      })
      while (this.#isBusy && !this.#ended) await new Promise<void>(resolve => (this.#resume = resolve))
      this.#resume = undefined
    }
  }

  get #isBusy(): boolean {
    return this.#working >= MAX_CONCURRENT || this.#workingBytes >= MAX_CONCURRENT_BYTES
  }

  #isAllowed(frame: ClientFrame, size: number): boolean {
    const weight = WEIGHT[frame.kind] + size / BYTES_PER_REQUEST
    if (this.#components.quotas.allowsRequest(this.#device!.deviceId, weight)) return true
    this.#rateRefusals += 1
    if (this.#rateRefusals > MAX_RATE_REFUSALS) throw new NodeError('rate-limited', 'far too many requests')
    this.#error(frame.request, 'rate-limited', 'too many requests: slow down')
    return false
  }

  async #answer(frame: ClientFrame): Promise<void> {
    const { request } = frame
    try {
      const answer = await this.#handle(frame)
      if (answer) this.#send({ ...answer, request } as NodeFrame)
    } catch (error) {
      const { code, message } = peerErrorOf(error)
      if (code === 'internal') this.#log.error('a request failed', { kind: frame.kind, reason: String(error) })
      if (code === 'wrong-epoch') this.announceEpoch()
      this.#error(request, code, message)
    }
  }

  async #handle(frame: ClientFrame): Promise<Answer | undefined> {
    const { view, chat, delivery, directory, tokens, publicProfiles, clock } = this.#components
    const device = this.#device!
    switch (frame.kind) {
      case 'submit':
        return { kind: 'submitted', results: await chat.submit(device, frame.epoch, frame.envelope) }
      case 'attach':
        await this.#attach(frame.request)
        return undefined
      case 'acknowledge':
        await delivery.acknowledge(device, frame.acknowledgement)
        return { kind: 'done' }
      case 'account': {
        const proof = await directory.accountProof(frame.accountId, MAX_PROOF_BYTES)
        if (proof === undefined) throw new NodeError('not-found', 'no record of this account is known here')
        return { kind: 'account', proof }
      }
      case 'names':
        return { kind: 'names', ...(await directory.names(frame.tagPrefix)) }
      case 'bundles':
        return { kind: 'bundles', bundles: await directory.bundles(frame.accountId) }
      case 'publishBundle':
        await directory.storeBundle(frame.bundle, device)
        return { kind: 'done' }
      case 'publishToken':
        await tokens.publish(frame.token, device)
        return { kind: 'done' }
      case 'lossSeen':
        await delivery.lossSeen(device, frame.at)
        return { kind: 'done' }
      case 'publishProfile':
        await publicProfiles.publish(frame.profile, device)
        return { kind: 'done' }
      case 'profiles':
        return { kind: 'profiles', profiles: await publicProfiles.ask(frame.place) }
      case 'publishRecords':
        await directory.publishRecords(frame.records, device)
        return { kind: 'done' }
      case 'epoch':
        return { kind: 'epoch', epoch: view.current }
      case 'ping':
        return { kind: 'pong', time: clock() }
      case 'authenticate':
        throw new NodeError('refused', 'the device is proven already')
    }
  }

  async #attach(request: number): Promise<void> {
    const { pending, loss, begin } = await this.#components.delivery.attach(this.#device!, this.#sink)
    // The answer goes before the first delivery.
    this.#send({ kind: 'attached', request, pending })
    if (loss) this.#send({ kind: 'lost', request: 0, ...loss })
    begin()
  }

  #fail(error: unknown): void {
    if (this.#ended) return
    if (error instanceof ProtocolError) {
      const code =
        error.code === 'TOO_LARGE'
          ? 'too-large'
          : error.code === 'UNSUPPORTED_VERSION'
            ? 'unsupported-version'
            : 'malformed'
      this.#hangUp(code, error.message)
      return
    }
    const { code, message } = peerErrorOf(error)
    if (code === 'internal') this.#log.warn('a client stream ended', { reason: String(error) })
    this.#hangUp(code, message)
  }

  #hangUp(code: PeerErrorCode, message: string): void {
    if (this.#ended) return
    this.#error(0, code, message)
    this.#ended = true
    this.#resume?.()
    void this.#frames.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  }

  async #leave(): Promise<void> {
    this.#ended = true
    const device = this.#device
    if (device) {
      this.#components.connectionManager.unregister(device.deviceId, this)
      await this.#components.delivery.detach(device.deviceId, this.#sink)
    }
    await this.#frames.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  }

  #error(request: number, code: PeerErrorCode, message: string): void {
    this.#send({ kind: 'error', request, code, message: message.slice(0, 300) })
  }

  #send(frame: NodeFrame): boolean {
    return !this.#ended && this.#frames.send(encodeNodeFrame(frame))
  }

  get #log(): Logger {
    return this.#components.logger
  }
}

type WithoutRequest<F> = F extends unknown ? Omit<F, 'request'> : never
type Answer = WithoutRequest<NodeFrame>

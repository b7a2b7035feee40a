import { equalBytes } from '../../protocol/bytes.ts'
import {
  PEER_VERSIONS,
  decodeNodeFrame,
  encodeClientFrame,
  type ClientFrame,
  type NodeFrame,
  type NodeFrameOf,
  type PeerErrorCode
} from '../../protocol/wire/peer-frames.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { AUTHENTICATION_TIMEOUT_MS } from '../../protocol/limits.ts'
import type { NodeStream, Timers } from '../ports.ts'

/** The node answered a request with an error. */
export class NodeRefusal extends Error {
  override name = 'NodeRefusal'
  readonly code: PeerErrorCode
  /** The node's clock, if it refused the proof of this device: milliseconds since 1970. */
  readonly time: number | undefined

  constructor(code: PeerErrorCode, message: string, time?: number) {
    super(message)
    this.code = code
    this.time = time
  }
}

/** The connection ended, or a request had no answer in time. The same request may be made elsewhere. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost'
}

/** Requests that may be open at once; a caller past it waits for nobody, it fails. */
export const MAX_OPEN_REQUESTS = 512
/** Answer to any request at the latest. */
export const REQUEST_TIMEOUT_MS = 15_000
/** A node that says nothing for this long while an answer is due is asked for a sign of life … */
export const SUSPECT_AFTER_MS = 2_500
/** … and given up if none comes; times the patience that reaching it has taken. */
export const PONG_TIMEOUT_MS = 1_500
/** Unasked frames that may wait for the engine, in bytes; a node that sends more is hung up on. */
export const MAX_QUEUED_PUSH_BYTES = 32 * 1024 * 1024

type WithoutRequest<F> = F extends unknown ? Omit<F, 'request'> : never
/** A client frame before it has its request id. */
export type ClientRequest = WithoutRequest<ClientFrame>
const PUSHED = ['deliver', 'caughtUp', 'evicted', 'lost', 'error'] as const
/** Frames that come unasked. */
export type PushFrame = NodeFrameOf<(typeof PUSHED)[number]>

/** Makes the frame that proves the device, for a node's hello. */
export type Authenticate = (
  hello: NodeFrameOf<'hello'>,
  ends: { node: Uint8Array; client: Uint8Array }
) => Promise<WithoutRequest<Extract<ClientFrame, { kind: 'authenticate' }>>>

export interface ConnectionInit {
  network: Uint8Array
  authenticate: Authenticate
  timers: Timers
  /** How many times as long as usual to wait for a sign of life; 1 if not given. */
  patience?: number
}

interface OpenRequest {
  resolve(frame: NodeFrame): void
  reject(error: Error): void
  cancelTimer(): void
}

/** Requests and answers on one authenticated stream. It ends once; making another is the keeper's work. */
export class NodeConnection {
  readonly hello: NodeFrameOf<'hello'>
  readonly authenticated: NodeFrameOf<'authenticated'>
  /** Resolves when the connection has ended, with the reason. */
  readonly closed: Promise<string>
  readonly #stream: NodeStream
  readonly #timers: Timers
  #clockAheadMs: number
  readonly #patience: number
  readonly #open = new Map<number, OpenRequest>()
  readonly #pushes: { frame: PushFrame; bytes: number }[] = []
  #pushBytes = 0
  #onPush: ((frame: PushFrame) => Promise<void>) | undefined
  #onEpoch: ((epoch: Epoch) => void) | undefined
  #draining = false
  #lastHeard: number
  #nextRequest = 2
  #cancelWatch: (() => void) | undefined
  #end: (reason: string) => void = () => {}
  #endReason: string | undefined

  private constructor(
    stream: NodeStream,
    { timers, patience = 1 }: ConnectionInit,
    hello: NodeFrameOf<'hello'>,
    authenticated: NodeFrameOf<'authenticated'>
  ) {
    this.#stream = stream
    this.#timers = timers
    this.#patience = patience
    this.hello = hello
    this.authenticated = authenticated
    this.#clockAheadMs = timers.now() - hello.time
    this.#lastHeard = timers.monotonic()
    this.closed = new Promise(resolve => (this.#end = resolve))
  }

  /**
   * Greets, proves the device, and starts reading.
   *
   * @throws NodeRefusal if the node does not take this device, ConnectionLost if it does not answer in time, Error if it
   * belongs to another network or speaks no version of ours. The stream is closed then.
   */
  static async open(stream: NodeStream, init: ConnectionInit): Promise<NodeConnection> {
    const cancel = init.timers.after(AUTHENTICATION_TIMEOUT_MS, () => stream.close())
    try {
      const hello = await expectFrame(stream, 'hello')
      if (!equalBytes(hello.network, init.network)) throw new Error('the node belongs to another network')
      if (!equalBytes(hello.node, stream.node)) throw new Error('the node goes by a key that is not its own')
      const version = PEER_VERSIONS.find(candidate => hello.versions.includes(candidate))
      if (version === undefined) throw new Error('this node is of a version that this client does not speak')
      const proof = await init.authenticate(hello, { node: stream.node, client: stream.clientKey })
      await stream.send(encodeClientFrame({ ...proof, version, request: 1 }))
      const authenticated = await expectFrame(stream, 'authenticated').catch((error: unknown) => {
        throw error instanceof NodeRefusal ? new NodeRefusal(error.code, error.message, hello.time) : error
      })
      const connection = new NodeConnection(stream, init, hello, authenticated)
      void connection.#read()
      return connection
    } catch (error) {
      stream.close()
      throw error
    } finally {
      cancel()
    }
  }

  get node(): Uint8Array {
    return this.#stream.node
  }

  /** How far this device's clock is ahead of the node's, as of its hello or the last {@link ping}, in milliseconds. */
  get clockAheadMs(): number {
    return this.#clockAheadMs
  }

  get isOpen(): boolean {
    return this.#endReason === undefined
  }

  /** Receives unasked frames one at a time, in order; those that came before are kept for it. */
  onPush(handler: (frame: PushFrame) => Promise<void>): void {
    this.#onPush = handler
    void this.#drainPushes()
  }

  /** Hears of lists of nodes that the node tells unasked. */
  onEpoch(handler: (epoch: Epoch) => void): void {
    this.#onEpoch = handler
  }

  /**
   * Asks and waits for the answer.
   * @throws NodeRefusal for an error frame, ConnectionLost without an answer in time, Error for one of another kind.
   */
  async request<K extends NodeFrame['kind']>(
    request: ClientRequest,
    expected: K,
    timeoutMs = REQUEST_TIMEOUT_MS
  ): Promise<NodeFrameOf<K>> {
    if (this.#endReason !== undefined) throw new ConnectionLost(this.#endReason)
    if (this.#open.size >= MAX_OPEN_REQUESTS) throw new ConnectionLost('too many requests are waiting for the node')
    const id = this.#nextRequest
    this.#nextRequest = id === 0xffff_ffff ? 2 : id + 1
    const answer = new Promise<NodeFrame>((resolve, reject) => {
      const cancelTimer = this.#timers.after(timeoutMs, () => {
        this.#open.delete(id)
        reject(new ConnectionLost(`no answer to "${request.kind}" in ${timeoutMs} ms`))
      })
      this.#open.set(id, { resolve, reject, cancelTimer })
    })
    this.#watch()
    // A refused send ends the connection, which rejects the answer.
    this.#stream
      .send(encodeClientFrame({ ...request, request: id } as ClientFrame))
      .catch(() => this.close('sending failed'))
    const frame = await answer
    if (frame.kind === 'error') throw new NodeRefusal(frame.code, frame.message)
    if (frame.kind !== expected) throw new Error(`the node answered "${request.kind}" with "${frame.kind}"`)
    return frame as NodeFrameOf<K>
  }

  /** Whether the node answers within a time. Ends the connection if it does not. */
  async ping(timeoutMs = PONG_TIMEOUT_MS * this.#patience): Promise<boolean> {
    try {
      const { time } = await this.request({ kind: 'ping' }, 'pong', timeoutMs)
      this.#clockAheadMs = this.#timers.now() - time
      return true
    } catch (error) {
      // A refusal is a sign of life, too.
      if (error instanceof NodeRefusal) return true
      this.close('the node does not answer')
      return false
    }
  }

  /** Ends the connection; open requests fail. Safe to call twice. */
  close(reason = 'closed'): void {
    if (this.#endReason !== undefined) return
    this.#endReason = reason
    this.#cancelWatch?.()
    this.#stream.close()
    for (const { reject, cancelTimer } of this.#open.values()) {
      cancelTimer()
      reject(new ConnectionLost(reason))
    }
    this.#open.clear()
    this.#pushes.length = 0
    this.#end(reason)
  }

  async #read(): Promise<void> {
    for (;;) {
      const bytes = await this.#stream.receive()
      if (bytes === undefined) return this.close('the connection was lost')
      this.#lastHeard = this.#timers.monotonic()
      let frame: NodeFrame
      try {
        frame = decodeNodeFrame(bytes)
      } catch {
        return this.close('the node sent a frame that cannot be read')
      }
      if (!this.#dispatch(frame, bytes.length)) return this.close('the node sends more than it was asked for')
    }
  }

  /** @returns false if the node misbehaves. */
  #dispatch(frame: NodeFrame, bytes: number): boolean {
    if (frame.request !== 0) {
      const waiting = this.#open.get(frame.request)
      // An answer that came too late has nobody waiting; that is no fault.
      if (!waiting) return true
      this.#open.delete(frame.request)
      waiting.cancelTimer()
      waiting.resolve(frame)
      return true
    }
    if (frame.kind === 'epoch') {
      this.#onEpoch?.(frame.epoch)
      return true
    }
    if (!isPush(frame)) return false
    this.#pushBytes += bytes
    this.#pushes.push({ frame, bytes })
    void this.#drainPushes()
    return this.#pushBytes <= MAX_QUEUED_PUSH_BYTES
  }

  async #drainPushes(): Promise<void> {
    if (this.#draining || !this.#onPush) return
    this.#draining = true
    for (let next = this.#pushes.shift(); next; next = this.#pushes.shift()) {
      this.#pushBytes -= next.bytes
      try {
        await this.#onPush(next.frame)
      } catch (error) {
        this.close(`a frame could not be handled: ${String(error)}`)
      }
    }
    this.#draining = false
  }

  /** While an answer is due, silence is looked into: a node that was cut off sends no goodbye. */
  #watch(ms = SUSPECT_AFTER_MS): void {
    if (this.#cancelWatch) return
    this.#cancelWatch = this.#timers.after(ms, () => {
      this.#cancelWatch = undefined
      if (this.#endReason !== undefined || this.#open.size === 0) return
      const silence = this.#timers.monotonic() - this.#lastHeard
      if (silence < SUSPECT_AFTER_MS) return this.#watch(SUSPECT_AFTER_MS - silence)
      void this.ping().then(() => this.#open.size > 0 && this.#watch())
    })
  }
}

function isPush(frame: NodeFrame): frame is PushFrame {
  return (PUSHED as readonly string[]).includes(frame.kind)
}

async function expectFrame<K extends 'hello' | 'authenticated'>(stream: NodeStream, kind: K): Promise<NodeFrameOf<K>> {
  const bytes = await stream.receive()
  if (bytes === undefined) throw new ConnectionLost('the node hung up')
  const frame = decodeNodeFrame(bytes)
  if (frame.kind === 'error') throw new NodeRefusal(frame.code, frame.message)
  if (frame.kind !== kind) throw new Error(`expected "${kind}" from the node, got "${frame.kind}"`)
  return frame as NodeFrameOf<K>
}

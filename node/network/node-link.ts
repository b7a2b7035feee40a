import type { Stream } from '@libp2p/interface'
import { equalBytes } from '../../protocol/bytes.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { FrameStream } from '../../protocol/libp2p/frame-stream.ts'
import {
  decodeNodeLinkFrame,
  encodeNodeLinkFrame,
  MAX_NODE_FRAME_BYTES,
  type NodeLinkErrorCode,
  type NodeLinkFrame,
  type NodeLinkFrameOf
} from '../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { NodeError, type NodeErrorCode } from '../errors.ts'

/** Version of the frames between nodes. */
const LINK_VERSION = 1
/** An answer that takes longer counts as none. */
export const REQUEST_TIMEOUT_MS = 3_000
/** Bytes that may wait for a node that reads slowly; then the link is cut and repair takes over. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** Requests of the other side that are worked on at once; more wait in the stream. */
const MAX_CONCURRENT = 64

/** What the answer to each request is. */
interface AnswerKinds {
  batch: 'stored' | 'rejected'
  have: 'held'
  acknowledge: 'done'
  evict: 'done'
  news: 'newsOf'
  fetch: 'deliveries'
  digests: 'mailboxDigests'
  states: 'mailboxStates'
  why: 'removals'
  putBundle: 'done'
  getBundles: 'bundles'
  putToken: 'done'
  getToken: 'token'
  putProfile: 'done'
  getProfiles: 'profiles'
}
type RequestKind = keyof AnswerKinds
/** A frame without the request id, which the link adds. */
type Plain<F> = F extends unknown ? Omit<F, 'request'> : never

/** Something a node can be asked. */
export type LinkRequest = Plain<NodeLinkFrameOf<RequestKind>>
/** What it answers. */
export type LinkAnswer<K extends RequestKind> = NodeLinkFrameOf<AnswerKinds[K]>
/** Something a node is told unasked. */
export type LinkNotice = Plain<NodeLinkFrameOf<'stored' | 'rejected'>>

/** Answers other nodes. Each may throw NodeError; handlers must not ask the asking node in turn. */
export type LinkHandlers = {
  [K in RequestKind]: (frame: NodeLinkFrameOf<K>, from: NodeKey) => Promise<Plain<LinkAnswer<K>>>
} & { notice: (frame: NodeLinkFrameOf<'stored' | 'rejected'>, from: NodeKey) => void }

const REQUEST_KINDS: ReadonlySet<string> = new Set<RequestKind>([
  'batch',
  'have',
  'acknowledge',
  'evict',
  'news',
  'fetch',
  'digests',
  'states',
  'why',
  'putBundle',
  'getBundles',
  'putToken',
  'getToken',
  'putProfile',
  'getProfiles'
])

interface Waiting {
  resolve(frame: NodeLinkFrame): void
  reject(error: Error): void
  timer: NodeJS.Timeout
}

/** The one stream between two listed nodes: requests, answers and notices, both ways. */
export class NodeLink {
  readonly #frames: FrameStream
  readonly #handlers: LinkHandlers
  readonly #remote: { key: NodeKey; network: NetworkId; epoch: number }
  readonly #events: { onUp(): void; onEnd(error: Error): void }
  readonly #waiting = new Map<number, Waiting>()
  readonly #opened = Promise.withResolvers<void>()
  #nextRequest = 1
  #working = 0
  #resume: (() => void) | undefined
  #up = false
  #wasUp = false
  #ended = false

  constructor(
    stream: Stream,
    handlers: LinkHandlers,
    remote: { key: NodeKey; network: NetworkId; epoch: number },
    events: { onUp(): void; onEnd(error: Error): void }
  ) {
    this.#frames = new FrameStream(stream, {
      maxFrameBytes: MAX_NODE_FRAME_BYTES,
      maxWaitingBytes: MAX_WAITING_BYTES,
      later: setImmediate
    })
    this.#handlers = handlers
    this.#remote = remote
    this.#events = events
    this.#opened.promise.catch(() => undefined)
  }

  /** Both sides have said hello, on the same network. */
  get isUp(): boolean {
    return this.#up
  }

  get wasUp(): boolean {
    return this.#wasUp
  }

  /** Says hello and begins to read. */
  open(): void {
    const { network, epoch } = this.#remote
    this.#send({ kind: 'hello', request: 0, version: LINK_VERSION, network, epoch })
    this.#read().then(
      () => this.end(new NodeError('unreachable', 'the node closed the link')),
      (error: Error) => this.end(error)
    )
  }

  /** Resolves once the link is usable. */
  async whenUp(signal: AbortSignal): Promise<void> {
    const abort = (): void => this.end(new NodeError('unreachable', 'the node did not say hello in time'))
    signal.addEventListener('abort', abort, { once: true })
    await this.#opened.promise.finally(() => signal.removeEventListener('abort', abort))
  }

  request<K extends RequestKind>(
    frame: Extract<LinkRequest, { kind: K }>,
    timeoutMs: number = REQUEST_TIMEOUT_MS
  ): Promise<LinkAnswer<K>> {
    const request = this.#nextRequest
    this.#nextRequest = request === 0xffff_ffff ? 1 : request + 1
    const { promise, resolve, reject } = Promise.withResolvers<NodeLinkFrame>()
    const timer = setTimeout(() => {
      this.#waiting.delete(request)
      reject(new NodeError('unreachable', `no answer within ${timeoutMs} ms`))
    }, timeoutMs)
    this.#waiting.set(request, { resolve, reject, timer })
    this.#send({ ...frame, request } as NodeLinkFrame)
    return promise as Promise<LinkAnswer<K>>
  }

  notify(frame: LinkNotice): boolean {
    return this.#up && this.#send({ ...frame, request: 0 } as NodeLinkFrame)
  }

  /** Ends the link; questions that wait for an answer fail. */
  end(error: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#up = false
    this.#frames.abort(error)
    this.#opened.reject(error)
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new NodeError('unreachable', 'the link ended', { cause: error }))
    }
    this.#waiting.clear()
    this.#resume?.()
    this.#events.onEnd(error)
  }

  #send(frame: NodeLinkFrame): boolean {
    return this.#frames.send(encodeNodeLinkFrame(frame))
  }

  async #read(): Promise<void> {
    for (;;) {
      const bytes = await this.#frames.read()
      if (bytes === undefined || this.#ended) return
      const frame = decodeNodeLinkFrame(bytes)
      if (!this.#up) this.#onHello(frame)
      else if (REQUEST_KINDS.has(frame.kind)) await this.#onRequest(frame as NodeLinkFrameOf<RequestKind>)
      else this.#onAnswer(frame)
    }
  }

  #onHello(frame: NodeLinkFrame): void {
    if (frame.kind !== 'hello' || frame.version !== LINK_VERSION) throw new NodeError('malformed', 'expected a hello')
    if (!equalBytes(frame.network, this.#remote.network))
      throw new NodeError('refused', 'the node is of another network')
    this.#up = true
    this.#wasUp = true
    this.#opened.resolve()
    this.#events.onUp()
  }

  #onAnswer(frame: NodeLinkFrame): void {
    if (frame.request === 0) {
      if (frame.kind === 'stored' || frame.kind === 'rejected') this.#handlers.notice(frame, this.#remote.key)
      return
    }
    const waiting = this.#waiting.get(frame.request)
    if (waiting === undefined) return
    this.#waiting.delete(frame.request)
    clearTimeout(waiting.timer)
    if (frame.kind === 'error') waiting.reject(new NodeError(frame.code, frame.message))
    else waiting.resolve(frame)
  }

  /** Works on a request beside others; waits here, and so stops reading, when there are too many. */
  async #onRequest(frame: NodeLinkFrameOf<RequestKind>): Promise<void> {
    this.#working += 1
    void this.#answer(frame).finally(() => {
      this.#working -= 1
      this.#resume?.()
    })
    while (this.#working >= MAX_CONCURRENT && !this.#ended) await new Promise<void>(resolve => (this.#resume = resolve))
    this.#resume = undefined
  }

  async #answer(frame: NodeLinkFrameOf<RequestKind>): Promise<void> {
    const { request } = frame
    try {
      const handler = this.#handlers[frame.kind] as (frame: NodeLinkFrame, from: NodeKey) => Promise<object>
      const answer = await handler(frame, this.#remote.key)
      this.#send({ ...answer, request } as NodeLinkFrame)
    } catch (error) {
      this.#send({ kind: 'error', request, ...linkErrorOf(error) })
    }
  }
}

const LINK_CODE: Partial<Record<NodeErrorCode, NodeLinkErrorCode>> = {
  malformed: 'malformed',
  'wrong-epoch': 'wrong-epoch',
  'not-a-replica': 'not-a-replica',
  refused: 'refused',
  busy: 'busy',
  'disk-full': 'busy'
}

function linkErrorOf(error: unknown): { code: NodeLinkErrorCode; message: string } {
  const code = error instanceof NodeError ? (LINK_CODE[error.code] ?? 'internal') : 'internal'
  return { code, message: error instanceof NodeError ? error.message.slice(0, 300) : 'the request failed' }
}

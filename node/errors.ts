import type { PeerErrorCode } from '../protocol/wire/peer-frames.ts'

/**
 * Stable reasons that a node does not do what it is asked. Those of {@link PeerErrorCode} go to the client as they are;
 * the others stay in the node:
 *
 * - `store-failed` the pending store reported an I/O error: nothing more is acknowledged, the process ends
 * - `disk-full` below the low-water mark
 * - `unreachable` a listed node did not answer in time
 * - `not-listed` this node is not in the list of its epoch, or a peer is not
 */
export type NodeErrorCode = PeerErrorCode | 'store-failed' | 'disk-full' | 'unreachable' | 'not-listed'

const LOCAL_CODES: ReadonlySet<string> = new Set(['store-failed', 'disk-full', 'unreachable', 'not-listed'])

/** Thrown by parts of the node; the client's stream turns it into an `error` frame. Messages carry no secrets. */
export class NodeError extends Error {
  override name = 'NodeError'
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What a client is told of a failure: inner causes become `internal`, a missing peer or a full disk `busy`. */
export function peerErrorOf(error: unknown): { code: PeerErrorCode; message: string } {
  if (!(error instanceof NodeError)) return { code: 'internal', message: 'the node failed to handle this request' }
  if (error.code === 'store-failed') return { code: 'internal', message: 'the node cannot store messages' }
  if (LOCAL_CODES.has(error.code)) return { code: 'busy', message: error.message.slice(0, 300) }
  return { code: error.code as PeerErrorCode, message: error.message.slice(0, 300) }
}

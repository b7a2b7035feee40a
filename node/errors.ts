import type { PeerErrorCode } from '../protocol/wire/peer-frames.ts'

/** Refusals of the HTTP API that no frame of a client's stream has. The same words stand in `docs/http-api.md`. */
export type HttpRefusalCode =
  | 'bad-nonce'
  | 'bad-code'
  | 'bad-return'
  | 'already-registered'
  | 'identity-limit'
  | 'unknown-provider'
  | 'unknown-sign-in'
  | 'provider-unreachable'
  | 'foreign-name'
  | 'bad-authorization'
  | 'over-quota'
  | 'incomplete'
  | 'no-mail'
  | 'overtaken'
  | 'storage-key'

/** Conditions inside a node. A client of a stream only learns `busy` or `internal`. */
const LOCAL_CODES = ['store-failed', 'disk-full', 'unreachable', 'not-listed'] as const

/**
 * Stable reasons that a node does not do what it is asked. Those of {@link PeerErrorCode} go to the client as they are,
 * those of {@link HttpRefusalCode} are answered over HTTP only. The others stay in the node:
 *
 * - `store-failed` the pending store reported an I/O error: nothing more is acknowledged, the process ends
 * - `disk-full` below the low-water mark
 * - `unreachable` a listed node did not answer in time
 * - `not-listed` this node is not in the list of its epoch, or a peer is not
 */
export type NodeErrorCode = PeerErrorCode | HttpRefusalCode | (typeof LOCAL_CODES)[number]

/**
 * Thrown by parts of the node. A client's stream turns it into an `error` frame, `http/error-answers.ts` into an HTTP
 * answer. Messages carry no secrets.
 */
export class NodeError extends Error {
  override name = 'NodeError'
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Maps a failure to what a client's stream is told: inner causes become `internal`, a missing node or a full disk `busy`. */
export function peerErrorOf(error: unknown): { code: PeerErrorCode; message: string } {
  if (!(error instanceof NodeError)) return { code: 'internal', message: 'the node failed to handle this request' }
  if (error.code === 'store-failed') return { code: 'internal', message: 'the node cannot store messages' }
  const isLocal = (LOCAL_CODES as readonly string[]).includes(error.code)
  return { code: isLocal ? 'busy' : (error.code as PeerErrorCode), message: error.message.slice(0, 300) }
}

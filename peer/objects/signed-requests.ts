/**
 * Requests to one node over HTTP, each signed by this device: a node cannot use a request that was made for another one. Who has
 * no device of the account, and the passphrase of its backup, shows what follows from that instead.
 */
import { backupAuthorization, type BackupAuthorization } from '../../protocol/identity/backup-authorization.ts'
import { signStorageRequest } from '../../protocol/identity/storage-request.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import type { EngineContext } from '../engine-context.ts'
import { askNode, jsonOf, type NodeAnswer } from '../network/node-http.ts'
import type { HttpClient } from '../ports.ts'

/** A node as a place to keep objects. */
export type ObjectNode = Pick<ListedNode, 'key' | 'url'>

const TIMEOUT_MS = 30_000
const NONCE_BYTES = 16

/** What a node says instead of doing it, by the codes of docs/http-api.md; `other` for one that this version does not know. */
const REFUSALS = [
  'bad-authorization',
  'expired',
  'not-found',
  'incomplete',
  'malformed',
  'too-large',
  'rate-limited',
  'busy',
  'disk-full',
  'over-quota',
  'overtaken',
  'storage-key',
  'bad-code'
] as const
export type ObjectRefusalCode = (typeof REFUSALS)[number] | 'other'

/** A node did not do what it was asked. */
export class ObjectRefusal extends Error {
  override name = 'ObjectRefusal'
  readonly code: ObjectRefusalCode

  constructor(code: ObjectRefusalCode) {
    super(`the node refused: ${code}`)
    this.code = code
  }
}

/** One request. */
export interface SignedCall {
  method: string
  /** With its query. */
  path: string
  body?: Uint8Array
  /** The body is the bytes of the object that the path names: it is not hashed for the signature. */
  isNamed?: boolean
  headers?: Record<string, string>
  /** Longest answer. */
  maxBytes?: number
  /** Takes the body of the answer, if it is long enough. */
  into?: Uint8Array | undefined
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

export class SignedRequests {
  readonly #context: EngineContext
  readonly #fetch: HttpClient
  readonly #access: () => BackupAuthorization | undefined
  readonly #iagonKey: () => string | undefined

  /**
   * @param access - in place of a signature, where there is one; what it may do is to read.
   * @param iagonKey - of the person's own storage: handed over with each request, and kept by no node.
   */
  constructor(
    context: EngineContext,
    fetch: HttpClient,
    access: () => BackupAuthorization | undefined = () => undefined,
    iagonKey: () => string | undefined = () => undefined
  ) {
    this.#iagonKey = iagonKey
    this.#context = context
    this.#fetch = fetch
    this.#access = access
  }

  /** @throws PeerError `offline`, `bad-answer`; {@link ObjectRefusal}; the signal's reason. */
  async ask(node: ObjectNode, call: SignedCall): Promise<NodeAnswer> {
    const {
      method,
      path,
      body = new Uint8Array(),
      isNamed = false,
      signal,
      headers,
      maxBytes,
      into,
      timeoutMs = TIMEOUT_MS
    } = call
    signal?.throwIfAborted()
    const access = this.#access()
    const iagonKey = this.#iagonKey()
    const authorization = access
      ? backupAuthorization(access)
      : await this.#signature(node, { method, target: path, body: isNamed ? null : body })
    const answer = await askNode(this.#fetch, node.url, path, {
      method,
      headers: { authorization, ...(iagonKey !== undefined && { 'x-volo-iagon-key': iagonKey }), ...headers },
      ...(body.length > 0 && { body: body as Uint8Array<ArrayBuffer> }),
      timeoutMs,
      into,
      ...(maxBytes !== undefined && { maxBytes }),
      ...(signal && { signal })
    }).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw error
    })
    if (answer.ok) return answer
    const { error } = (jsonOf(answer) ?? {}) as { error?: unknown }
    throw new ObjectRefusal(REFUSALS.find(code => code === error) ?? 'other')
  }

  #signature(node: ObjectNode, request: { method: string; target: string; body: Uint8Array | null }): Promise<string> {
    const { crypto, random, timers, network, device } = this.#context
    const { deviceId, signingKey } = device()
    return signStorageRequest(
      crypto,
      network().id,
      { deviceId, key: signingKey },
      { nodeKey: node.key, ...request },
      { nonce: random(NONCE_BYTES), time: timers.now() }
    )
  }
}

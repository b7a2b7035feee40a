/**
 * Requests for stored objects to one node, each signed by this device; docs/http-api.md has the routes. A node cannot use a
 * request that was made for another one.
 */
import { toHex } from '../../protocol/bytes.ts'
import { signStorageRequest } from '../../protocol/identity/storage-request.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import type { EngineContext } from '../engine-context.ts'
import { askNode, jsonOf, type NodeAnswer } from '../network/node-http.ts'
import { PeerError } from '../errors.ts'
import type { HttpClient } from '../ports.ts'

/** A node as a place to keep objects. */
export type ObjectNode = Pick<ListedNode, 'key' | 'url'>
/** Lower-case hex of the SHA-256 of an object. */
export type ObjectHash = string
export type ObjectPurpose = 'file' | 'backup'

const TIMEOUT_MS = 30_000
/** The node writes a large object to its storage, which may be far away, before it answers. */
const COMPLETE_TIMEOUT_MS = 180_000
const NONCE_BYTES = 16
const MAX_PARTS = 1_024
/** Longest listing: 1,000 objects. */
const MAX_LISTING_BYTES = 512 * 1024

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
  'over-quota'
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

/** An own object at a node. */
export interface ListedObject {
  hash: ObjectHash
  size: number
  purpose: ObjectPurpose
  /** By the node's clock, milliseconds since 1970. */
  storedAt: number
}

interface Call {
  method: string
  path: string
  body?: Uint8Array
  headers?: Record<string, string>
  maxBytes?: number
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

export class ObjectClient {
  readonly #context: EngineContext
  readonly #fetch: HttpClient

  constructor(context: EngineContext, fetch: HttpClient) {
    this.#context = context
    this.#fetch = fetch
  }

  /** Begins an upload or goes on with one. @returns indexes of the parts that the node has, and how long a part is. */
  async begin(
    node: ObjectNode,
    hash: ObjectHash,
    { size, purpose }: { size: number; purpose: ObjectPurpose },
    signal?: AbortSignal
  ): Promise<{ stored: boolean; received: number[]; partBytes: number }> {
    const path = `/v1/objects/${hash}?size=${size}&purpose=${purpose}`
    const answer = jsonOf(await this.#ask(node, { method: 'POST', path, signal }))
    const { stored, received, partBytes } = (answer ?? {}) as { [K in 'stored' | 'received' | 'partBytes']?: unknown }
    const isSound =
      typeof stored === 'boolean' &&
      Array.isArray(received) &&
      received.length <= MAX_PARTS &&
      received.every(index => Number.isSafeInteger(index)) &&
      Number.isSafeInteger(partBytes) &&
      (partBytes as number) > 0
    if (!isSound) throw new PeerError('bad-answer')
    return { stored, received: received as number[], partBytes: partBytes as number }
  }

  async putPart(node: ObjectNode, hash: ObjectHash, index: number, body: Uint8Array, signal?: AbortSignal) {
    const headers = { 'content-type': 'application/octet-stream' }
    await this.#ask(node, { method: 'PUT', path: `/v1/objects/${hash}/parts/${index}`, body, headers, signal })
  }

  /** The object is stored once this resolves. */
  async complete(node: ObjectNode, hash: ObjectHash, signal?: AbortSignal): Promise<void> {
    const timeoutMs = COMPLETE_TIMEOUT_MS
    await this.#ask(node, { method: 'POST', path: `/v1/objects/${hash}/complete`, timeoutMs, signal })
  }

  /** @returns at most `length` bytes from `start` on: what the node sent, not checked. */
  async range(
    node: ObjectNode,
    hash: ObjectHash,
    { start, length }: { start: number; length: number },
    signal?: AbortSignal
  ): Promise<Uint8Array> {
    const headers = { range: `bytes=${start}-${start + length - 1}` }
    const path = `/v1/objects/${hash}`
    return (await this.#ask(node, { method: 'GET', path, headers, maxBytes: length, signal })).bytes
  }

  /** Removes an own object; what is not there counts as removed. */
  async remove(node: ObjectNode, hash: ObjectHash, signal?: AbortSignal): Promise<void> {
    await this.#ask(node, { method: 'DELETE', path: `/v1/objects/${hash}`, signal })
  }

  /** Own objects at a node, at most 1,000 after a hash, and what the account uses there. */
  async list(node: ObjectNode, after = '', signal?: AbortSignal) {
    const path = `/v1/objects?after=${after}`
    const answer = jsonOf(await this.#ask(node, { method: 'GET', path, maxBytes: MAX_LISTING_BYTES, signal }))
    const { objects, usedBytes, quotaBytes } = (answer ?? {}) as {
      [K in 'objects' | 'usedBytes' | 'quotaBytes']?: unknown
    }
    if (!Array.isArray(objects) || typeof usedBytes !== 'number' || typeof quotaBytes !== 'number') {
      throw new PeerError('bad-answer')
    }
    return { objects: objects as ListedObject[], usedBytes, quotaBytes }
  }

  /** @throws PeerError `offline`, `bad-answer`; {@link ObjectRefusal}; the signal's reason. */
  async #ask(node: ObjectNode, { method, path, body = new Uint8Array(), signal, ...call }: Call): Promise<NodeAnswer> {
    signal?.throwIfAborted()
    const authorization = await this.#authorization(node, { method, target: path, body })
    const answer = await askNode(this.#fetch, node.url, path, {
      method,
      headers: { authorization, ...call.headers },
      ...(body.length > 0 && { body: body as Uint8Array<ArrayBuffer> }),
      timeoutMs: call.timeoutMs ?? TIMEOUT_MS,
      ...(call.maxBytes !== undefined && { maxBytes: call.maxBytes }),
      ...(signal && { signal })
    }).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw error
    })
    if (answer.ok) return answer
    const { error } = (jsonOf(answer) ?? {}) as { error?: unknown }
    throw new ObjectRefusal(REFUSALS.find(code => code === error) ?? 'other')
  }

  #authorization(node: ObjectNode, request: { method: string; target: string; body: Uint8Array }): Promise<string> {
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

/** The name of an object. */
export const objectHashOf = (hash: Uint8Array): ObjectHash => toHex(hash)

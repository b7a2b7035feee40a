/** Stored objects at one node; docs/http-api.md has the routes. */
import { toHex } from '../../protocol/bytes.ts'
import { PeerError } from '../errors.ts'
import { jsonOf } from '../network/node-http.ts'
import type { ObjectNode, SignedRequests } from './signed-requests.ts'

/** Lower-case hex of the SHA-256 of an object. */
export type ObjectHash = string
/** What an upload is called at a node, 64 characters of lower-case hex: the hash of its object, or drawn at random. */
export type UploadName = string
export type ObjectPurpose = 'file' | 'backup' | 'profile'

/** The node writes a large object to its storage, which may be far away, before it answers. */
const COMPLETE_TIMEOUT_MS = 180_000
const MAX_PARTS = 1_024
/** Longest listing: 1,000 objects. */
const MAX_LISTING_BYTES = 512 * 1024

/** An own object at a node. */
export interface ListedObject {
  hash: ObjectHash
  size: number
  purpose: ObjectPurpose
  /** By the node's clock, milliseconds since 1970. */
  storedAt: number
}

/** Some bytes of an object. */
export interface ObjectRange {
  start: number
  length: number
  /** Takes the bytes, if it is long enough. */
  into?: Uint8Array | undefined
}

export class ObjectClient {
  readonly #requests: SignedRequests

  constructor(requests: SignedRequests) {
    this.#requests = requests
  }

  /**
   * Begins an upload or goes on with one.
   * @param name - the hash of the object, or 32 random bytes.
   * @param hash - of the object, where it is known and is not the name.
   * @returns indexes of the parts that the node has, and how long a part is.
   */
  async begin(
    node: ObjectNode,
    name: UploadName,
    { size, purpose, hash }: { size: number; purpose: ObjectPurpose; hash?: ObjectHash | undefined },
    signal?: AbortSignal
  ): Promise<{ stored: boolean; received: number[]; partBytes: number }> {
    const query = `size=${size}&purpose=${purpose}`
    const path = `/v1/objects/${name}?${query}${hash === undefined || hash === name ? '' : `&hash=${hash}`}`
    const answer = jsonOf(await this.#requests.ask(node, { method: 'POST', path, signal }))
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

  async putPart(node: ObjectNode, name: UploadName, index: number, body: Uint8Array, signal?: AbortSignal) {
    const headers = { 'content-type': 'application/octet-stream' }
    const path = `/v1/objects/${name}/parts/${index}`
    await this.#requests.ask(node, { method: 'PUT', path, body, isNamed: true, headers, signal })
  }

  /** Stores an object of at most `OBJECT_PART_BYTES` bytes in one request; it is stored once this resolves. */
  async put(
    node: ObjectNode,
    hash: ObjectHash,
    purpose: ObjectPurpose,
    body: Uint8Array,
    signal?: AbortSignal
  ): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' }
    const [path, timeoutMs] = [`/v1/objects/${hash}?purpose=${purpose}`, COMPLETE_TIMEOUT_MS]
    await this.#requests.ask(node, { method: 'PUT', path, body, isNamed: true, headers, timeoutMs, signal })
  }

  /** The object is stored once this resolves. */
  async complete(node: ObjectNode, name: UploadName, hash: ObjectHash, signal?: AbortSignal): Promise<void> {
    const timeoutMs = COMPLETE_TIMEOUT_MS
    const path = `/v1/objects/${name}/complete${name === hash ? '' : `?hash=${hash}`}`
    await this.#requests.ask(node, { method: 'POST', path, timeoutMs, signal })
  }

  /** @returns at most `length` bytes from `start` on: what the node sent, not checked. */
  async range(
    node: ObjectNode,
    hash: ObjectHash,
    { start, length, into }: ObjectRange,
    signal?: AbortSignal
  ): Promise<Uint8Array> {
    const headers = { range: `bytes=${start}-${start + length - 1}` }
    const path = `/v1/objects/${hash}`
    return (await this.#requests.ask(node, { method: 'GET', path, headers, maxBytes: length, into, signal })).bytes
  }

  /** Removes an own object; what is not there counts as removed. */
  async remove(node: ObjectNode, hash: ObjectHash, signal?: AbortSignal): Promise<void> {
    await this.#requests.ask(node, { method: 'DELETE', path: `/v1/objects/${hash}`, signal })
  }

  /** Own objects at a node, at most 1,000 after a hash, and what the account uses there. */
  async list(node: ObjectNode, after = '', signal?: AbortSignal) {
    const path = `/v1/objects?after=${after}`
    const answer = jsonOf(await this.#requests.ask(node, { method: 'GET', path, maxBytes: MAX_LISTING_BYTES, signal }))
    const { objects, usedBytes, quotaBytes } = (answer ?? {}) as {
      [K in 'objects' | 'usedBytes' | 'quotaBytes']?: unknown
    }
    if (!Array.isArray(objects) || typeof usedBytes !== 'number' || typeof quotaBytes !== 'number') {
      throw new PeerError('bad-answer')
    }
    return { objects: objects as ListedObject[], usedBytes, quotaBytes }
  }
}

/** The name of an object. */
export const objectHashOf = (hash: Uint8Array): ObjectHash => toHex(hash)

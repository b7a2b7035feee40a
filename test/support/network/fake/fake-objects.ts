import { createHash } from 'node:crypto'
import { equalBytes, fromHex, toHex } from '../../../../protocol/bytes.ts'
import { decodeBackupHead } from '../../../../protocol/backup/backup-head.ts'
import { backupTokenHash } from '../../../../protocol/backup/backup-passphrase.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import {
  parseBackupAuthorization,
  type BackupAuthorization
} from '../../../../protocol/identity/backup-authorization.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { parseStorageAuthorization } from '../../../../protocol/identity/storage-request.ts'

const PART_BYTES = 1024 * 1024

interface Upload {
  size: number
  parts: Map<number, Uint8Array>
}

/** One request for an object, as a test that interferes sees it. */
export interface ObjectRequest {
  node: number
  /** `begin`, `part`, `complete`, `put`, `get`, `list` or `remove`. */
  what: string
  hash: string
  /** Lower-case hex of the account that asks. */
  account: string
  /** Requests of this kind before, at all nodes. */
  before: number
}

/** The stored objects of every node, in memory, with what goes wrong on the way to them. */
export class FakeObjects {
  /** What each node keeps, by hash in hex. */
  readonly stored = new Map<number, Map<string, Uint8Array>>()
  readonly #owned = new Map<string, { size: number; purpose: string; storedAt: number }>()
  readonly #uploads = new Map<string, Upload>()
  readonly #purposes = new Map<string, string>()
  readonly requests: ObjectRequest[] = []
  /** Bytes that nodes were sent in parts. */
  uploadedBytes = 0
  /** Answers in place of the nodes, or throws as a lost connection does; undefined leaves it to them. */
  interfere: (request: ObjectRequest) => Promise<Response | undefined> | Response | undefined = () => undefined
  readonly #accountOf: (deviceId: string) => string | undefined

  constructor(accountOf: (deviceId: string) => string | undefined) {
    this.#accountOf = accountOf
  }

  count(what: string): number {
    return this.requests.filter(request => request.what === what).length
  }

  at(node: number): Map<string, Uint8Array> {
    if (!this.stored.has(node)) this.stored.set(node, new Map())
    return this.stored.get(node)!
  }

  /** Heads of backups that each node keeps, by account in hex. */
  readonly heads = new Map<string, Uint8Array>()

  /** What the owned objects are kept for. */
  purposes(): string[] {
    return [...this.#owned.values()].map(({ purpose }) => purpose)
  }

  /** A node loses its storage. */
  lose(node: number): void {
    this.at(node).clear()
    for (const key of this.#owned.keys()) if (key.startsWith(`${node} `)) this.#owned.delete(key)
  }

  /** As the routes of `node/http/backup-routes.ts`. */
  async answerBackup(node: number, url: URL, init: RequestInit = {}): Promise<Response> {
    const [, , , account = '', verb] = url.pathname.split('/')
    const key = `${node} ${account}`
    const stored = this.heads.get(key)
    if (init.method === 'PUT') {
      const bytes = new Uint8Array(init.body as Uint8Array)
      if (stored && decodeBackupHead(stored).counter >= decodeBackupHead(bytes).counter)
        return failure('overtaken', 409)
      this.heads.set(key, bytes)
      return new Response(null, { status: 204 })
    }
    if (init.method === 'DELETE') {
      this.heads.delete(key)
      return new Response(null, { status: 204 })
    }
    if (!stored) return failure('not-found', 404)
    if (verb === undefined) {
      const { kdf, salt, counter } = decodeBackupHead(stored)
      return json({ kdf, salt: toHex(salt), counter })
    }
    const shown = parseBackupAuthorization(new Headers(init.headers).get('authorization') ?? '')
    if (shown && !this.#isToken(stored, shown)) return failure('bad-authorization', 401)
    return new Response(stored as Uint8Array<ArrayBuffer>)
  }

  #isToken(head: Uint8Array, { token }: BackupAuthorization): boolean {
    const { accountId, tokenHash } = decodeBackupHead(head)
    return equalBytes(backupTokenHash(createNodeCrypto(), this.network!, accountId, fromHex(token)), tokenHash)
  }

  /** Set by the network. */
  network: NetworkId | undefined

  /** As the routes of `node/http/object-routes.ts`. */
  async answer(node: number, url: URL, init: RequestInit = {}): Promise<Response> {
    const { method = 'GET' } = init
    const [, , , hash = '', verb, index] = url.pathname.split('/')
    const headers = new Headers(init.headers)
    const account = this.#accountOfHeader(headers.get('authorization') ?? '')
    if (account === undefined) return failure('bad-authorization', 401)
    const what = whatOf(method, hash, verb)
    const request = { node, what, hash, account, before: this.count(what) }
    this.requests.push(request)
    const other = await this.interfere(request)
    if (other) return other
    init.signal?.throwIfAborted()
    const key = `${node} ${account} ${hash}`
    const named = url.searchParams.get('hash') ?? hash
    switch (what) {
      case 'begin':
        if (this.#isShared(node, `${node} ${account} ${named}`, url.searchParams)) return STORED()
        return this.#begin(key, url.searchParams)
      case 'part':
        return this.#part(key, Number(index), new Uint8Array(init.body as Uint8Array))
      case 'put':
        return this.#put(node, key, hash, url.searchParams, new Uint8Array(init.body as Uint8Array))
      case 'complete':
        return this.#complete(node, key, named)
      case 'remove':
        this.#owned.delete(key)
        if (![...this.#owned.keys()].some(other => other.startsWith(`${node} `) && other.endsWith(` ${hash}`)))
          this.at(node).delete(hash)
        return new Response(null, { status: 204 })
      case 'list':
        return this.#list(`${node} ${account} `)
      default:
        return this.#get(this.at(node).get(hash), headers.get('range'))
    }
  }

  #accountOfHeader(header: string): string | undefined {
    const shown = parseBackupAuthorization(header)
    if (shown) return shown.account
    return this.#accountOf(toHex(parseStorageAuthorization(header).deviceId))
  }

  /** What the node keeps for somebody else becomes this account's too. */
  #isShared(node: number, object: string, query: URLSearchParams): boolean {
    if (this.#owned.has(object)) return true
    const size = this.at(node).get(object.split(' ').at(-1)!)?.length
    if (size === undefined || size !== Number(query.get('size'))) return false
    this.#owned.set(object, { size, purpose: query.get('purpose')!, storedAt: Date.now() })
    return true
  }

  #begin(key: string, query: URLSearchParams): Response {
    if (this.#owned.has(key)) return STORED()
    const upload = this.#uploads.get(key) ?? { size: Number(query.get('size')), parts: new Map() }
    this.#uploads.set(key, upload)
    this.#purposes.set(key, query.get('purpose')!)
    return json({ stored: false, received: [...upload.parts.keys()], partBytes: PART_BYTES })
  }

  #part(key: string, index: number, body: Uint8Array): Response {
    const upload = this.#uploads.get(key)
    if (!upload) return failure('not-found', 404)
    this.uploadedBytes += body.length
    upload.parts.set(index, body)
    return new Response(null, { status: 204 })
  }

  /** A small object, in one request. */
  #put(node: number, key: string, hash: string, query: URLSearchParams, body: Uint8Array): Response {
    if (this.#owned.has(key)) return new Response(null, { status: 204 })
    this.#begin(key, new URLSearchParams({ size: `${body.length}`, purpose: query.get('purpose')! }))
    this.#part(key, 0, body)
    return this.#complete(node, key, hash)
  }

  #complete(node: number, key: string, hash: string): Response {
    const object = key.replace(/[^ ]+$/, hash)
    if (this.#owned.has(object)) return new Response(null, { status: 204 })
    const upload = this.#uploads.get(key)
    if (!upload) return failure('not-found', 404)
    const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
    const bytes = Buffer.concat(parts)
    if (bytes.length < upload.size) return failure('incomplete', 409)
    if (createHash('sha256').update(bytes).digest('hex') !== hash) {
      upload.parts.clear()
      return failure('malformed', 400)
    }
    this.at(node).set(hash, Uint8Array.from(bytes))
    this.#owned.set(object, { size: upload.size, purpose: this.#purposes.get(key)!, storedAt: Date.now() })
    this.#uploads.delete(key)
    return new Response(null, { status: 204 })
  }

  #list(prefix: string): Response {
    const objects = [...this.#owned]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, object]) => ({ hash: key.slice(prefix.length), ...object }))
    return json({ objects, usedBytes: objects.reduce((sum, { size }) => sum + size, 0), quotaBytes: 1e9 })
  }

  #get(bytes: Uint8Array | undefined, range: string | null): Response {
    if (!bytes) return failure('not-found', 404)
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1)
    return new Response(part as Uint8Array<ArrayBuffer>, { status: first === undefined ? 200 : 206 })
  }
}

function whatOf(method: string, hash: string, verb: string | undefined): string {
  if (hash === '') return 'list'
  if (method === 'PUT') return verb === 'parts' ? 'part' : 'put'
  if (method === 'DELETE') return 'remove'
  if (method === 'GET') return 'get'
  return verb === 'complete' ? 'complete' : 'begin'
}

const STORED = (): Response => json({ stored: true, received: [], partBytes: PART_BYTES })
const json = (value: unknown): Response => new Response(JSON.stringify(value))
/** A refusal, as nodes give them. */
export const failure = (error: string, status: number): Response =>
  new Response(JSON.stringify({ error, message: error }), { status })

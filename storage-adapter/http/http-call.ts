/** One request to a storage service, with a deadline that moves with the bytes, and typed failures. */
import { ReadableStream as WebStream } from 'node:stream/web'
import { StorageError, type StorageErrorCode } from '../errors.ts'
import type { ByteStream } from '../storage-adapter.ts'

/** A call ends when nothing has moved for this long, in either direction. */
export const IDLE_TIMEOUT_MS = 60_000
/** Longest text read of an answer that is not an object. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** A request whose body, if any, is made again for each attempt. */
export interface HttpRequest {
  method: string
  url: URL
  headers?: Record<string, string>
  /** Exact length of `body`. */
  bodyBytes?: number
  body?: () => ByteStream
}

/** Sends requests; tests give short times. */
export interface HttpCallInit {
  idleTimeoutMs?: number | undefined
}

/** What came back; `body` must be read to its end, or left by `break`. */
export interface HttpAnswer {
  status: number
  headers: Headers
  body: ByteStream
}

/**
 * Sends one request. Redirects are not followed: a key would travel to another host.
 * @throws StorageError `unavailable` when the service does not answer, or stops in the middle; whatever `body` throws; the
 * signal's reason.
 */
export async function callHttp(
  request: HttpRequest,
  { idleTimeoutMs = IDLE_TIMEOUT_MS }: HttpCallInit,
  signal?: AbortSignal
): Promise<HttpAnswer> {
  const call = new Call(idleTimeoutMs, signal)
  try {
    const { body, bodyBytes, method, url, headers } = request
    const init: RequestInit & { duplex: 'half' } = { method, redirect: 'manual', signal: call.signal, duplex: 'half' }
    init.headers = bodyBytes === undefined ? { ...headers } : { ...headers, 'content-length': `${bodyBytes}` }
    if (body) init.body = WebStream.from(call.sending(body())) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>
    const response = await fetch(url, init)
    return { status: response.status, headers: response.headers, body: call.receiving(response.body) }
  } catch (error) {
    throw call.failed(error)
  }
}

/** The state of one request: its clock, and what went wrong first. */
class Call {
  readonly #timeout = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  readonly signal: AbortSignal
  #bodyError: unknown

  constructor(idleTimeoutMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer
    this.#timer = setTimeout(() => this.#timeout.abort(), idleTimeoutMs)
    this.signal = outer ? AbortSignal.any([outer, this.#timeout.signal]) : this.#timeout.signal
  }

  /** What the caller sends; remembers its own failure, which `fetch` hides. */
  async *sending(content: ByteStream): ByteStream {
    try {
      for await (const bytes of content) {
        this.#timer.refresh()
        yield bytes
      }
    } catch (error) {
      this.#bodyError = error
      throw error
    }
  }

  async *receiving(body: ReadableStream<Uint8Array> | null): ByteStream {
    try {
      for await (const bytes of body ?? []) {
        this.#timer.refresh()
        yield bytes
      }
    } catch (error) {
      throw this.failed(error)
    } finally {
      clearTimeout(this.#timer)
    }
  }

  failed(error: unknown): unknown {
    clearTimeout(this.#timer)
    if (this.#bodyError !== undefined) return this.#bodyError
    if (this.#outer?.aborted) return this.#outer.reason
    const what = this.#timeout.signal.aborted ? 'does not answer in time' : 'cannot be reached, or broke off'
    return new StorageError('unavailable', `the storage service ${what}`, { cause: error })
  }
}

const STATUS_CODES: Record<number, StorageErrorCode> = {
  401: 'unauthorised',
  402: 'quota',
  403: 'unauthorised',
  404: 'not-found',
  408: 'unavailable',
  409: 'conflict',
  410: 'not-found',
  413: 'too-large',
  429: 'rate-limited',
  507: 'quota'
}

/** The error for a status that is not a success. @param detail - from the service; shown to operators. */
export function errorOfStatus(status: number, detail = ''): StorageError {
  const code = STATUS_CODES[status] ?? (status >= 500 ? 'unavailable' : 'invalid')
  return new StorageError(code, `the storage service answers ${status}${detail && `: ${detail.slice(0, 200)}`}`)
}

/** The text of an answer. @throws StorageError `unavailable` if it is longer than any that we expect. */
export async function textOf(answer: HttpAnswer): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const bytes of answer.body) {
    length += bytes.length
    if (length > MAX_ANSWER_BYTES) throw new StorageError('unavailable', 'the storage service answers too much text')
    parts.push(bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Reads an answer that nobody needs, so that its connection is free again. */
export async function discard(answer: HttpAnswer): Promise<void> {
  // Leaving the loop cancels the body.
  for await (const _bytes of answer.body) break
}

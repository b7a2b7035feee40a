/** HTTP to servers that are not trusted: bounded in time and size, without redirects to other servers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { VerifyError } from '../errors.ts'

/** Until one request is given up, body included, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 15_000
/** Requests for one answer while a node says that it is busy. */
const ATTEMPTS = 4
const BUSY_PAUSE_MS = 1_000
/** Longest pause that a busy source is granted, in milliseconds, unless said otherwise. */
const MAX_PAUSE_MS = 10_000
const BUSY = [429, 503]
const MAX_ERROR_LENGTH = 200

export interface HttpAnswer {
  status: number
  /** Without parameters, lower case; empty if there is none. */
  contentType: string
  body: Uint8Array
}

export interface HttpRequest {
  /** Longest body accepted, in bytes. */
  maxBytes: number
  /** Milliseconds: {@link REQUEST_TIMEOUT_MS}. */
  timeoutMs?: number
  /** Longest pause before a busy source is asked again, in milliseconds: ten seconds. */
  maxPauseMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Gets an answer of any status; asks again while the source is busy.
 * @throws VerifyError `UNREACHABLE` without an answer, `BAD_ANSWER` for one that is too long.
 */
export async function httpGet(url: string, request: HttpRequest): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt++) {
    const { answer, retryAfterMs } = await getOnce(url, request)
    if (!BUSY.includes(answer.status) || attempt === ATTEMPTS) return answer
    const pause = retryAfterMs ?? BUSY_PAUSE_MS * 2 ** (attempt - 1)
    await sleep(
      Math.min(request.maxPauseMs ?? MAX_PAUSE_MS, pause),
      undefined,
      request.signal ? { signal: request.signal } : {}
    )
  }
}

async function getOnce(
  url: string,
  { maxBytes, timeoutMs = REQUEST_TIMEOUT_MS, signal }: HttpRequest
): Promise<{ answer: HttpAnswer; retryAfterMs: number | undefined }> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const both = signal ? AbortSignal.any([deadline, signal]) : deadline
  try {
    const response = await fetch(url, { redirect: 'manual', signal: both })
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      throw new VerifyError('UNREACHABLE', 'it redirects to another address; give that one')
    }
    const contentType = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
    const retryAfter = response.headers.get('retry-after') ?? ''
    const retryAfterMs = /^\d{1,4}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined
    return { answer: { status: response.status, contentType, body: await readBody(response, maxBytes) }, retryAfterMs }
  } catch (cause) {
    if (cause instanceof VerifyError) throw cause
    throw new VerifyError('UNREACHABLE', deadline.aborted ? `no answer in ${timeoutMs / 1_000} s` : reasonOf(cause), {
      cause
    })
  }
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the rest.
    if (length > maxBytes) throw new VerifyError('BAD_ANSWER', `an answer of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** `fetch` hides what happened in the cause of its error. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  const inner = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined
  return (inner ?? message).slice(0, MAX_ERROR_LENGTH)
}

/**
 * The JSON of a good answer.
 * @throws VerifyError `UNREACHABLE` for any other status, or an answer that is not JSON: this is not a node.
 */
export function jsonOf({ status, contentType, body }: HttpAnswer): unknown {
  if (status !== 200) throw new VerifyError('UNREACHABLE', statusText(status, body, contentType))
  if (contentType !== 'application/json') throw new VerifyError('UNREACHABLE', 'the answer is not that of a Volo node')
  return parseJson(body)
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new VerifyError('UNREACHABLE', 'the answer is not JSON', { cause })
  }
}

/** Whether a node says that it does not know the thing, rather than a web server that it knows no such page. */
export function isNotFound({ status, contentType, body }: HttpAnswer): boolean {
  if (status !== 404 || contentType !== 'application/json') return false
  const json = parseJson(body)
  return typeof json === 'object' && json !== null && 'error' in json
}

/** What an answer with another status than 200 says. */
export function statusText(status: number, body: Uint8Array, contentType: string): string {
  if (contentType !== 'application/json') return `it answers ${status}`
  try {
    const { message } = parseJson(body) as { message?: unknown }
    return typeof message === 'string'
      ? `it answers ${status}: ${message.slice(0, MAX_ERROR_LENGTH)}`
      : `it answers ${status}`
  } catch {
    return `it answers ${status}`
  }
}

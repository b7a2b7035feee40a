/**
 * HTTP of Node for bodies of a mebibyte: `fetch` copies such a body three times, and what it reads once. Requests to one node
 * share connections that are kept open.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { HttpClient } from '../ports.ts'

/** Idle connections are closed by nodes after some seconds; this is less. */
const KEPT_OPEN_MS = 4_000
const AGENT = { keepAlive: true, timeout: KEPT_OPEN_MS, keepAliveMsecs: 1_000, maxFreeSockets: 8 }

/** Statuses that have no body; `Response` refuses one. */
const BODILESS = [204, 205, 304]

/** `fetch`, but for what carries or asks for the bytes of an object. It follows no redirect: a signature is for one address. */
export function createNodeFetch(): HttpClient {
  const agents = { 'http:': new HttpAgent(AGENT), 'https:': new HttpsAgent(AGENT) }
  return (url, init = {}) => {
    const headers = new Headers(init.headers)
    const isBulk = init.body instanceof Uint8Array || headers.has('range')
    return isBulk ? ask(agents, new URL(url), init, headers) : fetch(url, init)
  }
}

function ask(
  agents: { 'http:': HttpAgent; 'https:': HttpsAgent },
  url: URL,
  { method = 'GET', body, signal }: RequestInit,
  headers: Headers
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const bytes = body instanceof Uint8Array ? body : undefined
  const options = {
    method,
    headers: { ...Object.fromEntries(headers), ...(bytes && { 'content-length': bytes.length }) },
    ...(signal && { signal })
  }
  const request =
    url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: agents['https:'] })
      : httpRequest(url, { ...options, agent: agents['http:'] })
  request.on('error', reject)
  request.on('response', answer => resolve(responseOf(answer)))
  request.end(bytes)
  return promise
}

function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 0
  const headers = new Headers()
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  if (!BODILESS.includes(status)) return new Response(bodyOf(answer), { status, headers })
  answer.resume()
  return new Response(null, { status, headers })
}

/** Pieces as the socket gives them; a reader that stops, stops the socket. */
function bodyOf(answer: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      answer.on('data', (piece: Buffer<ArrayBuffer>) => {
        controller.enqueue(piece)
        if ((controller.desiredSize ?? 0) <= 0) answer.pause()
      })
      answer.on('end', () => controller.close())
      answer.on('error', error => controller.error(error))
    },
    pull() {
      answer.resume()
    },
    cancel() {
      answer.destroy()
    }
  })
}

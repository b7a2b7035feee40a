/** HTTP to nodes with bounds: every question ends in time, and no answer is read past its limit. */
import { concatBytes } from '../../protocol/bytes.ts'
import { PeerError } from '../errors.ts'
import type { HttpClient } from '../ports.ts'

/** Longest answer in JSON, in bytes: a list of many nodes. */
export const MAX_JSON_BYTES = 1024 * 1024

/** A question to a node. */
export interface NodeQuestion extends Omit<RequestInit, 'signal'> {
  /** Time for the whole answer. */
  timeoutMs: number
  /** Longest answer; {@link MAX_JSON_BYTES} if not given. */
  maxBytes?: number
  /** Takes the body, if it is long enough. */
  into?: Uint8Array | undefined
  /** Gives the question up. */
  signal?: AbortSignal
}

/** What a node answered, whatever its status. */
export interface NodeAnswer {
  status: number
  /** Whether the status says that it worked. */
  ok: boolean
  bytes: Uint8Array
}

/**
 * Asks a node.
 *
 * @param origin - of the node, such as `https://volo.example`.
 * @param path - with its leading slash.
 * @throws PeerError `offline` if the node does not answer in time, `bad-answer` if the answer is too long.
 */
export async function askNode(
  fetch: HttpClient,
  origin: string,
  path: string,
  { timeoutMs, maxBytes = MAX_JSON_BYTES, into, signal, ...init }: NodeQuestion
): Promise<NodeAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await fetch(origin + path, {
      ...init,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout
    })
    const { status, ok, body } = answer
    return { status, ok, bytes: body ? await readBounded(body, maxBytes, into) : new Uint8Array() }
  } catch (error) {
    if (error instanceof PeerError) throw error
    throw new PeerError('offline', { origin }, { cause: error })
  }
}

/** The JSON of an answer; undefined if it is not JSON. */
export function jsonOf({ bytes }: NodeAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

async function readBounded(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  into: Uint8Array | undefined
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const buffer = into && into.length >= maxBytes ? into : undefined
  let length = 0
  const reader = body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const { value } = next
    if (length + value.length > maxBytes) {
      await reader.cancel()
      throw new PeerError('bad-answer')
    }
    if (buffer) buffer.set(value, length)
    else chunks.push(value)
    length += value.length
  }
  return buffer ? buffer.subarray(0, length) : concatBytes(...chunks)
}

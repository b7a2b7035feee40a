import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import type { HttpClient } from '../ports.ts'
import { NodeRefusal, type NodeConnection } from '../network/node-connection.ts'

const HTTP_TIMEOUT_MS = 15_000

/**
 * The encoded proof of an account as one node gives it, not checked yet. One that no frame holds is fetched over HTTP.
 *
 * @param origin - of the node at the other end; undefined if it is not known.
 * @returns undefined if the node knows no such account.
 * @throws NodeRefusal, ConnectionLost, PeerError `not-a-node` for an HTTP answer without a proof, `bad-answer` for one too long.
 */
export async function askForAccount(
  connection: NodeConnection,
  fetch: HttpClient,
  origin: string | undefined,
  accountId: AccountId
): Promise<Uint8Array | undefined> {
  try {
    return (await connection.request({ kind: 'account', accountId }, 'account')).proof
  } catch (error) {
    if (!(error instanceof NodeRefusal)) throw error
    if (error.code === 'not-found') return undefined
    if (error.code !== 'too-large' || origin === undefined) throw error
    return proofOverHttp(fetch, origin, accountId)
  }
}

/** As {@link askForAccount}, over HTTP at once. @throws PeerError `not-a-node`, `bad-answer`. */
export async function proofOverHttp(
  fetch: HttpClient,
  origin: string,
  accountId: AccountId
): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.timeout(HTTP_TIMEOUT_MS)
  const answer = await fetch(`${origin}/v1/accounts/${toHex(accountId)}/proof`, { signal })
  if (answer.status === 404) return undefined
  if (!answer.ok || !answer.body) throw new PeerError('not-a-node', { origin })
  return readBounded(answer.body, MAX_ACCOUNT_PROOF_BYTES)
}

/** @throws PeerError `bad-answer` past `max` bytes, of which no more are read. */
async function readBounded(body: ReadableStream<Uint8Array>, max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value)
    length += next.value.length
    if (length <= max) continue
    await reader.cancel()
    throw new PeerError('bad-answer')
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../protocol/limits.ts'
import { PeerError } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import { NodeRefusal, type NodeConnection } from '../network/node-connection.ts'

const HTTP_TIMEOUT_MS = 15_000

/**
 * The encoded proof of an account as one node gives it, not checked yet. One that no frame holds is fetched over HTTP.
 *
 * @param origin - of the node at the other end; undefined if it is not known.
 * @returns undefined if the node knows no such account.
 * @throws NodeRefusal, ConnectionLost, PeerError `refused` for an HTTP answer that is none or too long.
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

/** As {@link askForAccount}, over HTTP at once. @throws PeerError `refused`. */
export async function proofOverHttp(
  fetch: HttpClient,
  origin: string,
  accountId: AccountId
): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.timeout(HTTP_TIMEOUT_MS)
  const answer = await fetch(`${origin}/v1/accounts/${toHex(accountId)}/proof`, { signal })
  if (answer.status === 404) return undefined
  if (!answer.ok || !answer.body) throw new PeerError('refused', `${origin} does not answer about this account.`)
  return readBounded(answer.body, MAX_ACCOUNT_PROOF_BYTES)
}

/** @throws PeerError `refused` past `max` bytes, of which no more are read. */
async function readBounded(body: ReadableStream<Uint8Array>, max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value)
    length += next.value.length
    if (length <= max) continue
    await reader.cancel()
    throw new PeerError('refused', 'The node’s answer about this account is too long.')
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

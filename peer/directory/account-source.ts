import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import type { HttpClient } from '../ports.ts'
import { NodeRefusal, type NodeConnection } from '../network/node-connection.ts'
import { askNode } from '../network/node-http.ts'

const HTTP_TIMEOUT_MS = 15_000

/**
 * The encoded proof of an account as one node gives it, not checked yet. One that no frame holds is fetched over HTTP.
 *
 * @param origin - of the node at the other end; undefined if it is not known.
 * @returns undefined if the node knows no such account.
 * @throws NodeRefusal, ConnectionLost, and over HTTP PeerError `offline`, `not-a-node` without a proof, `bad-answer` if too long.
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

/** As {@link askForAccount}, over HTTP at once. @throws PeerError `offline`, `not-a-node`, `bad-answer`. */
export async function proofOverHttp(
  fetch: HttpClient,
  origin: string,
  accountId: AccountId
): Promise<Uint8Array | undefined> {
  const question = { timeoutMs: HTTP_TIMEOUT_MS, maxBytes: MAX_ACCOUNT_PROOF_BYTES }
  const answer = await askNode(fetch, origin, `/v1/accounts/${toHex(accountId)}/proof`, question)
  if (answer.status === 404) return undefined
  if (!answer.ok || answer.bytes.length === 0) throw new PeerError('not-a-node', { origin })
  return answer.bytes
}

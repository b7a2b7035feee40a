/** The heads of backups at nodes; docs/http-api.md has the routes. */
import { fromHex } from '../../protocol/bytes.ts'
import { MAX_BACKUP_HEAD_BYTES } from '../../protocol/backup/backup-head.ts'
import type { BackupKdf } from '../../protocol/backup/backup-passphrase.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import { ObjectRefusal, type ObjectNode, type SignedRequests } from '../objects/signed-requests.ts'
import type { HttpClient } from '../ports.ts'

const TIMEOUT_MS = 15_000

/** What a node tells anybody of a backup. */
export interface HeadLock {
  kdf: BackupKdf
  salt: Uint8Array
  counter: number
}

/** What turns a passphrase into the token of a backup, asked without any. @returns undefined if the node has no backup. */
export async function askForLock(fetch: HttpClient, node: ObjectNode, account: string): Promise<HeadLock | undefined> {
  const answer = await askNode(fetch, node.url, `/v1/backups/${account}`, { timeoutMs: TIMEOUT_MS, maxBytes: 4096 })
  if (answer.status === 404) return undefined
  const { kdf, salt, counter } = (jsonOf(answer) ?? {}) as { [K in 'kdf' | 'salt' | 'counter']?: unknown }
  const isSalt = typeof salt === 'string' && /^[0-9a-f]{64}$/.test(salt)
  if (!answer.ok || !isSalt || !Number.isSafeInteger(counter)) throw new PeerError('bad-answer')
  return { kdf: kdfOf(kdf), salt: fromHex(salt), counter: counter as number }
}

function kdfOf(value: unknown): BackupKdf {
  const { kind, iterations, memoryKib, parallelism } = (value ?? {}) as Record<string, unknown>
  const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0
  if (kind === 'pbkdf2' && isCount(iterations)) return { kind, iterations }
  if (kind === 'argon2id' && isCount(iterations) && isCount(memoryKib) && isCount(parallelism)) {
    return { kind, iterations, memoryKib, parallelism }
  }
  throw new PeerError('bad-answer')
}

/** @returns the encoded head, not checked; undefined if the node has none. */
export async function fetchHead(
  requests: SignedRequests,
  node: ObjectNode,
  account: string
): Promise<Uint8Array | undefined> {
  try {
    const path = `/v1/backups/${account}/head`
    return (await requests.ask(node, { method: 'GET', path, maxBytes: MAX_BACKUP_HEAD_BYTES })).bytes
  } catch (error) {
    if (error instanceof ObjectRefusal && error.code === 'not-found') return undefined
    throw error
  }
}

/** @throws {@link ObjectRefusal} `overtaken` if the node has one with the same counter or a higher one. */
export async function putHead(
  requests: SignedRequests,
  node: ObjectNode,
  account: string,
  body: Uint8Array
): Promise<void> {
  const headers = { 'content-type': 'application/cbor' }
  await requests.ask(node, { method: 'PUT', path: `/v1/backups/${account}`, body, headers })
}

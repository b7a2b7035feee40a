import { fromHex } from '../../protocol/bytes.ts'
import type { ListedNode, NodeKey } from '../../protocol/wire/placement.ts'
import { PeerError } from '../errors.ts'
import type { HttpClient } from '../ports.ts'
import { askNode, jsonOf } from './node-http.ts'

const TIMEOUT_MS = 15_000

/**
 * The node at an origin, by the key that it names itself by: what is signed for it counts nowhere else.
 * @throws PeerError `offline`, `bad-answer`.
 */
export async function nodeAt(fetch: HttpClient, origin: string): Promise<Pick<ListedNode, 'key' | 'url'>> {
  const answer = await askNode(fetch, origin, '/v1/network', { timeoutMs: TIMEOUT_MS })
  const { node } = (jsonOf(answer) ?? {}) as { node?: unknown }
  if (typeof node !== 'string' || !/^[0-9a-f]{64}$/.test(node)) throw new PeerError('bad-answer')
  return { key: fromHex(node, 32) as NodeKey, url: origin }
}

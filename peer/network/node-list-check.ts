/**
 * Whether a list of nodes is what the public record makes it. Where lists follow the chain, no node's word puts another
 * key behind an address: every node of a list stands in a record of an operator that genesis or two others admitted.
 */
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { checkNodeList, decodeNodeListProof } from '../../protocol/directory/proofs/node-list-proof.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { PeerError } from '../errors.ts'
import type { Log } from '../ports.ts'
import type { NetworkInfo } from './network-info.ts'

/** Nodes asked for one proof at most. */
const MAX_ASKED = 6

export interface ListSources {
  crypto: Crypto
  log: Log
  /** The bytes that an origin answers. @throws Error if it cannot be asked. */
  fetchProof: (path: string, origin: string) => Promise<Uint8Array>
}

/**
 * Checks a list. Who shows the proof does not matter: it proves itself.
 *
 * @param origins - who may be asked for it, the likeliest first.
 * @returns whether lists follow the chain, and this one is proven; false where they do not, and nothing was checked.
 * @throws PeerError `unproven-list` if the records do not prove the list, `offline` if no origin shows them.
 */
export async function isProvenList(
  { crypto, log, fetchProof }: ListSources,
  { id, genesis }: Pick<NetworkInfo, 'id' | 'genesis'>,
  told: Epoch,
  origins: string[]
): Promise<boolean> {
  const { placement } = genesis
  if (placement === undefined) return false
  const following = { ...genesis, placement }
  if (told.number === 0) {
    await checkNodeList(crypto, id, following, told, undefined).catch(rethrowRefused)
    return true
  }
  let refusal: unknown
  for (const origin of [...new Set(origins)].slice(0, MAX_ASKED)) {
    try {
      const proof = decodeNodeListProof(await fetchProof(`/v1/network/lists/${told.number}/proof`, origin))
      await checkNodeList(crypto, id, following, told, proof)
      return true
    } catch (error) {
      log.debug('no proof of a list of nodes from this node', { node: origin, reason: String(error) })
      // A bad proof may be the liar's: another node may have a good one.
      if (error instanceof ProtocolError) refusal = error
    }
  }
  if (refusal) return rethrowRefused(refusal)
  throw new PeerError('offline', { origin: null })
}

function rethrowRefused(cause: unknown): never {
  if (!(cause instanceof ProtocolError)) throw cause
  throw new PeerError('unproven-list', {}, { cause })
}

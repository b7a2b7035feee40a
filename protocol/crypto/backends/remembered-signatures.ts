import { concatBytes } from '../../bytes.ts'
import type { Crypto } from '../crypto.ts'
import { passesEd25519Precheck } from '../ed25519-precheck.ts'
import { LruCache, cacheKey } from './lru-cache.ts'

/** Signatures remembered, about 150 bytes each. */
export const REMEMBERED_SIGNATURES = 4096

/**
 * Remembers which signatures held. A device reads the same signed records with every proof of an account, and the hash that
 * finds one again costs a twentieth of a verification.
 *
 * Only what held is remembered, under a hash of all three inputs. The key and the signature have a fixed length, so two inputs
 * never give the same bytes: the answer is always the one that `verify` gives.
 */
export function rememberingVerify({ sha256, verify }: Pick<Crypto, 'sha256' | 'verify'>): Crypto['verify'] {
  const held = new LruCache<true>(REMEMBERED_SIGNATURES)
  return async (publicKey, message, signature) => {
    if (!passesEd25519Precheck(publicKey, signature) || !(message instanceof Uint8Array)) return false
    const name = cacheKey(sha256(concatBytes(publicKey, signature, message)))
    if (held.get(name)) return true
    const holds = await verify(publicKey, message, signature)
    if (holds) held.set(name, true)
    return holds
  }
}

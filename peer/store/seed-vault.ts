import { KEY_BYTES, type Crypto, type Random } from '../../protocol/crypto/crypto.ts'
import type { KeyVault } from '../ports.ts'
import type { SealedStore } from './sealed-store.ts'

const NAME = { space: 'signing-seed' }

/** Keeps the signing key as a seed in the sealed store: in Node, and in browsers without Ed25519 of their own. */
export function createSeedVault(
  crypto: Pick<Crypto, 'signingKeyFromSeed'>,
  store: SealedStore,
  random: Random
): KeyVault {
  return {
    async load() {
      const seed = await store.get(NAME)
      return seed && crypto.signingKeyFromSeed(seed)
    },
    async create() {
      const seed = random(KEY_BYTES)
      await store.batch([{ ...NAME, value: seed }])
      return crypto.signingKeyFromSeed(seed)
    }
  }
}

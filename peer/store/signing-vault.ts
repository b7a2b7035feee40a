/**
 * Which vault made this device's signing key. A browser may gain or lose Ed25519 of its own from one visit to the next: the key
 * stays where it was made, and is looked for there.
 */
import { utf8 } from '../../protocol/bytes.ts'
import type { KeyVault } from '../ports.ts'
import type { SealedStore } from './sealed-store.ts'

const NAME = { space: 'signing-vault' }

export type VaultKind = 'platform' | 'seed'

/** Both places where a browser's signing key may be, and the one that makes a new key. */
export interface SigningVaults extends Record<VaultKind, KeyVault> {
  preferred: VaultKind
}

/** One vault out of both: it loads from the one that made the key, and makes a key in the preferred one. */
export function createSigningVault(store: SealedStore, vaults: SigningVaults): KeyVault {
  return {
    async load() {
      const made = await store.get(NAME)
      // Stores from before there was this entry: a seed is in one of them only if it was made there.
      if (!made) return (await vaults.seed.load()) ?? vaults.platform.load()
      return vaults[new TextDecoder().decode(made) === 'seed' ? 'seed' : 'platform'].load()
    },
    async create() {
      // Written first: after a crash in between there is no key, and the next attempt writes it again.
      await store.batch([{ ...NAME, value: utf8(vaults.preferred) }])
      return vaults[vaults.preferred].create()
    }
  }
}

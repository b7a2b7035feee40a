/**
 * Which vault made this device's signing key. A browser's key is a seed in the store, which a lock protects. Earlier versions let
 * the platform make it where it had Ed25519: such a key stays where it was made, and is looked for there.
 */
import { utf8 } from '../../protocol/bytes.ts'
import type { KeyVault } from '../ports.ts'
import type { SealedStore } from './sealed-store.ts'

const NAME = { space: 'signing-vault' }

export type VaultKind = 'platform' | 'seed'

/** Both places where a browser's signing key may be. */
export interface SigningVaults {
  platform: Pick<KeyVault, 'load'>
  seed: KeyVault
}

/** One vault out of both: it loads from the one that made the key, and makes a key in the store. */
export interface SigningVault extends KeyVault {
  /** Where this device's key is; `seed` while it has none. */
  madeIn(): Promise<VaultKind>
}

export function createSigningVault(store: SealedStore, vaults: SigningVaults): SigningVault {
  const recorded = async (): Promise<VaultKind | undefined> => {
    const made = await store.get(NAME)
    return made && (new TextDecoder().decode(made) === 'seed' ? 'seed' : 'platform')
  }
  return {
    async load() {
      const kind = await recorded()
      // Stores from before there was this entry: a seed is in one of them only if it was made there.
      return kind ? vaults[kind].load() : ((await vaults.seed.load()) ?? vaults.platform.load())
    },
    async create() {
      // Written first: after a crash in between there is no key, and the next attempt writes it again.
      await store.batch([{ ...NAME, value: utf8('seed') }])
      return vaults.seed.create()
    },
    async madeIn() {
      const kind = await recorded()
      if (kind) return kind
      return !(await vaults.seed.load()) && (await vaults.platform.load()) ? 'platform' : 'seed'
    }
  }
}

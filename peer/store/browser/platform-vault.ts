import { webSigningKey } from '../../../protocol/crypto/backends/web-crypto.ts'
import { storeFailure } from '../../errors.ts'
import type { KeyVault } from '../../ports.ts'
import type { KeyTable } from './key-table.ts'

const SIGNING_KEY = 'signing'

/**
 * Gives the signing key that an earlier version let the platform make. New ones are seeds in the store: a key that the platform
 * never shows cannot be put under a lock.
 */
export function platformVault(table: KeyTable, subtle: SubtleCrypto): Pick<KeyVault, 'load'> {
  return {
    async load() {
      try {
        const pair = (await table.get(SIGNING_KEY)) as CryptoKeyPair | undefined
        return pair && (await webSigningKey(subtle, pair))
      } catch (error) {
        // A browser that lost its Ed25519 keeps the key, and can use it again once it has the algorithm back.
        throw storeFailure('signing-key-unusable', table.location, error)
      }
    }
  }
}

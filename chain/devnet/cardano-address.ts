import { bech32 } from '@scure/base'
import { ChainError } from '../errors.ts'

/** Cardano addresses pass the length limit of BIP-173 (CIP-19). */
const MAX_ADDRESS_LENGTH = 200

/**
 * The bytes of a Shelley address (CIP-19).
 * @param text - bech32 with prefix `addr` or `addr_test`, lower case.
 * @throws {@link ChainError} `MALFORMED`.
 */
export function decodeAddress(text: string): Uint8Array {
  try {
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, MAX_ADDRESS_LENGTH)
    const isOurs = prefix === 'addr' || prefix === 'addr_test'
    if (isOurs && text === text.toLowerCase()) return bech32.fromWords(words)
  } catch {
    // Reported below, like an address of another kind.
  }
  throw new ChainError('MALFORMED', 'not a Cardano address')
}

import type { Crypto } from '../crypto/crypto.ts'
import { labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { AccountId } from './device.ts'

/** Bytes of the random salt that hides which name a commitment reserves. */
export const NAME_SALT_BYTES = 32

/**
 * What NAME commit puts on chain. It names the account, so nobody who sees it opened can have reserved the same name
 * with it.
 *
 * @param nameTag - 32 bytes, see `nameTagOf` in username.ts.
 * @param salt - {@link NAME_SALT_BYTES} random bytes, kept until the reveal.
 * @returns 32 bytes.
 */
export function nameCommitment(
  crypto: Crypto,
  network: NetworkId,
  nameTag: Uint8Array,
  accountId: AccountId,
  salt: Uint8Array
): Uint8Array {
  return labelledHash(crypto, 'name-commit', network, nameTag, accountId, salt)
}

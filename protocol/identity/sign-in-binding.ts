import type { Crypto } from '../crypto/crypto.ts'
import { labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { DevicePublicKeys } from './device.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Base64url without padding (RFC 4648, section 5). */
function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const digits = Math.min(bytes.length - i, 3) + 1
    for (let digit = 0; digit < digits; digit++) text += ALPHABET[(group >> (18 - 6 * digit)) & 63]
  }
  return text
}

/**
 * The OpenID Connect `nonce` of a sign-in: it binds the identity token to the device's keys, so that a node can neither
 * use the token for keys of its own, nor pass off an older one.
 *
 * @param serverNonce - 32 bytes from the node that starts the sign-in.
 * @param random - 32 bytes of the device, shown to the node that checks the token.
 * @returns 43 characters.
 */
export function signInNonce(
  crypto: Crypto,
  network: NetworkId,
  { signingKey, messagingKeyHash }: DevicePublicKeys,
  serverNonce: Uint8Array,
  random: Uint8Array
): string {
  return toBase64Url(
    labelledHash(crypto, 'sign-in-binding', network, signingKey, messagingKeyHash, serverNonce, random)
  )
}

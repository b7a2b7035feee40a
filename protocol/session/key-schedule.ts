/**
 * From the session secret SK (32 random bytes) to the keys of a session:
 *
 * ```
 * commitment  = HMAC(SK, volo/1/session-commitment)
 * body        = HKDF(ikm SK, salt empty, info volo/1/session-body-key ‖ commitment) → key 32 ‖ nonce 12
 * ck₀         = HKDF(ikm SK, salt H(ctx), info volo/1/session-chain) → 32
 * mkᵢ         = HMAC(ckᵢ, 0x01)      ckᵢ₊₁ = HMAC(ckᵢ, 0x02)
 * message     = HKDF-Expand(mkᵢ, info volo/1/session-message-key) → key 32 ‖ nonce 12
 * ```
 *
 * Every key encrypts one thing, so the nonces come from the same derivation.
 */
import { wipe } from '../bytes.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'

/** A ChaCha20-Poly1305 key and nonce for exactly one plaintext. */
export interface OneTimeKey {
  key: Uint8Array
  nonce: Uint8Array
}

const MESSAGE_STEP = Uint8Array.of(1)
const CHAIN_STEP = Uint8Array.of(2)
const EMPTY = new Uint8Array(0)

/** Key and nonce for one plaintext. @param pseudoRandomKey - 32 bytes, from HKDF-Extract or of equal worth. */
export function oneTimeKey(crypto: Crypto, pseudoRandomKey: Uint8Array, info: Uint8Array): OneTimeKey {
  const okm = crypto.hkdfExpand(pseudoRandomKey, info, KEY_BYTES + AEAD_NONCE_BYTES)
  const key = okm.slice(0, KEY_BYTES)
  const nonce = okm.slice(KEY_BYTES)
  wipe(okm)
  return { key, nonce }
}

/**
 * Commits to a session secret without telling it. ChaCha20-Poly1305 lets one ciphertext open under two keys; with this
 * in clear beside the body, and in the signed context, a sender cannot hand different secrets to different devices.
 */
export function commitmentOf(crypto: Crypto, network: NetworkId, secret: Uint8Array): Uint8Array {
  return crypto.hmacSha256(secret, labelled('session-commitment', network))
}

/** The key of an Open's body. */
export function bodyKey(crypto: Crypto, network: NetworkId, secret: Uint8Array, commitment: Uint8Array): OneTimeKey {
  const extracted = crypto.hkdfExtract(EMPTY, secret)
  const key = oneTimeKey(crypto, extracted, labelled('session-body-key', network, commitment))
  wipe(extracted)
  return key
}

/** The first chain key, bound to the whole context. @param contextHash - 32 bytes. @returns 32 bytes. */
export function firstChainKey(
  crypto: Crypto,
  network: NetworkId,
  secret: Uint8Array,
  contextHash: Uint8Array
): Uint8Array {
  const extracted = crypto.hkdfExtract(contextHash, secret)
  const chainKey = crypto.hkdfExpand(extracted, labelled('session-chain', network), KEY_BYTES)
  wipe(extracted)
  return chainKey
}

/** One step of the chain. The given chain key is left alone: the caller wipes it. */
export function stepChain(crypto: Crypto, chainKey: Uint8Array): { messageKey: Uint8Array; next: Uint8Array } {
  return {
    messageKey: crypto.hmacSha256(chainKey, MESSAGE_STEP),
    next: crypto.hmacSha256(chainKey, CHAIN_STEP)
  }
}

/** The key of one message. @param messageKey - 32 bytes, from {@link stepChain}. */
export function messageCipherKey(crypto: Crypto, network: NetworkId, messageKey: Uint8Array): OneTimeKey {
  return oneTimeKey(crypto, messageKey, labelled('session-message-key', network))
}

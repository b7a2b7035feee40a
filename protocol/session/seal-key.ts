import type { Brand } from '../brand.ts'
import { equalBytes } from '../bytes.ts'
import type { ConversationId } from '../roster/roster.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { Secret } from '../secret.ts'
import { SEAL_TAG_BYTES } from './open-body.ts'

/**
 * 32 bytes that name an X-Wing key in a session: `messagingKeyHash` of a registered or weekly key, `conversationKeyId`
 * of a conversation key. The two differ for the same key, so that one kind cannot pass for the other.
 */
export type SealKeyId = Brand<Uint8Array, 'SealKeyId'>

/** Names a conversation key. @param publicKey - 1216 bytes. */
export function conversationKeyId(crypto: Crypto, network: NetworkId, publicKey: Uint8Array): SealKeyId {
  return labelledHash(crypto, 'conversation-key', network, publicKey) as SealKeyId
}

/** A secret that Opens to this device may be sealed to. */
export interface HeldKey {
  keyId: SealKeyId
  /** 32-byte X-Wing seed. */
  seed: Secret
  /** The only conversation that a conversation key opens; `null` for weekly and registered keys. */
  conversationId: ConversationId | null
  /** Index of a conversation key, `null` for others. */
  index: number | null
}

/**
 * Marks a part for its key. Mixed with the body's hash, so that two Opens to one conversation key do not look related
 * to a node, which does not know that key.
 */
export function sealTag(crypto: Crypto, network: NetworkId, keyId: SealKeyId, bodyHash: Uint8Array): Uint8Array {
  return labelledHash(crypto, 'session-seal-tag', network, keyId, bodyHash).slice(0, SEAL_TAG_BYTES)
}

/** The key that a part was sealed to, or `undefined` if this device holds it no more, or never did. */
export function findHeldKey(
  crypto: Crypto,
  network: NetworkId,
  held: Iterable<HeldKey>,
  bodyHash: Uint8Array,
  tag: Uint8Array
): HeldKey | undefined {
  for (const key of held) {
    if (equalBytes(sealTag(crypto, network, key.keyId, bodyHash), tag)) return key
  }
  return undefined
}

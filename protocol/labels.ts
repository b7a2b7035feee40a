import { encodeCbor, type Cbor } from './cbor.ts'
import type { Crypto } from './crypto/crypto.ts'
import type { NetworkId } from './network.ts'

/** Purposes of hashes, signatures, MACs and KDFs; one each, so that no bytes of one can be taken for another. */
export type Purpose =
  | 'network'
  | 'device-id'
  | 'messaging-key'
  | 'record'
  | 'record-signature'
  | 'name-tag'
  | 'name-commit'
  | 'directory-state'
  | 'device-bundle'
  | 'device-challenge'
  | 'sign-in-binding'
  | 'attestation'
  | 'envelope'
  | 'delivery'
  | 'delivery-proof'
  | 'delivery-token'
  | 'batch'
  | 'receipt'
  | 'denial'
  | 'refusal'
  | 'acknowledgement'
  | 'eviction'
  | 'heartbeat'
  | 'shard'
  | 'placement'
  | 'peer-authentication'
  | 'node-authentication'
  | 'conversation-direct'
  | 'roster'
  | 'session-id'
  | 'session-context'
  | 'session-part'
  | 'session-body'
  | 'session-body-key'
  | 'session-seal'
  | 'session-seal-tag'
  | 'session-commitment'
  | 'session-chain'
  | 'session-message'
  | 'session-packet'
  | 'session-message-key'
  | 'conversation-key'
  | 'pairing-secret'
  | 'pairing-commitment'
  | 'pair-tag'
  | 'pair-packet'
  | 'key-update'
  | 'message-predecessor'
  | 'safety-number-person'
  | 'safety-number-conversation'
  | 'store-seal'
  | 'shown-message'
  | 'removed-device-line'
  | 'unreadable-line'
  | 'recovery-key'
  | 'recovery-code'
  | 'link-secret'
  | 'link-key'
  | 'link-message'
  | 'link-transcript'
  | 'link-commitment'
  | 'link-check'
  | 'link-request'
  | 'link-token'

/**
 * The bytes under a hash, signature or MAC: canonical CBOR of `[volo/1/<purpose>, network id, ...parts]`.
 * The label and the network come first, so nothing made for one purpose or network passes in another.
 */
export function labelled(purpose: Purpose, network: NetworkId, ...parts: Cbor[]): Uint8Array {
  return encodeCbor([`volo/1/${purpose}`, network, ...parts])
}

/** SHA-256 of {@link labelled}. @returns 32 bytes. */
export function labelledHash(crypto: Crypto, purpose: Purpose, network: NetworkId, ...parts: Cbor[]): Uint8Array {
  return crypto.sha256(labelled(purpose, network, ...parts))
}

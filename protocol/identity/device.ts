import type { Brand } from '../brand.ts'
import { bytes, struct } from '../codec.ts'
import { KEY_BYTES, MESSAGING_KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'

/** Bytes of a device id. */
export const DEVICE_ID_BYTES = 16

/** 16 bytes that name a device by its two registered public keys; also its mailbox at the nodes. */
export type DeviceId = Brand<Uint8Array, 'DeviceId'>
/** 32 bytes: id of the account's first record. */
export type AccountId = Brand<Uint8Array, 'AccountId'>
/** 32 bytes: SHA-256 of a record's signed content. */
export type RecordId = Brand<Uint8Array, 'RecordId'>

/** {@link DEVICE_ID_BYTES} bytes. */
export const deviceIdCodec = bytes<DeviceId>(DEVICE_ID_BYTES)
/** 32 bytes. */
export const accountIdCodec = bytes<AccountId>(32)
/** 32 bytes. */
export const recordIdCodec = bytes<RecordId>(32)

/** What the chain holds about a device: its signing key, and the hash of its registered messaging key. */
export interface DevicePublicKeys {
  /** Ed25519 public key, 32 bytes. */
  signingKey: Uint8Array
  /** {@link messagingKeyHash} of the X-Wing public key, 32 bytes. */
  messagingKeyHash: Uint8Array
}

/** `[signing key, messaging key hash]`. */
export const devicePublicKeysCodec = struct({ signingKey: bytes(KEY_BYTES), messagingKeyHash: bytes(32) })

/** Hash of a messaging key, as on chain. @param publicKey - 1216 bytes. @returns 32 bytes. */
export function messagingKeyHash(crypto: Crypto, network: NetworkId, publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== MESSAGING_KEY_BYTES) {
    throw new ProtocolError('BAD_KEY', `a messaging key has ${MESSAGING_KEY_BYTES} bytes, got ${publicKey.length}`)
  }
  return labelledHash(crypto, 'messaging-key', network, publicKey)
}

/** Names a device by its keys: everyone who has the keys can check the id. */
export function deviceIdOf(crypto: Crypto, network: NetworkId, keys: DevicePublicKeys): DeviceId {
  const digest = labelledHash(crypto, 'device-id', network, keys.signingKey, keys.messagingKeyHash)
  return digest.slice(0, DEVICE_ID_BYTES) as DeviceId
}

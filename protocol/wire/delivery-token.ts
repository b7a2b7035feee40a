/**
 * Delivery tokens: how a mailbox's replicas tell contacts from strangers without learning who they are. An account makes one
 * secret, gives it to its contacts inside encrypted profiles, and to the replicas of its devices' mailboxes. An envelope of
 * class `contact` then carries, for each recipient, a proof that its sender knows the secret.
 *
 * The replicas know the secret too: a proof keeps strangers out, it says nothing against a replica.
 */
import { bytes, constant, struct, uint, type TypeOf } from '../codec.ts'
import { SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { deviceIdOf, devicePublicKeysCodec, type DeviceId, type DevicePublicKeys } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { EnvelopeId } from './envelope.ts'

/** Bytes of a delivery token. */
export const DELIVERY_TOKEN_BYTES = 32
/** Bytes of a proof that is not empty. */
export const DELIVERY_PROOF_BYTES = 32

/**
 * A device's word which token is in force for its mailbox. Like an acknowledgement it carries the device's public keys,
 * whose hash is the mailbox, so every replica can check it without a directory.
 */
export const mailboxTokenCodec = struct({
  version: constant(1),
  keys: devicePublicKeysCodec,
  /** Of the token: the highest one counts. A new one takes the token away from those who have the old one only. */
  revision: uint(),
  token: bytes(DELIVERY_TOKEN_BYTES),
  signature: bytes(SIGNATURE_BYTES)
})
export type MailboxToken = TypeOf<typeof mailboxTokenCodec>

const mailboxTokenBytes = (network: NetworkId, mailbox: DeviceId, revision: number, token: Uint8Array): Uint8Array =>
  labelled('delivery-token', network, 1, mailbox, revision, token)

/** @param token - {@link DELIVERY_TOKEN_BYTES} random bytes. */
export async function signMailboxToken(
  crypto: Crypto,
  network: NetworkId,
  key: SigningKey,
  { keys, revision, token }: { keys: DevicePublicKeys; revision: number; token: Uint8Array }
): Promise<MailboxToken> {
  const signed = mailboxTokenBytes(network, deviceIdOf(crypto, network, keys), revision, token)
  return { version: 1, keys, revision, token, signature: await key.sign(signed) }
}

/** The mailbox that a token is for, or undefined if the signature does not verify. */
export async function verifyMailboxToken(
  crypto: Crypto,
  network: NetworkId,
  { keys, revision, token, signature }: MailboxToken
): Promise<DeviceId | undefined> {
  const mailbox = deviceIdOf(crypto, network, keys)
  const signed = mailboxTokenBytes(network, mailbox, revision, token)
  return (await crypto.verify(keys.signingKey, signed, signature)) ? mailbox : undefined
}

/**
 * What an envelope carries for a recipient whose token its sender knows: HMAC-SHA-256 under the token.
 * @returns {@link DELIVERY_PROOF_BYTES} bytes.
 */
export function deliveryProof(
  crypto: Crypto,
  network: NetworkId,
  token: Uint8Array,
  envelopeId: EnvelopeId
): Uint8Array {
  return crypto.hmacSha256(token, labelled('delivery-proof', network, envelopeId))
}

/** Whether a proof was made with this token for this envelope. */
export function isDeliveryProof(
  crypto: Crypto,
  network: NetworkId,
  token: Uint8Array,
  envelopeId: EnvelopeId,
  proof: Uint8Array
): boolean {
  const expected = deliveryProof(crypto, network, token, envelopeId)
  if (proof.length !== expected.length) return false
  // Compare every byte: the time taken must not tell where they differ.
  return expected.reduce((difference, byte, index) => difference | (byte ^ proof[index]!), 0) === 0
}

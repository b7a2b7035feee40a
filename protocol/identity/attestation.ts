import { bytes, decode, encode, struct, text, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled, labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import { accountIdCodec, type DevicePublicKeys } from './device.ts'

/**
 * A node's word that the holder of these device keys signed in with a provider. It says who a person is elsewhere, never
 * which keys are theirs: that is the directory's.
 */
export const attestationCodec = struct({
  /** Short name of the provider, such as `google` or `demo`. */
  provider: text(32),
  /** {@link subjectCommitment}: the provider's user id, hidden by a salt that the person may show. */
  subjectCommitment: bytes(32),
  accountId: accountIdCodec,
  /** {@link deviceKeyHash} of the device that signed in. */
  deviceKeyHash: bytes(32),
  /** Milliseconds by the node's clock. */
  time: uint(),
  nodeKey: bytes(KEY_BYTES),
  nodeSignature: bytes(SIGNATURE_BYTES)
})

/** Decoded, not verified yet: see {@link verifyAttestation}. */
export type Attestation = TypeOf<typeof attestationCodec>

/** Longest encoded attestation, in bytes. */
export const MAX_ATTESTATION_BYTES = 512

/** @param salt - 32 random bytes. @param subject - the provider's id of the user. @returns 32 bytes. */
export function subjectCommitment(
  crypto: Crypto,
  network: NetworkId,
  salt: Uint8Array,
  provider: string,
  subject: string
): Uint8Array {
  return labelledHash(crypto, 'attestation', network, 'subject', salt, provider, subject)
}

/** Hash of a device's registered keys. @returns 32 bytes. */
export function deviceKeyHash(crypto: Crypto, network: NetworkId, keys: DevicePublicKeys): Uint8Array {
  return labelledHash(crypto, 'attestation', network, 'device', keys.signingKey, keys.messagingKeyHash)
}

function signedBytes(network: NetworkId, attestation: Omit<Attestation, 'nodeSignature'>): Uint8Array {
  const { provider, subjectCommitment, accountId, deviceKeyHash, time, nodeKey } = attestation
  return labelled(
    'attestation',
    network,
    'signed',
    provider,
    subjectCommitment,
    accountId,
    deviceKeyHash,
    time,
    nodeKey
  )
}

/** Signs an attestation with the node's key. */
export async function signAttestation(
  network: NetworkId,
  nodeKey: SigningKey,
  attestation: Omit<Attestation, 'nodeKey' | 'nodeSignature'>
): Promise<Attestation> {
  const unsigned = { ...attestation, nodeKey: nodeKey.publicKey }
  return { ...unsigned, nodeSignature: await nodeKey.sign(signedBytes(network, unsigned)) }
}

/**
 * Checks that the named node said so. Whether that node is listed, and believed, is the caller's to say.
 * @throws ProtocolError `BAD_SIGNATURE`.
 */
export async function verifyAttestation(crypto: Crypto, network: NetworkId, attestation: Attestation): Promise<void> {
  const { nodeKey, nodeSignature } = attestation
  if (!(await crypto.verify(nodeKey, signedBytes(network, attestation), nodeSignature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'the attestation is not signed by the node that it names')
  }
}

/** Canonical bytes, at most {@link MAX_ATTESTATION_BYTES}. */
export function encodeAttestation(attestation: Attestation): Uint8Array {
  return encode(attestationCodec, attestation)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeAttestation(attestation: Uint8Array): Attestation {
  return decode(attestationCodec, attestation, { maxBytes: MAX_ATTESTATION_BYTES, maxDepth: 2, maxItems: 16 })
}

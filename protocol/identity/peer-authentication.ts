import { bytes, struct, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import { CLOCK_TOLERANCE_MS } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { deviceIdCodec } from './device.ts'

/**
 * What a device signs to open its session with a node. Both ends' libp2p keys are in it, so that a node in the middle
 * cannot pass the proof on to another node as its own.
 */
export const peerAuthenticationCodec = struct({
  /** Ed25519 key of the node, as in the directory. */
  nodeKey: bytes(KEY_BYTES),
  /** Ed25519 key of the client's end of the connection, which is fresh for each. */
  clientPeerKey: bytes(KEY_BYTES),
  /** From the node's hello: single use, at most a minute old. */
  nonce: bytes(32),
  deviceId: deviceIdCodec,
  /** Milliseconds by the client's clock. */
  time: uint()
})

/** See {@link peerAuthenticationCodec}. */
export type PeerAuthentication = TypeOf<typeof peerAuthenticationCodec>

function signedBytes(network: NetworkId, authentication: PeerAuthentication): Uint8Array {
  const { nodeKey, clientPeerKey, nonce, deviceId, time } = authentication
  return labelled('peer-authentication', network, nodeKey, clientPeerKey, nonce, deviceId, time)
}

/** @returns the device's 64-byte signature. */
export function signPeerAuthentication(
  network: NetworkId,
  deviceKey: SigningKey,
  authentication: PeerAuthentication
): Promise<Uint8Array> {
  return deviceKey.sign(signedBytes(network, authentication))
}

/**
 * Checks a device's proof. That the nonce is this connection's and unused, and that the device lives, is the node's to
 * check.
 *
 * @param signingKey - the device's, as recorded.
 * @param now - milliseconds by the node's clock.
 * @throws ProtocolError `EXPIRED` if the clocks are too far apart, `BAD_SIGNATURE`.
 */
export async function verifyPeerAuthentication(
  crypto: Crypto,
  network: NetworkId,
  signingKey: Uint8Array,
  authentication: PeerAuthentication,
  signature: Uint8Array,
  now: number
): Promise<void> {
  if (Math.abs(now - authentication.time) > CLOCK_TOLERANCE_MS) {
    throw new ProtocolError('EXPIRED', 'the clocks of device and node are too far apart')
  }
  if (!(await crypto.verify(signingKey, signedBytes(network, authentication), signature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'the device did not sign for this connection')
  }
}

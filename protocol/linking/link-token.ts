/**
 * The session token of a linking: the old device vouches to a node, for a few minutes, that this new device may be added to
 * this account. The record alone could be handed in at any time later; the token cannot.
 */
import { bytes, struct, uint, type TypeOf } from '../codec.ts'
import { SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import { CLOCK_TOLERANCE_MS } from '../limits.ts'
import type { NetworkId } from '../network.ts'

/** A token is good for this long. */
export const LINK_TOKEN_TTL_MS = 10 * 60 * 1000

/** See {@link signLinkToken}. */
export const linkTokenCodec = struct({
  accountId: accountIdCodec,
  /** The device that is added. */
  deviceId: deviceIdCodec,
  /** The device that adds it. */
  by: deviceIdCodec,
  /** Milliseconds since 1970. */
  expiresAt: uint(),
  signature: bytes(SIGNATURE_BYTES)
})

/** Decoded, not verified yet: see {@link verifyLinkToken}. */
export type LinkToken = TypeOf<typeof linkTokenCodec>

function signedBytes(network: NetworkId, { accountId, deviceId, by, expiresAt }: Omit<LinkToken, 'signature'>) {
  return labelled('link-token', network, accountId, deviceId, by, expiresAt)
}

/** Signs a token. @param key - of the device `by`. */
export async function signLinkToken(
  network: NetworkId,
  key: SigningKey,
  token: Omit<LinkToken, 'signature'>
): Promise<LinkToken> {
  return { ...token, signature: await key.sign(signedBytes(network, token)) }
}

/**
 * Checks a token. Whether `by` lives and belongs to the account is the directory's to say.
 *
 * @param signingKey - of the device `by`.
 * @param now - milliseconds since 1970.
 * @throws ProtocolError `BAD_SIGNATURE`, `EXPIRED` for one that is over or lives longer than any of ours.
 */
export async function verifyLinkToken(
  crypto: Crypto,
  network: NetworkId,
  signingKey: Uint8Array,
  token: LinkToken,
  now: number
): Promise<void> {
  if (!(await crypto.verify(signingKey, signedBytes(network, token), token.signature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'the token is not signed by the device that adds')
  }
  const isOver = token.expiresAt + CLOCK_TOLERANCE_MS < now
  if (isOver || token.expiresAt > now + LINK_TOKEN_TTL_MS + CLOCK_TOLERANCE_MS) {
    throw new ProtocolError('EXPIRED', 'the token is over, or a clock is wrong')
  }
}

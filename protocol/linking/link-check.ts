/**
 * What the two devices of a linking prove to each other and to the person who holds both.
 *
 * A stranger who photographs the code has the session key, so the key alone decides nothing: the person compares two words.
 * The old device commits to its keys and its nonce before it sees the new keys, and the new one names its keys and its nonce before
 * it sees the old one's. So nobody between them can choose keys or nonces that make equal words: one try in 4,194,304
 * succeeds.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { equalBytes } from '../bytes.ts'
import type { Crypto, SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import type { DevicePublicKeys } from '../identity/device.ts'
import { labelled, labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { LinkMessageOf } from './link-messages.ts'

/** One side's share of the check words. */
export interface CheckShare {
  keys: DevicePublicKeys
  /** 32 bytes. */
  nonce: Uint8Array
}

/** What the old device says of its keys and its nonce before it sees the new keys. @returns 32 bytes. */
export function shareCommitment(crypto: Crypto, network: NetworkId, { keys, nonce }: CheckShare): Uint8Array {
  return labelledHash(crypto, 'link-commitment', network, keys.signingKey, keys.messagingKeyHash, nonce)
}

/** @throws ProtocolError `INVALID` if the share is not the one that was committed to. */
export function requireCommitted(crypto: Crypto, network: NetworkId, commitment: Uint8Array, share: CheckShare): void {
  if (equalBytes(shareCommitment(crypto, network, share), commitment)) return
  throw new ProtocolError('INVALID', 'the old device shows other keys or another nonce than it committed to')
}

/**
 * Two words of the BIP-39 list, 22 bits, equal on both devices if nobody is between them.
 * @param checkKey - see `LinkChannel`.
 */
export function checkWords(
  crypto: Crypto,
  network: NetworkId,
  checkKey: Uint8Array,
  { old, added }: { old: CheckShare; added: CheckShare }
): [string, string] {
  const shares = [old, added].map(({ keys, nonce }) => [keys.signingKey, keys.messagingKeyHash, nonce])
  const [a, b, c] = crypto.hmacSha256(checkKey, labelled('link-check', network, ...shares)) as unknown as number[]
  const bits = (a! << 16) | (b! << 8) | c!
  return [wordlist[bits >> 13]!, wordlist[(bits >> 2) & 2047]!]
}

type Request = LinkMessageOf<'request'>

function requestBytes(
  network: NetworkId,
  transcript: Uint8Array,
  { keys, deviceName, nonce }: Omit<Request, 'signature'>
) {
  return labelled('link-request', network, transcript, keys.signingKey, keys.messagingKeyHash, deviceName, nonce)
}

/** The new device signs its keys. @param transcript - of the channel, before this message. */
export async function signLinkRequest(
  network: NetworkId,
  key: SigningKey,
  transcript: Uint8Array,
  request: Omit<Request, 'signature'>
): Promise<Request> {
  return { ...request, signature: await key.sign(requestBytes(network, transcript, request)) }
}

/** @throws ProtocolError `BAD_SIGNATURE`. */
export async function verifyLinkRequest(
  crypto: Crypto,
  network: NetworkId,
  transcript: Uint8Array,
  request: Request
): Promise<void> {
  const signed = requestBytes(network, transcript, request)
  if (await crypto.verify(request.keys.signingKey, signed, request.signature)) return
  throw new ProtocolError('BAD_SIGNATURE', 'the new device did not sign its keys')
}

/**
 * The address that invites a person. What it says is in the fragment, which browsers send to nobody: the token, and who
 * invites, so that the first contact of the invited person is pinned to that account.
 */
import { base64urlnopad } from '@scure/base'
import type { Brand } from '../brand.ts'
import { bytes, constant, decode, encode, nullable, refine, struct, text, type TypeOf } from '../codec.ts'
import type { Crypto, Random } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, type AccountId } from '../identity/device.ts'
import { displayNameCodec } from '../identity/display-name.ts'
import { isUsername } from '../identity/username.ts'
import { labelledHash, labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import { isNodeOrigin } from '../node-origin.ts'

/** 32 random bytes: who has them is invited. */
export type InviteToken = Brand<Uint8Array, 'InviteToken'>
export const INVITE_TOKEN_BYTES = 32
/** SHA-256 over the token, as nodes know an invitation. */
export type InviteHash = Brand<Uint8Array, 'InviteHash'>

/** Longest encoded code, in bytes. */
export const MAX_INVITE_CODE_BYTES = 512
const MAX_ADDRESS_LENGTH = 2_000
const INVITE_PATH = '#/i/'

const usernameText = refine(text(24), value => (isUsername(value) ? value : ''))

const inviteCodec = struct({
  version: constant(1),
  /** Beginning of the network's id, 8 bytes: a link of another network is told apart without a question. */
  network: bytes(8),
  token: bytes<InviteToken>(INVITE_TOKEN_BYTES),
  inviter: accountIdCodec,
  /** As the inviter was called when the link was made; empty for a text that is no username. Whoever made the link wrote it. */
  username: nullable(usernameText),
  displayName: displayNameCodec
})

/** What a link says. */
export type Invite = TypeOf<typeof inviteCodec>

/** A new token. */
export const createInviteToken = (random: Random): InviteToken => random(INVITE_TOKEN_BYTES) as InviteToken

/** What nodes keep in place of a token. @returns 32 bytes. */
export function inviteHashOf(crypto: Crypto, network: NetworkId, token: InviteToken): InviteHash {
  return labelledHash(crypto, 'invite-token', network, token) as InviteHash
}

/** The code in the fragment of a link, in base64url. */
export function formatInviteCode(network: NetworkId, invite: Omit<Invite, 'version' | 'network'>): string {
  return base64urlnopad.encode(encode(inviteCodec, { version: 1, network: network.slice(0, 8), ...invite }))
}

/** The address of the app at a node that invites. */
export const formatInviteAddress = (origin: string, code: string): string => `${origin}/${INVITE_PATH}${code}`

/**
 * Reads the code of a link.
 * @throws ProtocolError `MALFORMED` if it is none, `NOT_FOR_US` if it is of another network.
 */
export function parseInviteCode(network: NetworkId, code: string): Invite {
  if (code.length > 2 * MAX_INVITE_CODE_BYTES) throw new ProtocolError('MALFORMED', 'an invitation is not so long')
  const invite = decodeInvite(code)
  if (invite.network.every((byte, i) => byte === network[i])) return invite
  throw new ProtocolError('NOT_FOR_US', 'the invitation is of another network')
}

function decodeInvite(code: string): Invite {
  try {
    return decode(inviteCodec, base64urlnopad.decode(code), { maxBytes: MAX_INVITE_CODE_BYTES })
  } catch (cause) {
    throw new ProtocolError('MALFORMED', 'this is not an invitation of Volo, or a part of it is missing', { cause })
  }
}

/**
 * Reads the address of an invitation, as people paste it.
 * @returns the node's origin, and the code, which {@link parseInviteCode} reads.
 * @throws ProtocolError `MALFORMED`.
 */
export function parseInviteAddress(typed: string): { origin: string; code: string } {
  const address = typed.trim()
  const at = address.indexOf(`/${INVITE_PATH}`)
  const origin = address.slice(0, Math.max(0, at))
  if (address.length <= MAX_ADDRESS_LENGTH && isNodeOrigin(origin)) {
    return { origin, code: address.slice(at + INVITE_PATH.length + 1) }
  }
  throw new ProtocolError('MALFORMED', 'an invitation is an address such as https://volo.example/#/i/…')
}

/**
 * What the invited person tells the inviter, end to end: only who has the token can make it, and only for this pair.
 * @returns 32 bytes: HMAC-SHA-256 under the token.
 */
export function inviteProof(
  crypto: Pick<Crypto, 'hmacSha256'>,
  network: NetworkId,
  token: InviteToken,
  { inviter, invited }: { inviter: AccountId; invited: AccountId }
): Uint8Array {
  return crypto.hmacSha256(token, labelled('invite-proof', network, inviter, invited))
}

/** What a device tells a node about an invitation. It is signed: the node knows whose it is, and nobody can make or end another's. */
import { bool, bytes, bytesBetween, constant, decode, encode, struct, text, uint, type TypeOf } from '../codec.ts'
import { SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import { CLOCK_TOLERANCE_MS } from '../limits.ts'
import { MAX_INVITE_LIFE_MS, MAX_INVITE_USES } from './invite-limits.ts'
import { MAX_INVITE_CODE_BYTES, type InviteHash } from './invite-link.ts'

/** A request to mail counts this long before and after its time, by the node's clock. */
export const INVITE_MAIL_LIFE_MS = CLOCK_TOLERANCE_MS
/** Longest e-mail address (RFC 5321, 4.5.3.1.3). */
export const MAX_MAIL_ADDRESS_LENGTH = 254

const LIMITS = { maxBytes: 512, maxDepth: 2, maxItems: 16 }

const statementCodec = struct({
  version: constant(1),
  account: accountIdCodec,
  /** The device that signs. */
  device: deviceIdCodec,
  hash: bytes<InviteHash>(32),
  /** Milliseconds since 1970, by the device's clock. */
  createdAt: uint(),
  expiresAt: uint(),
  uses: uint(MAX_INVITE_USES),
  /** The invitation is taken back, for good. */
  revoked: bool,
  signature: bytes(SIGNATURE_BYTES)
})

/** An invitation as a node knows it. */
export type InviteStatement = TypeOf<typeof statementCodec>
type Unsigned = Omit<InviteStatement, 'version' | 'signature'>

function signedBytes(network: NetworkId, statement: Unsigned): Uint8Array {
  const { account, device, hash, createdAt, expiresAt, uses, revoked } = statement
  return labelled('invite', network, account, device, hash, createdAt, expiresAt, uses, revoked)
}

/** @returns the encoded statement. */
export async function signInvite(network: NetworkId, key: SigningKey, unsigned: Unsigned): Promise<Uint8Array> {
  const signature = await key.sign(signedBytes(network, unsigned))
  return encode(statementCodec, { version: 1, ...unsigned, signature })
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeInviteStatement(encoded: Uint8Array): InviteStatement {
  const statement = decode(statementCodec, encoded, LIMITS)
  const life = statement.expiresAt - statement.createdAt
  if (statement.uses > 0 && life > 0 && life <= MAX_INVITE_LIFE_MS) return statement
  throw new ProtocolError('MALFORMED', `an invitation has 1 to ${MAX_INVITE_USES} uses, and lives 30 days at most`)
}

/** @param signingKey - of the device that the statement names, as recorded. @throws ProtocolError `BAD_SIGNATURE`. */
export async function verifyInvite(
  crypto: Crypto,
  network: NetworkId,
  signingKey: Uint8Array,
  statement: InviteStatement
): Promise<void> {
  if (await crypto.verify(signingKey, signedBytes(network, statement), statement.signature)) return
  throw new ProtocolError('BAD_SIGNATURE', 'the device did not sign this invitation')
}

const mailCodec = struct({
  version: constant(1),
  /** Encoded {@link InviteStatement}. */
  statement: bytesBetween(1, LIMITS.maxBytes),
  /** The code of the link, see `formatInviteCode`. The node has to know it to write it into the mail. */
  code: text(2 * MAX_INVITE_CODE_BYTES),
  address: text(MAX_MAIL_ADDRESS_LENGTH),
  /** Milliseconds by the device's clock. */
  time: uint(),
  signature: bytes(SIGNATURE_BYTES)
})

/** A request to send an invitation by e-mail. */
export type InviteMail = TypeOf<typeof mailCodec>
type UnsignedMail = Omit<InviteMail, 'version' | 'signature'>

const mailBytes = (network: NetworkId, { statement, code, address, time }: UnsignedMail): Uint8Array =>
  labelled('invite-mail', network, statement, code, address, time)

/** @returns the encoded request. */
export async function signInviteMail(network: NetworkId, key: SigningKey, mail: UnsignedMail): Promise<Uint8Array> {
  return encode(mailCodec, { version: 1, ...mail, signature: await key.sign(mailBytes(network, mail)) })
}

/** Longest encoded request, in bytes. */
export const MAX_INVITE_MAIL_BYTES = 4_096

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export const decodeInviteMail = (encoded: Uint8Array): InviteMail =>
  decode(mailCodec, encoded, { maxBytes: MAX_INVITE_MAIL_BYTES, maxDepth: 2, maxItems: 16 })

/** @param now - by the node's clock. @throws ProtocolError `EXPIRED`, `BAD_SIGNATURE`. */
export async function verifyInviteMail(
  crypto: Crypto,
  network: NetworkId,
  signingKey: Uint8Array,
  mail: InviteMail,
  now: number
): Promise<void> {
  if (Math.abs(now - mail.time) > INVITE_MAIL_LIFE_MS) {
    throw new ProtocolError('EXPIRED', 'the request is too old, or the clocks of device and node are too far apart')
  }
  if (await crypto.verify(signingKey, mailBytes(network, mail), mail.signature)) return
  throw new ProtocolError('BAD_SIGNATURE', 'the device did not sign this request')
}

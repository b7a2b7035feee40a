import type { Brand } from '../brand.ts'
import { bytes, constant, refine, struct, uint, type TypeOf } from '../codec.ts'
import { conversationIdCodec } from '../roster/roster.ts'
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec } from '../identity/device.ts'
import { labelledHash } from '../labels.ts'
import { SESSION_AGE_LIMIT_MS, SESSION_MAX_AGE_MS, SESSION_MAX_MESSAGES, SESSION_MESSAGES_LIMIT } from '../limits.ts'
import type { NetworkId } from '../network.ts'

/** 16 bytes that name a session, see {@link sessionIdOf}; in clear on its messages. */
export type SessionId = Brand<Uint8Array, 'SessionId'>
export const SESSION_ID_BYTES = 16
export const sessionIdCodec = bytes<SessionId>(SESSION_ID_BYTES)

/** The number of suite `volo/1`. */
export const SUITE = 1

/** When a sender gives up a session for a new one; carried in the Open, so that receivers hold it to its word. */
export interface SessionLimits {
  /** 1 to {@link SESSION_MESSAGES_LIMIT}. */
  maxMessages: number
  /** Milliseconds, 1 to {@link SESSION_AGE_LIMIT_MS}. */
  maxAgeMs: number
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  maxMessages: SESSION_MAX_MESSAGES,
  maxAgeMs: SESSION_MAX_AGE_MS
}

const positive = (max: number) =>
  refine(uint(max), (value, path) => {
    if (value === 0) throw new ProtocolError('MALFORMED', `"${path}" must be at least 1`)
    return value
  })

/** All that a session is bound to. Its hash enters the first chain key and every signature of the session. */
export const sessionContextCodec = struct({
  suite: constant(SUITE),
  sessionId: sessionIdCodec,
  conversationId: conversationIdCodec,
  rosterEpoch: uint(),
  rosterHash: bytes(32),
  senderAccount: accountIdCodec,
  senderDevice: deviceIdCodec,
  /** Ed25519 public key that signs this session's messages and nothing else. */
  sessionKey: bytes(KEY_BYTES),
  /** HMAC of the session secret, see `commitmentOf`. */
  commitment: bytes(32),
  /** The sender device's fresh X-Wing key for this conversation: `conversationKeyId` of it, and its place in the row. */
  conversationKeyId: bytes(32),
  conversationKeyIndex: uint(),
  /** The sender's next sequence number in this conversation when it opened the session. */
  firstSequence: uint(),
  /** Milliseconds since 1970, by the sender's clock. */
  createdAt: uint(),
  maxMessages: positive(SESSION_MESSAGES_LIMIT),
  maxAgeMs: positive(SESSION_AGE_LIMIT_MS)
})

export type SessionContext = TypeOf<typeof sessionContextCodec>

/**
 * Names a session by what no other can share: messages show the id to nodes before the Open has arrived, and an id that
 * were free to choose could be taken first by a session of another account, which would shut the true one out.
 */
export function sessionIdOf(
  crypto: Crypto,
  network: NetworkId,
  context: Pick<SessionContext, 'conversationId' | 'senderDevice' | 'sessionKey' | 'commitment'>
): SessionId {
  const { conversationId, senderDevice, sessionKey, commitment } = context
  const digest = labelledHash(crypto, 'session-id', network, conversationId, senderDevice, sessionKey, commitment)
  return digest.slice(0, SESSION_ID_BYTES) as SessionId
}

/** H(ctx), 32 bytes. */
export function contextHash(crypto: Crypto, network: NetworkId, context: SessionContext): Uint8Array {
  return labelledHash(crypto, 'session-context', network, sessionContextCodec.toCbor(context))
}

/**
 * The sending side of one conversation on this device: the open session, and the sequence that runs across sessions.
 * Nothing of it is ever restored from a backup: a restored device is a new one.
 */
import { equalBytes, toHex, wipe } from '../bytes.ts'
import { bytes, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import { conversationIdCodec, type ConversationId } from '../roster/roster.ts'
import { KEY_BYTES, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { Secret, secretBytes } from '../secret.ts'
import { deviceIdCodec, type DeviceId } from '../identity/device.ts'
import { CLOCK_TOLERANCE_MS, MAX_ROSTER_DEVICES, SESSION_MESSAGES_LIMIT } from '../limits.ts'
import { sessionIdCodec } from './context.ts'
import type { Environment } from '../environment.ts'
import { stepChain } from './key-schedule.ts'
import { sealFrame } from './message-cipher.ts'
import { firstPredecessor, messageHash } from './message-hash.ts'
import { encodeMessagePacket } from './message-packet.ts'
import { stateCodec } from './state.ts'

const sendSessionCodec = struct({
  sessionId: sessionIdCodec,
  /** H(ctx). */
  contextHash: bytes(32),
  rosterHash: bytes(32),
  /** 32-byte Ed25519 seed: secret. */
  sessionSeed: secretBytes(KEY_BYTES),
  /** Chain key of `counter`: secret. */
  chainKey: secretBytes(KEY_BYTES),
  /** Messages encrypted so far. */
  counter: uint(SESSION_MESSAGES_LIMIT),
  createdAt: uint(),
  maxMessages: uint(SESSION_MESSAGES_LIMIT),
  maxAgeMs: uint()
})

/** The session that this device encrypts with now. */
export type SendSession = TypeOf<typeof sendSessionCodec>

const outboundCodec = struct({
  conversationId: conversationIdCodec,
  deviceId: deviceIdCodec,
  nextSequence: uint(),
  /** `messageHash` of the last message, or `firstPredecessor`. */
  predecessor: bytes(32),
  /** Since which sequence each device of the roster has been in it without a break. */
  joined: list(struct({ deviceId: deviceIdCodec, since: uint() }), MAX_ROSTER_DEVICES),
  session: nullable(sendSessionCodec)
})

/** Send state of one conversation; store the new one before its packet is submitted. */
export type Outbound = TypeOf<typeof outboundCodec>
export const outboundState = stateCodec<Outbound>(outboundCodec)

/** A device that has sent nothing in this conversation yet. */
export function emptyOutbound(
  { crypto, network }: Environment,
  conversationId: ConversationId,
  deviceId: DeviceId
): Outbound {
  const predecessor = firstPredecessor(crypto, network, { conversationId, deviceId })
  return { conversationId, deviceId, nextSequence: 0, predecessor, joined: [], session: null }
}

/** Why a new session has to be opened before the next message; `clock`: it was opened while the clock was ahead. */
export type RenewalReason = 'first' | 'roster' | 'count' | 'age' | 'clock'

/**
 * Whether the session in use may carry one more message. A revoked or added device shows as another roster hash.
 *
 * @returns the reason to open a new session, or `undefined`.
 */
export function renewalReason(outbound: Outbound, rosterHash: Uint8Array, now: number): RenewalReason | undefined {
  const { session } = outbound
  if (!session) return 'first'
  if (!equalBytes(session.rosterHash, rosterHash)) return 'roster'
  if (session.counter >= session.maxMessages) return 'count'
  if (now - session.createdAt >= session.maxAgeMs) return 'age'
  // Its date is not to be believed: a session with a true one replaces it.
  if (session.createdAt > now + CLOCK_TOLERANCE_MS) return 'clock'
  return undefined
}

/** An encrypted message; what has to be stored with it to send it again is all here. */
export interface EncryptedMessage {
  outbound: Outbound
  /** An encoded message packet, for an envelope's payload. */
  packet: Uint8Array
  /** `null` for a message outside the sequence. */
  sequence: number | null
  predecessor: Uint8Array | null
}

/**
 * Encrypts one message to the session's devices.
 *
 * @param content - an encoded message, at most `MAX_CONTENT_BYTES`.
 * @param sequenced - false for what must not count as a gap when lost: see `isSequenced`.
 * @throws ProtocolError `LIMIT_REACHED` if {@link renewalReason} asked for a new session, `TOO_LARGE`.
 */
export async function encryptMessage(
  env: Environment,
  outbound: Outbound,
  content: Uint8Array,
  sequenced: boolean
): Promise<EncryptedMessage> {
  if (!sequenced) return { ...(await seal(env, outbound, null, null, content)), sequence: null, predecessor: null }
  const { nextSequence: sequence, predecessor, conversationId, deviceId } = outbound
  const sealed = await seal(env, outbound, sequence, predecessor, content)
  const sender = { conversationId, deviceId }
  const hash = messageHash(env.crypto, env.network, sender, sequence, predecessor, content)
  return {
    outbound: { ...sealed.outbound, nextSequence: sequence + 1, predecessor: hash },
    packet: sealed.packet,
    sequence,
    predecessor
  }
}

/** A message as it was first sent. */
export interface SentMessage {
  sequence: number
  predecessor: Uint8Array
  content: Uint8Array
}

/**
 * Encrypts a message again, with its original place in the sequence, in the session in use. For a device that
 * `answerResendRequest` allowed: address the envelope to that device alone.
 *
 * @throws ProtocolError as {@link encryptMessage}; `INVALID` for a sequence that was never sent.
 */
export async function encryptAgain(
  env: Environment,
  outbound: Outbound,
  { sequence, predecessor, content }: SentMessage
): Promise<EncryptedMessage> {
  if (sequence >= outbound.nextSequence) throw new ProtocolError('INVALID', `sequence ${sequence} was never sent`)
  return { ...(await seal(env, outbound, sequence, predecessor, content)), sequence, predecessor }
}

async function seal(
  env: Environment,
  outbound: Outbound,
  sequence: number | null,
  predecessor: Uint8Array | null,
  content: Uint8Array
): Promise<{ outbound: Outbound; packet: Uint8Array }> {
  const { session } = outbound
  if (!session) throw new ProtocolError('LIMIT_REACHED', 'no session is open')
  const { sessionId, contextHash, counter } = session
  if (counter >= session.maxMessages || env.now() - session.createdAt >= session.maxAgeMs) {
    throw new ProtocolError('LIMIT_REACHED', `session is used up after ${counter} messages`)
  }
  const { messageKey, next } = stepChain(env.crypto, session.chainKey.expose())
  try {
    const key = await signingKeyOf(env, session)
    const frame = { sequence, predecessor, content }
    const ciphertext = await sealFrame(env, { sessionId, contextHash, counter }, messageKey, key, frame)
    return {
      outbound: { ...outbound, session: { ...session, chainKey: new Secret(next), counter: counter + 1 } },
      packet: encodeMessagePacket({ sessionId, counter, ciphertext })
    }
  } catch (error) {
    wipe(next)
    throw error
  } finally {
    wipe(messageKey)
  }
}

// Expanding a seed costs as much as a signature. States of one session share the seed, so the key is kept as
// long as any of them is, and not longer.
const signingKeys = new WeakMap<Secret, SigningKey>()

async function signingKeyOf({ crypto }: Environment, session: SendSession): Promise<SigningKey> {
  const known = signingKeys.get(session.sessionSeed)
  if (known) return known
  const key = await crypto.signingKeyFromSeed(session.sessionSeed.expose())
  signingKeys.set(session.sessionSeed, key)
  return key
}

/** Wipes what the new state has forgotten of the old one, once the new one is stored. */
export function releaseOutbound(before: Outbound, after: Outbound): void {
  if (!before.session) return
  const { sessionSeed, chainKey } = before.session
  if (after.session?.chainKey !== chainKey) chainKey.erase()
  if (after.session?.sessionSeed !== sessionSeed) {
    signingKeys.delete(sessionSeed)
    sessionSeed.erase()
  }
}

/** For each device, in the given order, since when it is in the roster: as before, or from the next message on. */
export function joinedSince(outbound: Outbound, devices: DeviceId[]): { deviceId: DeviceId; since: number }[] {
  const before = new Map(outbound.joined.map(({ deviceId, since }) => [toHex(deviceId), since]))
  return devices.map(deviceId => ({ deviceId, since: before.get(toHex(deviceId)) ?? outbound.nextSequence }))
}

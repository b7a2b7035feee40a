/**
 * The receiving side of one session. Keys of messages that were passed over are kept until they arrive; their number
 * cannot exceed the session's own limit, however the passing over is spread over messages.
 */
import { equalBytes, wipe } from '../bytes.ts'
import { bytes, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import { conversationIdCodec } from '../roster/roster.ts'
import { KEY_BYTES } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { erase, Secret, secretBytes } from '../secret.ts'
import { accountIdCodec, deviceIdCodec } from '../identity/device.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS, SESSION_MESSAGES_LIMIT } from '../limits.ts'
import { sessionIdCodec } from './context.ts'
import type { Environment } from '../environment.ts'
import { stepChain } from './key-schedule.ts'
import { openFrame } from './message-cipher.ts'
import type { MessageFrame, MessagePacket } from './message-packet.ts'
import { stateCodec } from './state.ts'

const inboundCodec = struct({
  sessionId: sessionIdCodec,
  conversationId: conversationIdCodec,
  senderAccount: accountIdCodec,
  senderDevice: deviceIdCodec,
  rosterHash: bytes(32),
  contextHash: bytes(32),
  /** Ed25519 public key of the session. */
  sessionKey: bytes(KEY_BYTES),
  /** Index of the conversation key that its Open handed over: orders the sessions of one sender. */
  keyIndex: uint(),
  firstSequence: uint(),
  createdAt: uint(),
  maxMessages: uint(SESSION_MESSAGES_LIMIT),
  maxAgeMs: uint(),
  /** Chain key of counter `next`: secret. */
  chainKey: secretBytes(KEY_BYTES),
  /** Lowest counter that was not reached yet. */
  next: uint(SESSION_MESSAGES_LIMIT),
  /** Message keys below `next` that were not used yet: secret. Rising by counter. */
  skipped: list(struct({ counter: uint(SESSION_MESSAGES_LIMIT), key: secretBytes(KEY_BYTES) }), SESSION_MESSAGES_LIMIT),
  /** When a newer session of the same sender was accepted, milliseconds; `null` while this is its newest. */
  supersededAt: nullable(uint())
})

/** Receive state of one session. */
export type Inbound = TypeOf<typeof inboundCodec>
export const inboundState = stateCodec<Inbound>(inboundCodec)

/** A decrypted message, with the state that has forgotten its key. */
export interface DecryptedMessage {
  inbound: Inbound
  frame: MessageFrame
}

/** When the last message of a session has expired at every node, milliseconds. */
export function inboundExpiry(inbound: Pick<Inbound, 'createdAt' | 'maxAgeMs'>): number {
  return inbound.createdAt + inbound.maxAgeMs + PENDING_TTL_MS + 2 * CLOCK_TOLERANCE_MS
}

/**
 * Decrypts one message of this session, in any order, once. Store the new state together with the message.
 *
 * @throws ProtocolError `NOT_FOR_US` for another session, `REPLAYED` for a counter already used, `LIMIT_REACHED` past
 * the session's limit, `EXPIRED`, `DECRYPT_FAILED`, `BAD_SIGNATURE`, `MALFORMED`. The given state stays as it was.
 */
export async function decryptMessage(
  env: Environment,
  inbound: Inbound,
  packet: MessagePacket
): Promise<DecryptedMessage> {
  const { sessionId, contextHash, sessionKey } = inbound
  const { counter, ciphertext } = packet
  if (!equalBytes(packet.sessionId, sessionId)) throw new ProtocolError('NOT_FOR_US', 'message of another session')
  if (env.now() > inboundExpiry(inbound)) throw new ProtocolError('EXPIRED', 'message of an expired session')
  if (counter >= inbound.maxMessages) {
    throw new ProtocolError('LIMIT_REACHED', `message ${counter} of a session of ${inbound.maxMessages}`)
  }
  const step = counter < inbound.next ? takeSkipped(inbound, counter) : advance(env, inbound, counter)
  try {
    const frame = await openFrame(env, { sessionId, contextHash, counter }, step.messageKey, sessionKey, ciphertext)
    wipe(step.messageKey)
    return { inbound: step.inbound, frame }
  } catch (error) {
    wipe(...step.derived)
    throw error
  }
}

interface ChainStep {
  inbound: Inbound
  /** A copy, wiped once used. */
  messageKey: Uint8Array
  /** Secrets that exist only in the new state, for wiping when the message is refused. */
  derived: Uint8Array[]
}

function takeSkipped(inbound: Inbound, counter: number): ChainStep {
  const entry = inbound.skipped.find(skipped => skipped.counter === counter)
  if (!entry) throw new ProtocolError('REPLAYED', `message ${counter} was read before`)
  const messageKey = entry.key.expose().slice()
  const skipped = inbound.skipped.filter(other => other !== entry)
  return { inbound: { ...inbound, skipped }, messageKey, derived: [messageKey] }
}

function advance({ crypto }: Environment, inbound: Inbound, counter: number): ChainStep {
  const skipped = [...inbound.skipped]
  const derived: Uint8Array[] = []
  const held = inbound.chainKey.expose()
  let chainKey = held
  for (let passed = inbound.next; ; passed++) {
    const { messageKey, next } = stepChain(crypto, chainKey)
    // The state's own chain key belongs to the caller until the new state is stored.
    if (chainKey !== held) wipe(chainKey)
    chainKey = next
    derived.push(messageKey)
    if (passed === counter) {
      derived.push(chainKey)
      return {
        inbound: { ...inbound, chainKey: new Secret(chainKey), next: counter + 1, skipped },
        messageKey,
        derived
      }
    }
    skipped.push({ counter: passed, key: new Secret(messageKey) })
  }
}

/** Time for stragglers outside the sequence (receipts and the like) after a session was superseded. */
export const SUPERSEDED_GRACE_MS = 60 * 60 * 1000

/** Sessions of one device in one conversation that are kept; see {@link surplusInbound}. */
export const MAX_INBOUND_SESSIONS = 128

/**
 * The oldest sessions of a device past {@link MAX_INBOUND_SESSIONS}, newest first: to be erased ({@link eraseInbound}). Each
 * may hold a thousand skipped keys, and a sender can keep them all unfinished. Messages that are missed show as a gap.
 *
 * @param inbounds - sessions of one conversation.
 */
export function surplusInbound(inbounds: Inbound[], senderDevice: Uint8Array): Inbound[] {
  return inbounds
    .filter(inbound => equalBytes(inbound.senderDevice, senderDevice))
    .sort((a, b) => b.keyIndex - a.keyIndex)
    .slice(MAX_INBOUND_SESSIONS)
}

/** Marks the older sessions of the same sender and conversation once a newer one was accepted. @returns those changed. */
export function supersedeInbound(others: Inbound[], accepted: Inbound, now: number): Inbound[] {
  return others
    .filter(
      other =>
        other.supersededAt === null &&
        other.keyIndex < accepted.keyIndex &&
        equalBytes(other.conversationId, accepted.conversationId) &&
        equalBytes(other.senderDevice, accepted.senderDevice)
    )
    .map(other => ({ ...other, supersededAt: now }))
}

/**
 * Whether no further message of a session can be wanted: all were read, or it was superseded and nothing is missing,
 * or the last envelope has expired. Its id stays in `SeenSession`.
 *
 * @param hasGaps - whether messages of the sender device are missing.
 */
export function isInboundFinished(inbound: Inbound, hasGaps: boolean, now: number): boolean {
  if (inbound.next === inbound.maxMessages && inbound.skipped.length === 0) return true
  if (now > inboundExpiry(inbound)) return true
  return inbound.supersededAt !== null && !hasGaps && now - inbound.supersededAt >= SUPERSEDED_GRACE_MS
}

/** Wipes what the new state has forgotten of the old one, once the new one is stored. */
export function releaseInbound(before: Inbound, after: Inbound): void {
  const kept = new Set([after.chainKey, ...after.skipped.map(({ key }) => key)])
  for (const secret of [before.chainKey, ...before.skipped.map(({ key }) => key)]) {
    if (!kept.has(secret)) secret.erase()
  }
}

/** Wipes a session's secrets: when it is finished, and at once when its sender leaves the roster. */
export function eraseInbound(inbound: Inbound): void {
  erase(inbound.chainKey, ...inbound.skipped.map(({ key }) => key))
}

/**
 * Opening a session: a fresh secret, bound to everything it is for, signed by the device, and sealed to every other
 * device of the roster. See docs/protocol.md, "Sessions".
 */
import { equalBytes, wipe } from '../bytes.ts'
import { directConversationId, rosterDevices, rosterHash, type ConversationId, type Roster } from '../roster/roster.ts'
import { KEY_BYTES, type SigningKey } from '../crypto/crypto.ts'
import { hpkeSeal } from '../crypto/hpke.ts'
import { ProtocolError } from '../errors.ts'
import type { AccountId, DeviceId } from '../identity/device.ts'
import { labelled, labelledHash } from '../labels.ts'
import { SESSION_AGE_LIMIT_MS, SESSION_MESSAGES_LIMIT } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import {
  contextHash,
  DEFAULT_SESSION_LIMITS,
  sessionIdOf,
  SUITE,
  type SessionContext,
  type SessionId,
  type SessionLimits
} from './context.ts'
import {
  renewOwnKey,
  selectSealTargets,
  type KeySources,
  type OwnKeys,
  type SealTarget,
  type Unsealed
} from './conversation-keys.ts'
import type { Environment } from '../environment.ts'
import { bodyKey, commitmentOf, firstChainKey } from './key-schedule.ts'
import { encodeOpenBody, encodeOpenContent, encodeOpenPart, type OpenContent } from './open-body.ts'
import { startDelivery, type OpenDelivery } from './open-delivery.ts'
import { joinedSince, type Outbound } from './outbound.ts'
import { BODY_PADDING_BYTES, padToMultiple } from './padding.ts'
import { sealTag, type SealKeyId } from './seal-key.ts'

/** This device, as a sender. */
export interface OwnDevice {
  accountId: AccountId
  deviceId: DeviceId
  signingKey: SigningKey
}

export interface OpenInit extends KeySources {
  me: OwnDevice
  /** Current roster; lists this device. */
  roster: Roster
  outbound: Outbound
  ownKeys: OwnKeys
  /** Default {@link DEFAULT_SESSION_LIMITS}. */
  limits?: SessionLimits
}

/** One recipient's part of an envelope. */
export interface DevicePart {
  deviceId: DeviceId
  /** The recipient's key that it is sealed to. */
  keyId: SealKeyId
  /** About 1.2 KiB, at most `MAX_RECIPIENT_PART_BYTES`. */
  part: Uint8Array
}

export interface OpenedSession {
  sessionId: SessionId
  /** These three are to be stored before anything is submitted. */
  outbound: Outbound
  ownKeys: OwnKeys
  delivery: OpenDelivery
  /** Goes into the payload, see `encodePacket`. */
  openBody: Uint8Array
  /** One for each other device of the roster that could be sealed to; none in notes to self on a single device. */
  parts: DevicePart[]
  /** Devices without a usable key. They are in `delivery` and get their part by `reopenSession` once they have one. */
  unsealed: Unsealed[]
}

/** H(body): what every part is bound to. @param openBody - encoded body. @returns 32 bytes. */
export function openBodyHash({ crypto, network }: Environment, openBody: Uint8Array): Uint8Array {
  return labelledHash(crypto, 'session-body', network, openBody)
}

/** HPKE `info` of one part: nobody can move the part to another device, key or body. */
export function sealInfo(
  network: NetworkId,
  recipient: DeviceId,
  keyId: SealKeyId,
  commitment: Uint8Array,
  bodyHash: Uint8Array
): Uint8Array {
  return labelled('session-seal', network, recipient, keyId, commitment, bodyHash)
}

/** The bytes under the device signature of an Open. */
export function openSigningBytes(
  network: NetworkId,
  hash: Uint8Array,
  members: OpenContent['members'],
  joined: number[]
): Uint8Array {
  const names = members && members.map(({ accountId, head }) => [accountId, head])
  return labelled('session-open', network, hash, names, joined)
}

/** The accounts of a direct conversation, which travel in the Open; `null` for a group, which its members know. */
function namedMembers({ crypto, network }: Environment, roster: Roster): OpenContent['members'] {
  if (roster.members.length > 2) return null
  const accounts = roster.members.map(({ accountId }) => accountId)
  if (!equalBytes(directConversationId(crypto, network, accounts), roster.conversationId)) return null
  return roster.members.map(({ accountId, head }) => ({ accountId, head }))
}

/**
 * Opens a new session to every other device of the roster, own ones included, and hands over a fresh conversation key.
 *
 * @throws ProtocolError `INVALID` if this device is not in the roster, or for limits out of range. Nothing has changed
 * then.
 */
export async function openSession(env: Environment, init: OpenInit): Promise<OpenedSession> {
  const { crypto, network, random, now } = env
  const { me, roster, limits = DEFAULT_SESSION_LIMITS } = init
  requireLimits(limits)
  const listed = rosterDevices(roster)
  if (!listed.some(({ device }) => equalBytes(device.deviceId, me.deviceId))) {
    throw new ProtocolError('INVALID', 'this device is not in the roster')
  }
  requireConversation(init.outbound, roster.conversationId, me.deviceId)
  const others = listed.map(({ device }) => device).filter(device => !equalBytes(device.deviceId, me.deviceId))
  const { targets, unsealed } = await selectSealTargets(env, others, init)

  const secret = random(KEY_BYTES)
  const sessionSeed = random(KEY_BYTES)
  const createdAt = now()
  const sessionKey = await crypto.signingKeyFromSeed(sessionSeed)
  const renewed = await renewOwnKey(env, init.ownKeys)
  const commitment = commitmentOf(crypto, network, secret)
  const named = {
    conversationId: roster.conversationId,
    senderDevice: me.deviceId,
    sessionKey: sessionKey.publicKey,
    commitment
  }
  const sessionId = sessionIdOf(crypto, network, named)
  const context: SessionContext = {
    suite: SUITE,
    sessionId,
    ...named,
    rosterEpoch: roster.epoch,
    rosterHash: rosterHash(crypto, network, roster),
    senderAccount: me.accountId,
    conversationKeyId: renewed.keyId,
    conversationKeyIndex: renewed.index,
    firstSequence: init.outbound.nextSequence,
    createdAt,
    ...limits
  }
  const hash = contextHash(crypto, network, context)
  const joined = joinedSince(
    init.outbound,
    listed.map(({ device }) => device.deviceId)
  )
  const members = namedMembers(env, roster)
  const sinces = joined.map(({ since }) => since)
  const deviceSignature = await me.signingKey.sign(openSigningBytes(network, hash, members, sinces))
  const content: OpenContent = {
    context,
    conversationKey: renewed.key.publicKey,
    members,
    joined: sinces,
    deviceSignature
  }
  const openBody = sealBody(env, secret, commitment, content)
  const sealed = await sealParts(env, openBody, commitment, secret, targets)
  return {
    sessionId,
    outbound: {
      ...init.outbound,
      joined,
      session: {
        sessionId,
        contextHash: hash,
        rosterHash: context.rosterHash,
        sessionSeed,
        chainKey: firstChainKey(crypto, network, secret, hash),
        counter: 0,
        createdAt,
        ...limits
      }
    },
    ownKeys: renewed.own,
    delivery: startDelivery(context, secret, openBody, others, sealed.parts),
    openBody,
    parts: sealed.parts,
    unsealed: [...unsealed, ...sealed.unsealed]
  }
}

function requireLimits({ maxMessages, maxAgeMs }: SessionLimits): void {
  const inRange = (value: number, max: number) => Number.isSafeInteger(value) && value >= 1 && value <= max
  if (!inRange(maxMessages, SESSION_MESSAGES_LIMIT) || !inRange(maxAgeMs, SESSION_AGE_LIMIT_MS)) {
    throw new ProtocolError('INVALID', `a session has at most ${SESSION_MESSAGES_LIMIT} messages`)
  }
}

function requireConversation(outbound: Outbound, conversationId: ConversationId, deviceId: DeviceId): void {
  if (!equalBytes(outbound.conversationId, conversationId) || !equalBytes(outbound.deviceId, deviceId)) {
    throw new ProtocolError('INVALID', 'send state is of another conversation or device')
  }
}

function sealBody(env: Environment, secret: Uint8Array, commitment: Uint8Array, content: OpenContent): Uint8Array {
  const { key, nonce } = bodyKey(env.crypto, env.network, secret, commitment)
  const padded = padToMultiple(encodeOpenContent(content), BODY_PADDING_BYTES)
  const sealed = env.crypto.chachaSeal(key, nonce, padded, commitment)
  wipe(key)
  return encodeOpenBody({ suite: SUITE, commitment, sealed })
}

/** Seals a session's secret to each target; also for an Open that is sent again. */
export async function sealParts(
  env: Environment,
  openBody: Uint8Array,
  commitment: Uint8Array,
  secret: Uint8Array,
  targets: SealTarget[]
): Promise<{ parts: DevicePart[]; unsealed: Unsealed[] }> {
  const { crypto, network } = env
  const bodyHash = openBodyHash(env, openBody)
  const parts: DevicePart[] = []
  const unsealed: Unsealed[] = []
  for (const { device, keyId, publicKey } of targets) {
    const { deviceId } = device
    const info = sealInfo(network, deviceId, keyId, commitment, bodyHash)
    try {
      const { enc, ciphertext } = await hpkeSeal(crypto, publicKey, info, NO_ASSOCIATED_DATA, secret)
      const tag = sealTag(crypto, network, keyId, bodyHash)
      parts.push({ deviceId, keyId, part: encodeOpenPart({ tag, enc, sealedSecret: ciphertext }) })
    } catch (error) {
      // A device may hand out a key that is none; that must cost only itself.
      if (!(error instanceof ProtocolError)) throw error
      unsealed.push({ deviceId, error })
    }
  }
  return { parts, unsealed }
}

/** All that a part is bound to stands in {@link sealInfo}. */
export const NO_ASSOCIATED_DATA = new Uint8Array(0)

/**
 * Opening a session: a fresh secret, bound to everything it is for, sealed to every other device of the roster and signed
 * for each of them. See docs/sessions.md.
 */
import { equalBytes, wipe } from '../bytes.ts'
import { directConversationId, rosterDevices, rosterHash, type ConversationId, type Roster } from '../roster/roster.ts'
import { KEY_BYTES, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { deviceIdOf, type AccountId, type DeviceId, type DevicePublicKeys } from '../identity/device.ts'
import { SESSION_AGE_LIMIT_MS, SESSION_MESSAGES_LIMIT } from '../limits.ts'
import {
  contextHash,
  DEFAULT_SESSION_LIMITS,
  sessionIdOf,
  SUITE,
  type SessionContext,
  type SessionId,
  type SessionLimits
} from './context.ts'
import { renewOwnKey, selectSealTargets, type KeySources, type OwnKeys, type Unsealed } from './conversation-keys.ts'
import type { Environment } from '../environment.ts'
import { bodyKey, commitmentOf, firstChainKey } from './key-schedule.ts'
import { encodeOpenBody, encodeOpenContent, type OpenContent } from './open-body.ts'
import { startDelivery, type OpenDelivery } from './open-delivery.ts'
import { joinedSince, type Outbound } from './outbound.ts'
import { BODY_PADDING_BYTES, padToMultiple } from './padding.ts'
import { openPairing, type OpenedPairing } from './pairing.ts'
import { sealParts, type DevicePart } from './seal-parts.ts'

/** This device, as a sender. */
export interface OwnDevice {
  accountId: AccountId
  deviceId: DeviceId
  signingKey: SigningKey
  /** The keys that the device id is a hash of. */
  publicKeys: DevicePublicKeys
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

export interface OpenedSession {
  sessionId: SessionId
  /** These four are to be stored before anything is submitted. */
  outbound: Outbound
  ownKeys: OwnKeys
  delivery: OpenDelivery
  pairing: OpenedPairing
  /** Goes into the payload, see `encodePacket`. */
  openBody: Uint8Array
  /** One for each other device of the roster that could be sealed to; none in notes to self on a single device. */
  parts: DevicePart[]
  /** Devices without a usable key. They are in `delivery` and get their part by `reopenSession` once they have one. */
  unsealed: Unsealed[]
}

/** How an Open names a group; `null` in a direct conversation. */
function namedGroup({ heads, members }: Roster): OpenContent['group'] {
  return heads.length === 0 ? null : { heads, records: members.map(({ head }) => head) }
}

/** The accounts of a direct conversation, which travel in the Open; `null` for a group, which its members know. */
function namedMembers({ crypto, network }: Environment, roster: Roster): OpenContent['members'] {
  if (roster.heads.length > 0 || roster.members.length > 2) return null
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
  if (!equalBytes(deviceIdOf(crypto, network, me.publicKeys), me.deviceId)) {
    throw new ProtocolError('INVALID', 'the device id is not that of its keys')
  }
  const others = listed.map(({ device }) => device).filter(device => !equalBytes(device.deviceId, me.deviceId))
  const { targets, unsealed } = await selectSealTargets(env, others, init)

  const secret = random(KEY_BYTES)
  const sessionSeed = new Secret(random(KEY_BYTES))
  const createdAt = now()
  const sessionKey = await crypto.signingKeyFromSeed(sessionSeed.expose())
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
  const content: OpenContent = {
    context,
    senderKeys: me.publicKeys,
    conversationKey: renewed.key.publicKey,
    members: namedMembers(env, roster),
    group: namedGroup(roster),
    joined: joined.map(({ since }) => since)
  }
  const openBody = sealBody(env, secret, commitment, content)
  const pairingRoot = random(KEY_BYTES)
  const source = { sessionId, openBody, commitment, secret, pairingRoot }
  const sealed = await sealParts(env, me.signingKey, source, targets)
  const { conversationId } = roster
  const { index: keyIndex } = renewed
  const pairing = openPairing(
    crypto,
    network,
    { sessionId, conversationId, root: new Secret(pairingRoot.slice()), keyIndex },
    others
  )
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
        chainKey: new Secret(firstChainKey(crypto, network, secret, hash)),
        counter: 0,
        createdAt,
        ...limits
      }
    },
    ownKeys: renewed.own,
    delivery: startDelivery(context, source, others, sealed.parts),
    pairing,
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

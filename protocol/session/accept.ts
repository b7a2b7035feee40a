/**
 * Reading an Open, in two steps. {@link readOpen} decrypts it and checks the signature with the keys inside, which the id of
 * the sending device is a hash of: so what it returns was said by that device, to this one. Whether the device belongs to the
 * account that it names is decided by the roster (`resolveRoster`), which may take a look into the directory;
 * {@link acceptOpen} then checks every other claim.
 */
import { equalBytes, equalSecrets, wipe } from '../bytes.ts'
import type { RosterReference } from '../roster/roster-resolution.ts'
import { rosterDevices, rosterHash, type Roster } from '../roster/roster.ts'
import type { Crypto, MessagingKey } from '../crypto/crypto.ts'
import { hpkeOpen } from '../crypto/hpke.ts'
import { ProtocolError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { deviceIdOf, type DeviceId } from '../identity/device.ts'
import { contextHash, sessionIdOf, type SessionContext } from './context.ts'
import { updatePeerKey, type PeerKey } from './conversation-keys.ts'
import type { Environment } from '../environment.ts'
import { inboundExpiry, type Inbound } from './inbound.ts'
import { bodyKey, commitmentOf, firstChainKey } from './key-schedule.ts'
import {
  decodeOpenBody,
  decodeOpenContent,
  decodeOpenPart,
  splitPartSecrets,
  type OpenBody,
  type OpenContent,
  type PartSecrets
} from './open-body.ts'
import { unpad } from './padding.ts'
import { pairingCommitment, pairTag, type AcceptedPairing } from './pairing.ts'
import { conversationKeyId, findHeldKey, type HeldKey } from './seal-key.ts'
import { NO_ASSOCIATED_DATA, openBodyHash, partSigningBytes, sealInfo, type PartBinding } from './seal-parts.ts'
import type { SeenSession } from './seen-session.ts'

/** An Open that its device signed for this one. Not for the store: keep the sealed bytes while the directory is asked. */
export interface ReadOpen {
  content: OpenContent
  /** For `resolveRoster`. */
  reference: RosterReference
  /** The key of this device that it was sealed to. */
  key: HeldKey
  /** The session secret; {@link acceptOpen} wipes it, {@link discardOpen} if it comes to nothing. */
  secret: Uint8Array
  /** What this device shares with the sender alone; wiped with the other. */
  pairingSecret: Uint8Array
}

/**
 * Decrypts this device's part and the body, and checks the sender's signature. Costs one decapsulation and one signature,
 * from any sender, and asks no node.
 *
 * @param held - every secret of this device: conversation keys, weekly keys, the registered key.
 * @throws ProtocolError `NOT_FOR_US` if it was sealed to no key held (any more), `DECRYPT_FAILED`, `BAD_KEY` if the device
 * id is not that of the keys inside, `BAD_SIGNATURE`, `MALFORMED`, `TOO_LARGE`, `INVALID`.
 */
export async function readOpen(
  env: Environment,
  deviceId: DeviceId,
  held: Iterable<HeldKey>,
  openBody: Uint8Array,
  part: Uint8Array
): Promise<ReadOpen> {
  const { crypto, network } = env
  const body = decodeOpenBody(openBody)
  const { tag, enc, sealed } = decodeOpenPart(part)
  const bodyHash = openBodyHash(env, openBody)
  const key = findHeldKey(crypto, network, held, bodyHash, tag)
  if (!key) throw new ProtocolError('NOT_FOR_US', 'open is sealed to no key that this device holds')
  const messagingKey = await messagingKeyOf(crypto, key)
  const binding = { recipient: deviceId, keyId: key.keyId, commitment: body.commitment, bodyHash }
  const joined = await hpkeOpen(crypto, messagingKey, enc, sealInfo(network, binding), NO_ASSOCIATED_DATA, sealed)
  const secrets = splitPartSecrets(joined)
  wipe(joined)
  try {
    const content = openBodyWith(env, secrets.secret, body)
    await requireSignature(env, content, secrets, binding, enc)
    const { secret, pairingSecret } = secrets
    return { content, reference: referenceOf(content), key, secret, pairingSecret }
  } catch (error) {
    wipe(secrets.secret, secrets.pairingSecret)
    throw error
  }
}

/**
 * The key of this device that an Open is sealed to, which costs a few hashes; `undefined` if none is held.
 * @throws ProtocolError `MALFORMED`, `TOO_LARGE`.
 */
export function keyOfOpen(
  env: Environment,
  held: Iterable<HeldKey>,
  openBody: Uint8Array,
  part: Uint8Array
): HeldKey | undefined {
  return findHeldKey(env.crypto, env.network, held, openBodyHash(env, openBody), decodeOpenPart(part).tag)
}

// Importing a secret costs as much as using it. Only the keys that strangers can seal to are kept imported, as long as
// their seed is.
const importedKeys = new WeakMap<Secret, Promise<MessagingKey>>()

function messagingKeyOf(crypto: Crypto, { seed, index }: HeldKey): Promise<MessagingKey> {
  if (index !== null) return crypto.messagingKeyFromSeed(seed.expose())
  const imported = importedKeys.get(seed) ?? crypto.messagingKeyFromSeed(seed.expose())
  importedKeys.set(seed, imported)
  return imported
}

/** Decrypts the body with the session secret that it commits to. */
function openBodyWith({ crypto, network }: Environment, secret: Uint8Array, body: OpenBody): OpenContent {
  const { commitment, sealed } = body
  if (!equalSecrets(commitmentOf(crypto, network, secret), commitment)) {
    throw new ProtocolError('DECRYPT_FAILED', 'session secret is not the one committed to')
  }
  const cipher = bodyKey(crypto, network, secret, commitment)
  const padded = crypto.chachaOpen(cipher.key, cipher.nonce, sealed, commitment)
  wipe(cipher.key)
  const content = decodeOpenContent(unpad(padded))
  if (!equalBytes(content.context.commitment, commitment)) {
    throw new ProtocolError('INVALID', 'open is for another session secret')
  }
  return content
}

/** The claimed device signed exactly this part: for us, for the key it was sealed to, with this pairing secret. */
async function requireSignature(
  { crypto, network }: Environment,
  { context, senderKeys }: OpenContent,
  { pairingSecret, signature }: PartSecrets,
  binding: PartBinding,
  enc: Uint8Array
): Promise<void> {
  if (!equalBytes(deviceIdOf(crypto, network, senderKeys), context.senderDevice)) {
    throw new ProtocolError('BAD_KEY', 'the keys in the open are not those of the sending device')
  }
  const signed = partSigningBytes(network, binding, enc, pairingCommitment(crypto, network, pairingSecret))
  if (!(await crypto.verify(senderKeys.signingKey, signed, signature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'open is not signed by its device for this one')
  }
}

function referenceOf({ context, members, group }: OpenContent): RosterReference {
  const { conversationId, rosterEpoch, rosterHash, senderAccount, senderDevice, createdAt } = context
  return { conversationId, rosterEpoch, rosterHash, members, group, senderAccount, senderDevice, createdAt }
}

/** Wipes an Open that will not be accepted. */
export function discardOpen(open: ReadOpen): void {
  wipe(open.secret, open.pairingSecret)
}

export interface AcceptInit {
  deviceId: DeviceId
  open: ReadOpen
  /** As `resolveRoster` gave it, or the log of a group. */
  roster: Roster
  /** What the store remembers under `open.content.context.sessionId`. */
  seen: SeenSession | undefined
  /** What is held of the sending device in this conversation. */
  peerKey: PeerKey | undefined
}

/** What to store, together, for an accepted Open. */
export interface AcceptedOpen {
  context: SessionContext
  inbound: Inbound
  peerKey: PeerKey
  seen: SeenSession
  pairing: AcceptedPairing
  /** The sender's first sequence number that was for this device: nothing before it is a gap. */
  since: number
  /** The same for every device of the roster. */
  joined: readonly JoinedDevice[]
}

/** A device, and the sender's first sequence number that was for it. */
export interface JoinedDevice {
  deviceId: DeviceId
  since: number
}

/**
 * Checks an Open against its roster and starts its receiving side. The caller then marks older sessions
 * (`supersedeInbound`) and pairings (`supersedePairings`), tells the sequencer (`noteSession`) and acknowledges.
 *
 * @throws ProtocolError `REPLAYED` for a session accepted before (acknowledge again: the first may have been lost),
 * `ROSTER_MISMATCH`, `NOT_FOR_US` if the roster does not list this device, `BAD_KEY` for another conversation key than the
 * context names or other keys of the sender than the roster's, `EXPIRED`, `INVALID`.
 */
export async function acceptOpen(env: Environment, init: AcceptInit): Promise<AcceptedOpen> {
  const { crypto, network } = env
  const { open, roster, deviceId } = init
  const { context, senderKeys, conversationKey, joined } = open.content
  if (init.seen && !equalBytes(init.seen.sessionId, context.sessionId)) {
    throw new ProtocolError('INVALID', 'memory of another session')
  }
  requireRoster(env, context, roster)
  requireTime(context, env.now())
  const { conversationId } = open.key
  if (conversationId && !equalBytes(conversationId, context.conversationId)) {
    throw new ProtocolError('INVALID', 'open is sealed to a key of another conversation')
  }
  const devices = rosterDevices(roster)
  const sender = devices.find(({ device }) => equalBytes(device.deviceId, context.senderDevice))
  if (!sender || !equalBytes(sender.accountId, context.senderAccount)) {
    throw new ProtocolError('ROSTER_MISMATCH', 'sender is not in the roster')
  }
  if (equalBytes(context.senderDevice, deviceId)) throw new ProtocolError('INVALID', 'own open came back')
  if (!equalBytes(sessionIdOf(crypto, network, context), context.sessionId)) {
    throw new ProtocolError('INVALID', 'session goes by an id that is not its own')
  }
  const place = devices.findIndex(({ device }) => equalBytes(device.deviceId, deviceId))
  if (place < 0) throw new ProtocolError('NOT_FOR_US', 'this device is not in the roster')
  const since = joined[place]
  if (since === undefined || joined.length !== devices.length || joined.some(from => from > context.firstSequence)) {
    throw new ProtocolError('INVALID', 'joined sequences do not fit the roster')
  }
  if (!equalBytes(senderKeys.signingKey, sender.device.signingKey)) {
    throw new ProtocolError('BAD_KEY', 'open is signed by another key than the roster has for its device')
  }
  // The clock of the sender may be ahead. The session lives no longer for it: a sender must not stretch it by a date.
  const createdAt = Math.min(context.createdAt, env.now())
  const hash = contextHash(crypto, network, context)
  if (!equalBytes(conversationKeyId(crypto, network, conversationKey), context.conversationKeyId)) {
    throw new ProtocolError('BAD_KEY', 'conversation key is not the one that was signed')
  }
  // Only now: what an Open claims that is not acceptable is not answered with "opened".
  if (init.seen) throw new ProtocolError('REPLAYED', 'session was opened before')
  const peerKey = updatePeerKey(init.peerKey, {
    deviceId: context.senderDevice,
    index: context.conversationKeyIndex,
    publicKey: conversationKey,
    usedOwnIndex: open.key.index
  })
  const inbound: Inbound = {
    sessionId: context.sessionId,
    conversationId: context.conversationId,
    senderAccount: context.senderAccount,
    senderDevice: context.senderDevice,
    rosterHash: context.rosterHash,
    contextHash: hash,
    sessionKey: context.sessionKey,
    keyIndex: context.conversationKeyIndex,
    firstSequence: context.firstSequence,
    createdAt,
    maxMessages: context.maxMessages,
    maxAgeMs: context.maxAgeMs,
    chainKey: new Secret(firstChainKey(crypto, network, open.secret, hash)),
    next: 0,
    skipped: [],
    supersededAt: peerKey.index > context.conversationKeyIndex ? env.now() : null
  }
  const pairing = { ...acceptedPairing(env, context, open.pairingSecret), supersededAt: inbound.supersededAt }
  discardOpen(open)
  const { maxAgeMs } = context
  const seen = { sessionId: context.sessionId, keyId: open.key.keyId, expiry: inboundExpiry({ createdAt, maxAgeMs }) }
  const starts = devices.map(({ device }, i) => ({ deviceId: device.deviceId, since: joined[i]! }))
  return { context, inbound, peerKey, seen, pairing, since, joined: starts }
}

function acceptedPairing(
  { crypto, network }: Environment,
  context: SessionContext,
  pairingSecret: Uint8Array
): AcceptedPairing {
  const { sessionId, conversationId, senderAccount, senderDevice, conversationKeyIndex } = context
  return {
    sessionId,
    conversationId,
    peerAccount: senderAccount,
    peerDevice: senderDevice,
    secret: new Secret(pairingSecret.slice()),
    tag: pairTag(crypto, network, pairingSecret, sessionId, 'from-opener'),
    keyIndex: conversationKeyIndex,
    lastSentAt: 0,
    supersededAt: null
  }
}

function requireRoster({ crypto, network }: Environment, context: SessionContext, roster: Roster): void {
  if (
    context.rosterEpoch !== roster.epoch ||
    !equalBytes(context.conversationId, roster.conversationId) ||
    !equalBytes(context.rosterHash, rosterHash(crypto, network, roster))
  ) {
    throw new ProtocolError('ROSTER_MISMATCH', 'open is for another conversation or roster')
  }
}

/** No Open is accepted after the last envelope of its session has expired. */
function requireTime(context: SessionContext, now: number): void {
  if (now > inboundExpiry(context)) throw new ProtocolError('EXPIRED', 'open has expired')
}

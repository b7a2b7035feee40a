/**
 * The X-Wing keys that a conversation ratchets with. Each Open hands over a fresh one of its sender; others seal to the
 * highest they hold. {@link OwnKeys} is what this device handed out in one conversation, {@link PeerKey} what it holds
 * of one other device there.
 */
import { equalBytes, toHex } from '../bytes.ts'
import { bytes, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import type { ConversationId } from '../roster/roster.ts'
import { KEY_BYTES, MESSAGING_KEY_BYTES, type MessagingKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { messagingKeyHash, deviceIdCodec, type DeviceId } from '../identity/device.ts'
import { verifyBundle, type DeviceBundle } from '../identity/bundle.ts'
import { KEY_GRACE_MS, KEY_UPDATE_PERIOD_MS, PENDING_TTL_MS } from '../limits.ts'
import type { RosterDevice } from '../roster/roster.ts'
import type { Environment } from '../environment.ts'
import { Secret, secretBytes } from '../secret.ts'
import { conversationKeyId, type HeldKey, type SealKeyId } from './seal-key.ts'
import { stateCodec } from './state.ts'

/** Own secrets that are kept at most; past it the oldest superseded one goes. */
export const MAX_OWN_KEYS = 1_024

const ownKeyCodec = struct({
  index: uint(),
  keyId: bytes<SealKeyId>(32),
  /** 32-byte X-Wing seed. */
  seed: secretBytes(KEY_BYTES),
  /** When a newer key was handed out, milliseconds; `null` for the newest. */
  supersededAt: nullable(uint())
})

const ownKeysCodec = struct({
  nextIndex: uint(),
  /** When the newest key was made, milliseconds; 0 before the first. */
  renewedAt: uint(),
  /** Rising by index. */
  keys: list(ownKeyCodec, MAX_OWN_KEYS)
})

/** This device's keys in one conversation. */
export type OwnKeys = TypeOf<typeof ownKeysCodec>
export const ownKeysState = stateCodec<OwnKeys>(ownKeysCodec)

const peerKeyCodec = struct({
  deviceId: deviceIdCodec,
  index: uint(),
  publicKey: bytes(MESSAGING_KEY_BYTES),
  usedOwnIndex: nullable(uint())
})

/** What this device holds of another in one conversation, from that one's Opens. */
export interface PeerKey {
  deviceId: DeviceId
  index: number
  /** 1216 bytes. */
  publicKey: Uint8Array
  /** Highest index of *our* keys that the device has sealed an Open to; `null` while it used our weekly key only. */
  usedOwnIndex: number | null
}

export const peerKeyState = stateCodec<PeerKey>(peerKeyCodec)

/** Before the first Open. */
export function emptyOwnKeys(): OwnKeys {
  return { nextIndex: 0, renewedAt: 0, keys: [] }
}

/** Makes the key that the next Open hands over, and marks the one before as superseded. */
export async function renewOwnKey(
  { crypto, network, random, now }: Environment,
  own: OwnKeys
): Promise<{ own: OwnKeys; index: number; keyId: SealKeyId; key: MessagingKey }> {
  const seed = new Secret(random(KEY_BYTES))
  const key = await crypto.messagingKeyFromSeed(seed.expose())
  const keyId = conversationKeyId(crypto, network, key.publicKey)
  const at = now()
  const index = own.nextIndex
  const superseded = own.keys.map(old => (old.supersededAt === null ? { ...old, supersededAt: at } : old))
  const keys = [...superseded, { index, keyId, seed, supersededAt: null }].slice(-MAX_OWN_KEYS)
  return { own: { nextIndex: index + 1, renewedAt: at, keys }, index, keyId, key }
}

/** Own secrets in the form that `readOpen` looks keys up in. */
export function heldConversationKeys(conversationId: ConversationId, own: OwnKeys): HeldKey[] {
  return own.keys.map(({ index, keyId, seed }) => ({ keyId, seed, conversationId, index }))
}

/** Whether this device, though it only listens, has to hand out a fresh key (by an Open without a text). */
export function isKeyUpdateDue(own: OwnKeys, now: number): boolean {
  return own.keys.length > 0 && now - own.renewedAt >= KEY_UPDATE_PERIOD_MS
}

/**
 * Erases (and wipes) own secrets that nobody needs any more: superseded, and either every other device of the roster
 * has sealed to a newer one and no message of anybody is missing, or the last envelope that could need it has expired.
 *
 * @param peers - what is held of the other devices of the current roster; one that is absent has used nothing.
 * @param rosterDevices - the other devices of the current roster.
 * @param hasGaps - whether any sequence of the conversation has a gap that may still be filled.
 */
export function eraseOwnKeys(
  own: OwnKeys,
  peers: PeerKey[],
  rosterDevices: DeviceId[],
  hasGaps: boolean,
  now: number
): OwnKeys {
  const used = new Map(peers.map(peer => [toHex(peer.deviceId), peer.usedOwnIndex ?? -1]))
  const leastUsed = Math.min(...rosterDevices.map(device => used.get(toHex(device)) ?? -1))
  const kept = own.keys.filter(({ index, supersededAt }) => {
    if (supersededAt === null) return true
    if (now >= supersededAt + PENDING_TTL_MS + KEY_GRACE_MS) return false
    return hasGaps || index >= leastUsed
  })
  for (const key of own.keys) if (!kept.includes(key)) key.seed.erase()
  return kept.length === own.keys.length ? own : { ...own, keys: kept }
}

/**
 * Takes in the key that an Open handed over, already checked against its signed context, and which own key it was
 * sealed to. The higher index stays, whatever order Opens arrive in.
 *
 * @throws ProtocolError `INVALID` if the sender used one index for two keys.
 */
export function updatePeerKey(held: PeerKey | undefined, offered: PeerKey): PeerKey {
  if (!held) return offered
  if (held.index === offered.index && !equalBytes(held.publicKey, offered.publicKey)) {
    throw new ProtocolError('INVALID', `conversation key ${held.index} was handed out twice, differently`)
  }
  const newest = offered.index > held.index ? offered : held
  const used = Math.max(held.usedOwnIndex ?? -1, offered.usedOwnIndex ?? -1)
  return { ...newest, usedOwnIndex: used < 0 ? null : used }
}

/** A public key to seal to, under its id. */
export interface SealTarget {
  device: RosterDevice
  keyId: SealKeyId
  publicKey: Uint8Array
}

/** Where the key of a device comes from when its Open is sealed. */
export interface KeySources {
  peerKeys: PeerKey[]
  /** For first contact; see {@link devicesWithoutKey}. */
  bundles: DeviceBundle[]
  /**
   * Seal to the registered key if the weekly one has expired. Only after the bundle was fetched afresh: a device that
   * stays off for weeks publishes none, and must still be reachable.
   */
  allowRegisteredKey?: boolean
}

/** The devices for which a bundle has to be fetched before an Open can be sealed. */
export function devicesWithoutKey(devices: RosterDevice[], peerKeys: PeerKey[]): RosterDevice[] {
  const held = new Set(peerKeys.map(peer => toHex(peer.deviceId)))
  return devices.filter(device => !held.has(toHex(device.deviceId)))
}

/** A device that an Open could not be sealed to, and why. */
export interface Unsealed {
  deviceId: DeviceId
  error: ProtocolError
}

/**
 * Chooses the key that each device's part is sealed to: the conversation key held of it, and never anything older once
 * there is one; at first contact the weekly key of its bundle, which is verified here against the roster.
 *
 * One device without a usable key does not keep the others from being reached: it comes back as `unsealed`, with
 * `INVALID` if there is neither key nor bundle, `BAD_KEY` for a bundle with other keys than the roster's, or what
 * `verifyBundle` throws.
 */
export async function selectSealTargets(
  env: Environment,
  devices: RosterDevice[],
  sources: KeySources
): Promise<{ targets: SealTarget[]; unsealed: Unsealed[] }> {
  const { crypto, network } = env
  const held = new Map(sources.peerKeys.map(peer => [toHex(peer.deviceId), peer]))
  const bundles = new Map(sources.bundles.map(bundle => [toHex(bundle.deviceId), bundle]))
  const targets: SealTarget[] = []
  const unsealed: Unsealed[] = []
  for (const device of devices) {
    const { deviceId } = device
    const peer = held.get(toHex(deviceId))
    if (peer) {
      targets.push({ device, keyId: conversationKeyId(crypto, network, peer.publicKey), publicKey: peer.publicKey })
      continue
    }
    try {
      const bundle = bundles.get(toHex(deviceId))
      if (!bundle) throw new ProtocolError('INVALID', `no key to seal to for device ${toHex(deviceId)}`)
      const publicKey = await firstContactKey(env, device, bundle, sources.allowRegisteredKey ?? false)
      targets.push({ device, keyId: messagingKeyHash(crypto, network, publicKey) as SealKeyId, publicKey })
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      unsealed.push({ deviceId, error })
    }
  }
  return { targets, unsealed }
}

async function firstContactKey(
  { crypto, network, now }: Environment,
  device: RosterDevice,
  bundle: DeviceBundle,
  allowRegisteredKey: boolean
): Promise<Uint8Array> {
  // A node hands the bundle over: what it says about the device's keys must be what the chain says.
  if (
    !equalBytes(bundle.keys.signingKey, device.signingKey) ||
    !equalBytes(messagingKeyHash(crypto, network, bundle.registeredKey), device.messagingKeyHash)
  ) {
    throw new ProtocolError('BAD_KEY', 'device bundle has other keys than the directory')
  }
  try {
    await verifyBundle(crypto, network, bundle, now(), device.messagingKeyHash)
    return bundle.weeklyKey
  } catch (error) {
    const expired = error instanceof ProtocolError && error.code === 'EXPIRED'
    if (expired && allowRegisteredKey) return bundle.registeredKey
    throw error
  }
}

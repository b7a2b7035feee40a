import { bytes, decode, encode, struct, uint, type TypeOf } from '../codec.ts'
import { MESSAGING_KEY_BYTES, SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { equalBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import { CLOCK_TOLERANCE_MS, WEEKLY_KEY_PERIOD_MS } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { deviceIdCodec, deviceIdOf, devicePublicKeysCodec, messagingKeyHash } from './device.ts'

const messagingKey = bytes(MESSAGING_KEY_BYTES)

/**
 * What nodes hand out about a device so that a stranger can open a session to it: its registered messaging key (the
 * chain has the hash) and its current weekly key, both under one signature of the device.
 */
export const deviceBundleCodec = struct({
  deviceId: deviceIdCodec,
  keys: devicePublicKeysCodec,
  registeredKey: messagingKey,
  /** Rises by one with each weekly key. */
  weeklyIndex: uint(),
  weeklyKey: messagingKey,
  /** Milliseconds; senders fetch again once it has passed. */
  weeklyExpiry: uint(),
  deviceSignature: bytes(SIGNATURE_BYTES)
})

/** Decoded, not verified yet: see {@link verifyBundle}. */
export type DeviceBundle = TypeOf<typeof deviceBundleCodec>

/** Longest encoded bundle. */
export const MAX_BUNDLE_BYTES = 4096

function signedBytes(network: NetworkId, bundle: Omit<DeviceBundle, 'deviceSignature'>): Uint8Array {
  const { deviceId, keys, registeredKey, weeklyIndex, weeklyKey, weeklyExpiry } = bundle
  return labelled(
    'device-bundle',
    network,
    deviceId,
    keys.signingKey,
    registeredKey,
    weeklyIndex,
    weeklyKey,
    weeklyExpiry
  )
}

/** Signs a bundle with the device's key. */
export async function signBundle(
  network: NetworkId,
  key: SigningKey,
  bundle: Omit<DeviceBundle, 'deviceSignature'>
): Promise<DeviceBundle> {
  return { ...bundle, deviceSignature: await key.sign(signedBytes(network, bundle)) }
}

/**
 * Checks that a bundle is whole and made by the device that it names. Whether that device belongs to an account, and
 * lives, is the directory's to say.
 *
 * @param registeredHash - hash of the messaging key that the directory has for the device now; a ROTATE changes it, while
 * the device keeps its id. Left out, the key that the device was added with.
 * @throws ProtocolError `BAD_KEY` if ids or hashes do not match, `BAD_SIGNATURE`, `EXPIRED` past the weekly expiry or
 * for one further ahead than a period allows.
 */
export async function verifyBundle(
  crypto: Crypto,
  network: NetworkId,
  bundle: DeviceBundle,
  now: number,
  registeredHash: Uint8Array = bundle.keys.messagingKeyHash
): Promise<void> {
  if (!equalBytes(deviceIdOf(crypto, network, bundle.keys), bundle.deviceId)) {
    throw new ProtocolError('BAD_KEY', 'device id does not match its keys')
  }
  if (!equalBytes(messagingKeyHash(crypto, network, bundle.registeredKey), registeredHash)) {
    throw new ProtocolError('BAD_KEY', 'registered messaging key does not match its hash')
  }
  if (!(await crypto.verify(bundle.keys.signingKey, signedBytes(network, bundle), bundle.deviceSignature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'device bundle is not signed by its device')
  }
  requireTimely(bundle, now)
}

/** Checks the one thing about a bundle that changes with time. @throws ProtocolError `EXPIRED`. */
export function requireTimely(bundle: DeviceBundle, now: number): void {
  if (bundle.weeklyExpiry + CLOCK_TOLERANCE_MS < now)
    throw new ProtocolError(
      'EXPIRED',
      'the weekly key has expired: the clock of the device or of this machine is wrong, or the key is old'
    )
  if (bundle.weeklyExpiry > now + 2 * WEEKLY_KEY_PERIOD_MS + CLOCK_TOLERANCE_MS) {
    throw new ProtocolError(
      'EXPIRED',
      'the weekly key expires too far ahead: the clock of the device or of this machine is wrong'
    )
  }
}

/** Canonical bytes, at most {@link MAX_BUNDLE_BYTES}. */
export function encodeBundle(bundle: DeviceBundle): Uint8Array {
  return encode(deviceBundleCodec, bundle)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`. */
export function decodeBundle(bytes: Uint8Array): DeviceBundle {
  return decode(deviceBundleCodec, bytes, { maxBytes: MAX_BUNDLE_BYTES, maxDepth: 3, maxItems: 32 })
}

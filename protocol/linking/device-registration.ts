/** What a new device hands to a node to be added to an account that exists: both signatures, its keys, and the token. */
import { equalBytes } from '../bytes.ts'
import { bytesBetween, decode, encode, struct, type TypeOf } from '../codec.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { decodeBundle, MAX_BUNDLE_BYTES, verifyBundle } from '../identity/bundle.ts'
import { deviceIdOf, type DeviceId } from '../identity/device.ts'
import { decodeRecord, recordSigningBytes, type RecordOf } from '../identity/record.ts'
import { MAX_RECORD_BYTES } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { linkTokenCodec, verifyLinkToken, type LinkToken } from './link-token.ts'

const deviceRegistrationCodec = struct({
  /** The ADD record, signed by both devices. */
  record: bytesBetween(1, MAX_RECORD_BYTES),
  bundle: bytesBetween(1, MAX_BUNDLE_BYTES),
  token: linkTokenCodec
})

/** Decoded, not verified yet: see {@link verifyDeviceRegistration}. */
export type DeviceRegistration = TypeOf<typeof deviceRegistrationCodec>

/** Longest encoded registration of a device, in bytes. */
export const MAX_DEVICE_REGISTRATION_BYTES = 8 * 1024

/** Canonical bytes, at most {@link MAX_DEVICE_REGISTRATION_BYTES}. */
export function encodeDeviceRegistration(registration: DeviceRegistration): Uint8Array {
  return encode(deviceRegistrationCodec, registration)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeDeviceRegistration(bytes: Uint8Array): DeviceRegistration {
  const limits = { maxBytes: MAX_DEVICE_REGISTRATION_BYTES, maxDepth: 3, maxItems: 32 }
  return decode(deviceRegistrationCodec, bytes, limits)
}

/** The ADD record of a registration and the device that it adds. */
export function addedDeviceOf(
  crypto: Crypto,
  network: NetworkId,
  { record }: Pick<DeviceRegistration, 'record'>
): { add: RecordOf<'add'>; deviceId: DeviceId } {
  const add = decodeRecord(record)
  if (add.kind !== 'add') throw new ProtocolError('INVALID', 'a device is added by an ADD record')
  return { add, deviceId: deviceIdOf(crypto, network, add.device) }
}

/**
 * Checks all that a registration says: each signature, and that its parts belong together. That the device `by` lives and
 * belongs to the account, and that the record follows the account's last, is the directory's to check.
 *
 * @param signer - signing key of the device that adds, as recorded.
 * @param now - milliseconds since 1970.
 * @throws ProtocolError `MALFORMED`, `TOO_LARGE`, `BAD_SIGNATURE`, `BAD_KEY`, `EXPIRED`, or `INVALID` for parts that do not
 * belong together.
 */
export async function verifyDeviceRegistration(
  crypto: Crypto,
  network: NetworkId,
  { registration, signer, now }: { registration: DeviceRegistration; signer: Uint8Array; now: number }
): Promise<void> {
  const { token } = registration
  const { add, deviceId } = addedDeviceOf(crypto, network, registration)
  requireTogether(token, add, deviceId)
  await verifyLinkToken(crypto, network, signer, token, now)
  const signed = recordSigningBytes(network, add)
  if (!(await crypto.verify(add.device.signingKey, signed, add.newDeviceSignature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'the ADD record is not signed by the new device')
  }
  if (!(await crypto.verify(signer, signed, add.deviceSignature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'the ADD record is not signed by the device that adds')
  }
  const bundle = decodeBundle(registration.bundle)
  if (!equalBytes(bundle.deviceId, deviceId)) throw new ProtocolError('INVALID', 'the bundle is of another device')
  await verifyBundle(crypto, network, bundle, now)
}

function requireTogether(token: LinkToken, add: RecordOf<'add'>, deviceId: DeviceId): void {
  if (equalBytes(token.deviceId, deviceId) && equalBytes(token.by, add.by)) return
  throw new ProtocolError('INVALID', 'the token is for another device')
}

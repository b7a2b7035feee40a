/**
 * How a new account reaches a node: the node gives a nonce, the device signs it together with the account's first record,
 * and hands over what the node shall publish and serve. The node learns no secret and no name.
 */
import { equalBytes } from '../bytes.ts'
import { bytes, bytesBetween, decode, encode, nullable, struct, text, type TypeOf } from '../codec.ts'
import { SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import { MAX_RECORD_BYTES } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { decodeBundle, MAX_BUNDLE_BYTES, verifyBundle, type DeviceBundle } from './bundle.ts'
import { deviceIdOf, type AccountId, type DeviceId, type RecordId } from './device.ts'
import { decodeRecord, recordIdOf, recordSigningBytes, type RecordOf } from './record.ts'

const recordBytes = bytesBetween(1, MAX_RECORD_BYTES)

/** Longest one-time code that a sign-in hands back, in characters. */
export const MAX_SIGN_IN_CODE_LENGTH = 256

/** What a device sends to register an account. */
export const registrationCodec = struct({
  /** The node's nonce: single use, at most a minute old. */
  nonce: bytes(32),
  /** Over {@link DeviceChallenge}, by the device. */
  signature: bytes(SIGNATURE_BYTES),
  /** The CREATE record. */
  record: recordBytes,
  bundle: bytesBetween(1, MAX_BUNDLE_BYTES),
  /** One-time code of a finished sign-in at this node; empty where the node asks for none. */
  signInCode: text(MAX_SIGN_IN_CODE_LENGTH),
  /** A NAME commit that follows the CREATE record, if a name was chosen. */
  nameCommit: nullable(recordBytes)
})

/** Decoded, not verified yet: see {@link verifyRegistration}. */
export type Registration = TypeOf<typeof registrationCodec>

/** Longest encoded registration, in bytes. */
export const MAX_REGISTRATION_BYTES = 8 * 1024

/** Canonical bytes, at most {@link MAX_REGISTRATION_BYTES}. */
export function encodeRegistration(registration: Registration): Uint8Array {
  return encode(registrationCodec, registration)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeRegistration(registration: Uint8Array): Registration {
  return decode(registrationCodec, registration, { maxBytes: MAX_REGISTRATION_BYTES, maxDepth: 2, maxItems: 16 })
}

/** What a device signs to show that it holds its key now and means this node. */
export interface DeviceChallenge {
  /** Ed25519 key of the node, 32 bytes. */
  nodeKey: Uint8Array
  /** 32 bytes from the node. */
  nonce: Uint8Array
  deviceId: DeviceId
  /** The record to be registered. */
  recordId: RecordId
}

function challengeBytes(network: NetworkId, { nodeKey, nonce, deviceId, recordId }: DeviceChallenge): Uint8Array {
  return labelled('device-challenge', network, nodeKey, nonce, deviceId, recordId)
}

/** @returns the device's 64-byte signature. */
export function signDeviceChallenge(
  network: NetworkId,
  deviceKey: SigningKey,
  challenge: DeviceChallenge
): Promise<Uint8Array> {
  return deviceKey.sign(challengeBytes(network, challenge))
}

/** A registration that is whole and signed throughout. */
export interface VerifiedRegistration {
  accountId: AccountId
  deviceId: DeviceId
  create: RecordOf<'create'>
  bundle: DeviceBundle
  nameCommit: RecordOf<'nameCommit'> | null
}

/**
 * Checks all that a registration says about itself: each signature, and that its parts belong to one device. That the
 * nonce is fresh, the sign-in good and the account new is the node's to check.
 *
 * @param nodeKey - the node's own key.
 * @param now - milliseconds since 1970.
 * @throws ProtocolError `MALFORMED`, `TOO_LARGE`, `BAD_SIGNATURE`, `BAD_KEY`, `EXPIRED`, or `INVALID` for parts that do not
 * belong together.
 */
export async function verifyRegistration(
  crypto: Crypto,
  network: NetworkId,
  nodeKey: Uint8Array,
  registration: Registration,
  now: number
): Promise<VerifiedRegistration> {
  const create = decodeRecord(registration.record)
  if (create.kind !== 'create') throw new ProtocolError('INVALID', 'an account is registered by its CREATE record')
  const { signingKey } = create.device
  const recordId = recordIdOf(crypto, network, create)
  const deviceId = deviceIdOf(crypto, network, create.device)
  const challenge = challengeBytes(network, { nodeKey, nonce: registration.nonce, deviceId, recordId })
  const requireSignature = async (message: Uint8Array, signature: Uint8Array, what: string): Promise<void> => {
    if (await crypto.verify(signingKey, message, signature)) return
    throw new ProtocolError('BAD_SIGNATURE', `${what} is not signed by the device`)
  }
  await requireSignature(challenge, registration.signature, 'the challenge')
  await requireSignature(recordSigningBytes(network, create), create.deviceSignature, 'the CREATE record')
  const bundle = decodeBundle(registration.bundle)
  if (!equalBytes(bundle.deviceId, deviceId)) throw new ProtocolError('INVALID', 'the bundle is of another device')
  await verifyBundle(crypto, network, bundle, now)
  const nameCommit = registration.nameCommit && decodeNameCommit(registration.nameCommit, recordId, deviceId)
  if (nameCommit) {
    await requireSignature(recordSigningBytes(network, nameCommit), nameCommit.deviceSignature, 'the NAME commit')
  }
  return { accountId: recordId as Uint8Array as AccountId, deviceId, create, bundle, nameCommit }
}

function decodeNameCommit(record: Uint8Array, prev: RecordId, deviceId: DeviceId): RecordOf<'nameCommit'> {
  const nameCommit = decodeRecord(record)
  if (nameCommit.kind !== 'nameCommit') throw new ProtocolError('INVALID', 'a NAME commit is expected')
  if (!equalBytes(nameCommit.prev, prev) || !equalBytes(nameCommit.by, deviceId)) {
    throw new ProtocolError('INVALID', 'the NAME commit does not follow the CREATE record')
  }
  return nameCommit
}

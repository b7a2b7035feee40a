/**
 * Builds records and signs them. A record with two signatures is made in two steps when two devices hold the keys:
 * `draft…` on one, {@link signRecord} on each, in any order, since no signature covers another.
 */
import { SIGNATURE_BYTES, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import type { NetworkId } from '../network.ts'
import type { AccountId, DeviceId, DevicePublicKeys, RecordId } from './device.ts'
import { MAX_METADATA_BYTES, recordSigningBytes, type DirectoryRecord, type RecordOf } from './record.ts'

/** Placeholder for a later signature: it verifies under no key. */
const UNSIGNED = new Uint8Array(SIGNATURE_BYTES)

/** Names of the signature fields of a record. */
type SignatureField<R> = Extract<keyof R, `${string}Signature`>

/** Puts the signature of `key` into one field of a record. @returns a new record. */
export async function signRecord<R extends DirectoryRecord>(
  network: NetworkId,
  record: R,
  field: SignatureField<R>,
  key: SigningKey
): Promise<R> {
  return { ...record, [field]: await key.sign(recordSigningBytes(network, record)) }
}

/** The device that signs an account's next record, and the record that comes before. */
export interface RecordSigner {
  key: SigningKey
  /** Id of the device that `key` belongs to. */
  deviceId: DeviceId
  /** The account's head. For REVOKE and RECOVER any accepted record will do. */
  prev: RecordId
  /** Milliseconds since 1970, for display. */
  time: number
}

/** First record of an account; its id is the account's id. */
export async function buildCreate(
  network: NetworkId,
  key: SigningKey,
  {
    messagingKeyHash,
    recoveryKey,
    time
  }: { messagingKeyHash: Uint8Array; recoveryKey: Uint8Array | null; time: number }
): Promise<RecordOf<'create'>> {
  const device: DevicePublicKeys = { signingKey: key.publicKey, messagingKeyHash }
  const record: RecordOf<'create'> = { kind: 'create', device, recoveryKey, time, deviceSignature: UNSIGNED }
  return signRecord(network, record, 'deviceSignature', key)
}

/** An ADD without signatures; the new device signs `newDeviceSignature`, device `by` signs `deviceSignature`. */
export function draftAdd(
  device: DevicePublicKeys,
  { prev, deviceId, time }: Omit<RecordSigner, 'key'>
): RecordOf<'add'> {
  return { kind: 'add', prev, device, by: deviceId, time, newDeviceSignature: UNSIGNED, deviceSignature: UNSIGNED }
}

/** An ADD where both keys are at hand, as in tests and on the command line. */
export async function buildAdd(
  network: NetworkId,
  signer: RecordSigner,
  newKey: SigningKey,
  messagingKeyHash: Uint8Array
): Promise<RecordOf<'add'>> {
  const draft = draftAdd({ signingKey: newKey.publicKey, messagingKeyHash }, signer)
  const permitted = await signRecord(network, draft, 'deviceSignature', signer.key)
  return signRecord(network, permitted, 'newDeviceSignature', newKey)
}

/** Ends a device of the account. @param device - the one to end, the signer's own or another. */
export async function buildRevoke(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  device: DeviceId,
  reason: RecordOf<'revoke'>['reason']
): Promise<RecordOf<'revoke'>> {
  const record: RecordOf<'revoke'> = {
    kind: 'revoke',
    prev,
    device,
    reason,
    by: deviceId,
    time,
    deviceSignature: UNSIGNED
  }
  return signRecord(network, record, 'deviceSignature', key)
}

/** @param messagingKeyHash - hash of the signer's new registered messaging key. */
export async function buildRotate(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  messagingKeyHash: Uint8Array
): Promise<RecordOf<'rotate'>> {
  const record: RecordOf<'rotate'> = {
    kind: 'rotate',
    prev,
    messagingKeyHash,
    by: deviceId,
    time,
    deviceSignature: UNSIGNED
  }
  return signRecord(network, record, 'deviceSignature', key)
}

/** @param commitment - see `nameCommitment`. */
export async function buildNameCommit(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  commitment: Uint8Array
): Promise<RecordOf<'nameCommit'>> {
  const record: RecordOf<'nameCommit'> = {
    kind: 'nameCommit',
    prev,
    commitment,
    by: deviceId,
    time,
    deviceSignature: UNSIGNED
  }
  return signRecord(network, record, 'deviceSignature', key)
}

/** @param salt - the one that the commitment was made with. */
export async function buildNameReveal(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  nameTag: Uint8Array,
  salt: Uint8Array
): Promise<RecordOf<'nameReveal'>> {
  const record: RecordOf<'nameReveal'> = {
    kind: 'nameReveal',
    prev,
    nameTag,
    salt,
    by: deviceId,
    time,
    deviceSignature: UNSIGNED
  }
  return signRecord(network, record, 'deviceSignature', key)
}

/** Gives a name back. @param nameTag - 32 bytes of a name that the account opened. */
export async function buildNameRelease(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  nameTag: Uint8Array
): Promise<RecordOf<'nameRelease'>> {
  const record: RecordOf<'nameRelease'> = {
    kind: 'nameRelease',
    prev,
    nameTag,
    by: deviceId,
    time,
    deviceSignature: UNSIGNED
  }
  return signRecord(network, record, 'deviceSignature', key)
}

/**
 * Revokes every device of an account and adds one.
 *
 * @param prev - any accepted record of the account.
 * @param recoveryKey - the recovery key from now on: a new one, or `null` for none.
 */
export async function buildRecover(
  network: NetworkId,
  recovery: SigningKey,
  newKey: SigningKey,
  {
    prev,
    messagingKeyHash,
    recoveryKey,
    time
  }: Pick<RecordOf<'recover'>, 'prev' | 'recoveryKey' | 'time'> & { messagingKeyHash: Uint8Array }
): Promise<RecordOf<'recover'>> {
  const device: DevicePublicKeys = { signingKey: newKey.publicKey, messagingKeyHash }
  const draft: RecordOf<'recover'> = {
    kind: 'recover',
    prev,
    device,
    recoveryKey,
    time,
    newDeviceSignature: UNSIGNED,
    recoverySignature: UNSIGNED
  }
  const permitted = await signRecord(network, draft, 'recoverySignature', recovery)
  return signRecord(network, permitted, 'newDeviceSignature', newKey)
}

/** @param recoveryKey - 32 bytes, or `null` to take back a key that does not count yet. */
export async function buildSetRecovery(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  recoveryKey: Uint8Array | null
): Promise<RecordOf<'setRecovery'>> {
  const record: RecordOf<'setRecovery'> = {
    kind: 'setRecovery',
    prev,
    recoveryKey,
    by: deviceId,
    time,
    deviceSignature: UNSIGNED
  }
  return signRecord(network, record, 'deviceSignature', key)
}

/** Printable ASCII without spaces, in at most four pieces. */
const NODE_ADDRESS = /^[\x21-\x7e]{1,256}$/

/** Cuts an address into pieces that metadata takes. @throws ProtocolError `INVALID` unless {@link NODE_ADDRESS}. */
function addressPieces(address: string): Uint8Array[] {
  if (!NODE_ADDRESS.test(address)) {
    throw new ProtocolError('INVALID', 'a node address has 1 to 256 printable ASCII characters')
  }
  const bytes = Uint8Array.from(address, character => character.charCodeAt(0))
  const pieces: Uint8Array[] = []
  for (let i = 0; i < bytes.length; i += MAX_METADATA_BYTES) pieces.push(bytes.slice(i, i + MAX_METADATA_BYTES))
  return pieces
}

/**
 * Announces a node.
 *
 * @param addresses - at most four; none withdraws the node.
 * @throws ProtocolError `INVALID` for an address that is not 1 to 256 printable ASCII characters.
 */
export async function buildNode(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  nodeKey: SigningKey,
  addresses: readonly string[]
): Promise<RecordOf<'node'>> {
  const draft: RecordOf<'node'> = {
    kind: 'node',
    prev,
    nodeKey: nodeKey.publicKey,
    addresses: addresses.map(addressPieces),
    by: deviceId,
    time,
    nodeSignature: UNSIGNED,
    deviceSignature: UNSIGNED
  }
  const announced = await signRecord(network, draft, 'nodeSignature', nodeKey)
  return signRecord(network, announced, 'deviceSignature', key)
}

/** Admits another operator, as far as the signer's account is admitted. */
export async function buildVouch(
  network: NetworkId,
  { key, deviceId, prev, time }: RecordSigner,
  operator: AccountId
): Promise<RecordOf<'vouch'>> {
  const record: RecordOf<'vouch'> = { kind: 'vouch', prev, operator, by: deviceId, time, deviceSignature: UNSIGNED }
  return signRecord(network, record, 'deviceSignature', key)
}

/** @param releaseKey - the release key of the network's genesis. @param version - 1 to 32 bytes. */
export async function buildRelease(
  network: NetworkId,
  releaseKey: SigningKey,
  { version, manifestHash, time }: Pick<RecordOf<'release'>, 'version' | 'manifestHash' | 'time'>
): Promise<RecordOf<'release'>> {
  const record: RecordOf<'release'> = { kind: 'release', version, manifestHash, time, releaseSignature: UNSIGNED }
  return signRecord(network, record, 'releaseSignature', releaseKey)
}

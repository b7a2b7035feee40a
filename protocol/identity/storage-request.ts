/**
 * How a device signs one request for stored objects, which goes over HTTP and not over its stream. Everything that decides what
 * happens is signed: the node, the method, the target and the body. The bytes of an object are not hashed once more: the target
 * names their hash, and the node stores nothing that has another.
 */
import { fromHex, toHex } from '../bytes.ts'
import { bytes, decode, encode, struct, uint, type TypeOf } from '../codec.ts'
import { SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import { CLOCK_TOLERANCE_MS } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { deviceIdCodec, type DeviceId } from './device.ts'

/** A request counts this long before and after its time, by the node's clock; within that each nonce counts once. A clock that is good for messages is good for objects. */
export const STORAGE_REQUEST_LIFE_MS = CLOCK_TOLERANCE_MS
const SCHEME = 'Volo '
const MAX_BYTES = 256

const authorizationCodec = struct({
  deviceId: deviceIdCodec,
  /** 16 random bytes, of this request alone. */
  nonce: bytes(16),
  /** Milliseconds by the device's clock. */
  time: uint(),
  signature: bytes(SIGNATURE_BYTES)
})

/** What the `Authorization` header of a request holds. */
export type StorageAuthorization = TypeOf<typeof authorizationCodec>

/** The request that is signed. */
export interface StorageRequest {
  /** Ed25519 key of the node that is asked, 32 bytes: another node cannot use the request. */
  nodeKey: Uint8Array
  /** In capitals, such as `PUT`. */
  method: string
  /** Path and query, as sent. */
  target: string
  /** Null for the bytes of an object, which the target names. */
  body: Uint8Array | null
}

function signedBytes(
  crypto: Crypto,
  network: NetworkId,
  { nodeKey, method, target, body }: StorageRequest,
  { deviceId, nonce, time }: Omit<StorageAuthorization, 'signature'>
): Uint8Array {
  const content = body && crypto.sha256(body)
  return labelled('storage-request', network, nodeKey, deviceId, method, target, content, nonce, time)
}

/** @returns the value of the `Authorization` header. */
export async function signStorageRequest(
  crypto: Crypto,
  network: NetworkId,
  device: { deviceId: DeviceId; key: SigningKey },
  request: StorageRequest,
  { nonce, time }: { nonce: Uint8Array; time: number }
): Promise<string> {
  const { deviceId } = device
  const signature = await device.key.sign(signedBytes(crypto, network, request, { deviceId, nonce, time }))
  return SCHEME + toHex(encode(authorizationCodec, { deviceId, nonce, time, signature }))
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function parseStorageAuthorization(header: string): StorageAuthorization {
  if (!header.startsWith(SCHEME)) throw new ProtocolError('MALFORMED', 'the request is not signed by a device')
  const encoded = header.slice(SCHEME.length)
  if (encoded.length > 2 * MAX_BYTES) throw new ProtocolError('TOO_LARGE', 'the authorization is too long')
  return decode(authorizationCodec, fromHex(encoded), { maxBytes: MAX_BYTES, maxDepth: 2, maxItems: 8 })
}

/**
 * Checks the signature and the time. That the nonce is unused and the device lives is the node's to check.
 *
 * @param signingKey - the device's, as recorded.
 * @param now - milliseconds by the node's clock.
 * @throws ProtocolError `EXPIRED`, `BAD_SIGNATURE`.
 */
export async function verifyStorageRequest(
  crypto: Crypto,
  network: NetworkId,
  signingKey: Uint8Array,
  request: StorageRequest,
  authorization: StorageAuthorization,
  now: number
): Promise<void> {
  if (Math.abs(now - authorization.time) > STORAGE_REQUEST_LIFE_MS) {
    throw new ProtocolError('EXPIRED', 'the request is too old, or the clocks of device and node are too far apart')
  }
  const signed = signedBytes(crypto, network, request, authorization)
  if (await crypto.verify(signingKey, signed, authorization.signature)) return
  throw new ProtocolError('BAD_SIGNATURE', 'the device did not sign this request')
}

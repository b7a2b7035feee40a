/**
 * The channel between the opener of a session and one device that accepted it: what only these two may read. It has no
 * counters and no state that grows: each packet has a key of its own from a random salt.
 *
 * ```
 * key ‖ nonce = HKDF(ikm pairing secret, salt, info volo/1/pair-packet ‖ direction ‖ session id ‖ tag)
 * packet      = [tag, salt, AEAD(padded [sent at, frames])]
 * ```
 *
 * A packet can come twice, or late, or never. So all that it carries may be applied twice, or carries a time or an index
 * that rises. There is no signature: both devices hold the key, so neither can prove to others what the other said.
 */
import { wipe } from '../bytes.ts'
import type { DeviceId } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import { Secret } from '../secret.ts'
import type { Environment } from '../environment.ts'
import type { SessionId } from './context.ts'
import { oneTimeKey, type OneTimeKey } from './key-schedule.ts'
import { padToBucket, unpad } from './padding.ts'
import {
  decodePairContent,
  encodePairContent,
  PAIR_SALT_BYTES,
  type PairContent,
  type PairPacket
} from './pair-packet.ts'
import { directionNumber, pairingSecret, pairTag, type AcceptedPairing, type OpenedPairing } from './pairing.ts'

/** One direction of the channel. */
export interface PairEnd {
  /** 32 bytes. */
  secret: Secret
  sessionId: SessionId
  direction: 'to-opener' | 'from-opener'
}

/** The channel from the opener to one device of its session. The caller wipes the secret. */
export function toDevice({ crypto, network }: Environment, pairing: OpenedPairing, deviceId: DeviceId): PairEnd {
  const { root, sessionId } = pairing
  const secret = new Secret(pairingSecret(crypto, network, root.expose(), sessionId, deviceId))
  return { secret, sessionId, direction: 'from-opener' }
}

/** The channel in which a device of the session speaks to the opener. The caller wipes the secret. */
export function fromDevice(env: Environment, pairing: OpenedPairing, deviceId: DeviceId): PairEnd {
  return { ...toDevice(env, pairing, deviceId), direction: 'to-opener' }
}

/** The channel from a device that accepted a session to the opener. The secret is the pairing's own. */
export function toOpener({ secret, sessionId }: AcceptedPairing): PairEnd {
  return { secret, sessionId, direction: 'to-opener' }
}

/** The channel in which the opener speaks to a device that accepted its session. The secret is the pairing's own. */
export function fromOpener({ secret, sessionId }: AcceptedPairing): PairEnd {
  return { secret, sessionId, direction: 'from-opener' }
}

/** The time for the next packet: now, but later than the last, also where the clock was put back. */
export function nextSentAt(lastSentAt: number, now: number): number {
  return Math.max(now, lastSentAt + 1)
}

function packetKey({ crypto, network }: Environment, end: PairEnd, tag: Uint8Array, salt: Uint8Array): OneTimeKey {
  const extracted = crypto.hkdfExtract(salt, end.secret.expose())
  const info = labelled('pair-packet', network, directionNumber(end.direction), end.sessionId, tag)
  const key = oneTimeKey(crypto, extracted, info)
  wipe(extracted)
  return key
}

/** All that a packet is bound to is in its key. */
const NO_ASSOCIATED_DATA = new Uint8Array(0)

/** @throws ProtocolError `TOO_LARGE` past the largest bucket, `MALFORMED` for no frame or too many. */
export function sealPairPacket(env: Environment, end: PairEnd, content: PairContent): PairPacket {
  const { crypto, network, random } = env
  const padded = padToBucket(encodePairContent(content))
  const tag = pairTag(crypto, network, end.secret.expose(), end.sessionId, end.direction)
  const salt = random(PAIR_SALT_BYTES)
  const { key, nonce } = packetKey(env, end, tag, salt)
  const ciphertext = crypto.chachaSeal(key, nonce, padded, NO_ASSOCIATED_DATA)
  wipe(key)
  return { tag, salt, ciphertext }
}

/** @throws ProtocolError `DECRYPT_FAILED` for another channel's packet or a changed one, `MALFORMED`. */
export function openPairPacket(env: Environment, end: PairEnd, packet: PairPacket): PairContent {
  const { key, nonce } = packetKey(env, end, packet.tag, packet.salt)
  try {
    return decodePairContent(unpad(env.crypto.chachaOpen(key, nonce, packet.ciphertext, NO_ASSOCIATED_DATA)))
  } finally {
    wipe(key)
  }
}

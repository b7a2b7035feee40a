/**
 * The secret that the opener of a session shares with one receiving device, and nobody else. It keys the channel between
 * the two (`pair-channel.ts`). The opener keeps one random root for a session; each receiver gets its own secret in its
 * sealed part of the Open:
 *
 * ```
 * secret      = HKDF(ikm root, salt empty, info volo/1/pairing-secret ‖ session id ‖ receiving device) → 32
 * commitment  = HMAC(secret, volo/1/pairing-commitment)           signed in the part
 * tag         = HMAC(secret, volo/1/pair-tag ‖ session id ‖ direction), first 16 bytes
 * ```
 */
import { equalBytes, toHex, wipe } from '../bytes.ts'
import { bytes, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { accountIdCodec, deviceIdCodec, type DeviceId } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import { erase, secretBytes, type Secret } from '../secret.ts'
import { KEY_GRACE_MS, MAX_ROSTER_DEVICES, PENDING_TTL_MS } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { conversationIdCodec } from '../roster/roster.ts'
import { sessionIdCodec, type SessionId } from './context.ts'
import { stateCodec } from './state.ts'

/** Bytes by which a device finds the pairing of a packet. */
export const PAIR_TAG_BYTES = 16
/** Sessions of one conversation whose root this device keeps; past it the oldest goes. */
export const MAX_OPENED_PAIRINGS = 32
/** Sessions of one sending device in one conversation whose secret is kept; past it the oldest goes. */
export const MAX_ACCEPTED_PAIRINGS = 8
/** A superseded pairing is kept for packets that are still on their way. */
export const PAIRING_GRACE_MS = PENDING_TTL_MS + KEY_GRACE_MS

/** Towards the device that opened the session, or away from it: a packet of one direction means nothing in the other. */
export type PairDirection = 'to-opener' | 'from-opener'
const DIRECTION_NUMBER: Record<PairDirection, number> = { 'to-opener': 0, 'from-opener': 1 }

const EMPTY = new Uint8Array(0)

/** The secret of one receiving device. @param root - 32 random bytes of this session. @returns 32 bytes. */
export function pairingSecret(
  crypto: Crypto,
  network: NetworkId,
  root: Uint8Array,
  sessionId: SessionId,
  receiver: DeviceId
): Uint8Array {
  const extracted = crypto.hkdfExtract(EMPTY, root)
  const secret = crypto.hkdfExpand(extracted, labelled('pairing-secret', network, sessionId, receiver), KEY_BYTES)
  wipe(extracted)
  return secret
}

/** What the opener signs of a pairing secret. @returns 32 bytes. */
export function pairingCommitment(crypto: Crypto, network: NetworkId, secret: Uint8Array): Uint8Array {
  return crypto.hmacSha256(secret, labelled('pairing-commitment', network))
}

/** In clear on every packet of one pairing and direction. @returns {@link PAIR_TAG_BYTES} bytes. */
export function pairTag(
  crypto: Crypto,
  network: NetworkId,
  secret: Uint8Array,
  sessionId: SessionId,
  direction: PairDirection
): Uint8Array {
  const label = labelled('pair-tag', network, sessionId, DIRECTION_NUMBER[direction])
  return crypto.hmacSha256(secret, label).slice(0, PAIR_TAG_BYTES)
}

/** The number of a direction in labels. */
export function directionNumber(direction: PairDirection): number {
  return DIRECTION_NUMBER[direction]
}

const openedPairingCodec = struct({
  sessionId: sessionIdCodec,
  conversationId: conversationIdCodec,
  /** Secret. */
  root: secretBytes(KEY_BYTES),
  /** Index of the conversation key that the Open handed over: orders the sessions of this device. */
  keyIndex: uint(),
  /** When a newer session was opened, milliseconds; `null` for the newest. */
  supersededAt: nullable(uint()),
  devices: list(
    struct({
      deviceId: deviceIdCodec,
      /** Of packets that come from it. */
      tag: bytes(PAIR_TAG_BYTES),
      /** Highest time of a request that was taken from it: older ones are replays. */
      requestedAt: uint()
    }),
    MAX_ROSTER_DEVICES
  )
})

/** The opener's side of the pairings of one session. */
export type OpenedPairing = TypeOf<typeof openedPairingCodec>
export const openedPairingState = stateCodec<OpenedPairing>(openedPairingCodec)

const acceptedPairingCodec = struct({
  sessionId: sessionIdCodec,
  conversationId: conversationIdCodec,
  /** The device that opened the session. */
  peerAccount: accountIdCodec,
  peerDevice: deviceIdCodec,
  /** Secret. */
  secret: secretBytes(KEY_BYTES),
  /** Of packets that come from the opener. */
  tag: bytes(PAIR_TAG_BYTES),
  keyIndex: uint(),
  /** Time in the last packet of this device: the next is higher, whatever the clock says. */
  lastSentAt: uint(),
  supersededAt: nullable(uint())
})

/** A receiver's side of the pairing of one session. */
export type AcceptedPairing = TypeOf<typeof acceptedPairingCodec>
export const acceptedPairingState = stateCodec<AcceptedPairing>(acceptedPairingCodec)

/** The opener's state for a new session. @param root - taken over: {@link erasePairing} wipes it. */
export function openPairing(
  crypto: Crypto,
  network: NetworkId,
  session: Pick<OpenedPairing, 'sessionId' | 'conversationId' | 'root' | 'keyIndex'>,
  devices: { deviceId: DeviceId }[]
): OpenedPairing {
  const { root, sessionId } = session
  const entries = devices.map(({ deviceId }) => {
    const secret = pairingSecret(crypto, network, root.expose(), sessionId, deviceId)
    const tag = pairTag(crypto, network, secret, sessionId, 'to-opener')
    wipe(secret)
    return { deviceId, tag, requestedAt: 0 }
  })
  return { ...session, supersededAt: null, devices: entries }
}

/** What either side keeps. */
type Pairing = Pick<OpenedPairing, 'sessionId' | 'keyIndex' | 'supersededAt'>

/** Marks the older pairings once a newer session is there. @returns those changed. */
export function supersedePairings<P extends Pairing>(others: P[], newest: Pairing, now: number): P[] {
  return others
    .filter(other => other.supersededAt === null && other.keyIndex < newest.keyIndex)
    .map(other => ({ ...other, supersededAt: now }))
}

/**
 * Pairings that may be erased: long superseded, or the oldest past `most`. The newest stays without an end, because it may
 * be the only way back to its opener.
 *
 * @param pairings - of one conversation at the opener, of one sending device and conversation at a receiver.
 */
export function surplusPairings<P extends Pairing>(pairings: P[], most: number, now: number): P[] {
  const newestFirst = [...pairings].sort((a, b) => b.keyIndex - a.keyIndex)
  return newestFirst.filter(
    ({ supersededAt }, index) => index >= most || (supersededAt !== null && now - supersededAt >= PAIRING_GRACE_MS)
  )
}

/** The pairing that a receiver speaks to a device on: that of its newest session. */
export function newestPairing(pairings: AcceptedPairing[], peerDevice: DeviceId): AcceptedPairing | undefined {
  return pairings
    .filter(pairing => equalBytes(pairing.peerDevice, peerDevice))
    .reduce<AcceptedPairing | undefined>((best, one) => (best && best.keyIndex >= one.keyIndex ? best : one), undefined)
}

/**
 * Notes the time of a request at the opener, so that a replayed one costs nothing.
 * @returns the new state; `undefined` if the request is not newer than the last.
 */
export function noteRequest(pairing: OpenedPairing, deviceId: DeviceId, sentAt: number): OpenedPairing | undefined {
  const key = toHex(deviceId)
  const known = pairing.devices.find(entry => toHex(entry.deviceId) === key)
  if (!known || sentAt <= known.requestedAt) return undefined
  const devices = pairing.devices.map(entry => (entry === known ? { ...entry, requestedAt: sentAt } : entry))
  return { ...pairing, devices }
}

/** Wipes the secret of a pairing that is no longer kept. */
export function erasePairing(pairing: { root: Secret } | { secret: Secret }): void {
  erase('root' in pairing ? pairing.root : pairing.secret)
}

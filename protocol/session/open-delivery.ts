/**
 * What the sender of an Open remembers until every device has said that it opened it. The secret is kept for so long,
 * because a device whose key changed needs it sealed again.
 */
import { equalBytes, toHex, wipe } from '../bytes.ts'
import { bytes, bytesBetween, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES } from '../crypto/crypto.ts'
import { deviceIdCodec, type DeviceId } from '../identity/device.ts'
import { MAX_ROSTER_DEVICES } from '../limits.ts'
import { sessionIdCodec, type SessionContext } from './context.ts'
import { inboundExpiry } from './inbound.ts'
import { MAX_OPEN_BODY_BYTES } from './open-body.ts'
import type { SealKeyId } from './seal-key.ts'
import type { PartSource } from './seal-parts.ts'
import { stateCodec } from './state.ts'

const openDeliveryCodec = struct({
  sessionId: sessionIdCodec,
  commitment: bytes(32),
  /** Session secret: secret. */
  secret: bytes(KEY_BYTES),
  /** What the pairing secrets are derived from: secret. */
  pairingRoot: bytes(KEY_BYTES),
  openBody: bytesBetween(1, MAX_OPEN_BODY_BYTES),
  /** When no device would accept the Open any more, milliseconds. */
  expiry: uint(),
  /** Devices that have not said so yet. */
  waiting: list(
    struct({
      deviceId: deviceIdCodec,
      /** The key of the last part; `null` before there was a key to seal to. */
      keyId: nullable(bytes<SealKeyId>(32)),
      sentAt: uint(),
      /** Times that it was sealed, or tried to. */
      attempts: uint()
    }),
    MAX_ROSTER_DEVICES
  )
})

/** One Open under way. */
export type OpenDelivery = TypeOf<typeof openDeliveryCodec>
export const openDeliveryState = stateCodec<OpenDelivery>(openDeliveryCodec)

/** Time for acknowledgement and key to cross before an Open is sealed again to another key; doubled each time. */
export const RESEAL_DELAY_MS = 60_000
/** A device that is heard of, but does not acknowledge, gets the Open again after this; doubled each time. */
export const REOPEN_DELAY_MS = 2 * 60_000
/** One that is not heard of at all, after this, doubled likewise: it may be off, or the first copy lost. */
export const UNHEARD_DELAY_MS = 10 * 60_000
const MAX_DOUBLINGS = 10
/** Opens of one conversation under way at once; see {@link surplusDeliveries}. */
export const MAX_OPEN_DELIVERIES = 32

/** Takes over the secrets of the session: the owner of the state wipes them with {@link eraseDelivery}. */
export function startDelivery(
  context: SessionContext,
  { secret, pairingRoot, openBody }: Pick<PartSource, 'secret' | 'pairingRoot' | 'openBody'>,
  devices: { deviceId: DeviceId }[],
  sealed: { deviceId: DeviceId; keyId: SealKeyId }[]
): OpenDelivery {
  const { sessionId, commitment, createdAt } = context
  const keys = new Map(sealed.map(({ deviceId, keyId }) => [toHex(deviceId), keyId]))
  const waiting = devices.map(({ deviceId }) => {
    const keyId = keys.get(toHex(deviceId)) ?? null
    return { deviceId, keyId, sentAt: createdAt, attempts: keyId ? 1 : 0 }
  })
  return { sessionId, commitment, secret, pairingRoot, openBody, expiry: inboundExpiry(context), waiting }
}

/** Notes a device's *opened* acknowledgement of this session. */
export function acknowledgeOpen(delivery: OpenDelivery, deviceId: DeviceId): OpenDelivery {
  const waiting = delivery.waiting.filter(entry => !equalBytes(entry.deviceId, deviceId))
  return waiting.length === delivery.waiting.length ? delivery : { ...delivery, waiting }
}

/** Whether the Open needs no more care: every device has it, or no device could use it. Then {@link eraseDelivery}. */
export function isDeliveryFinished(delivery: OpenDelivery, now: number): boolean {
  return delivery.waiting.length === 0 || now > delivery.expiry
}

/** Wipes the secrets of the session. */
export function eraseDelivery(delivery: OpenDelivery): void {
  wipe(delivery.secret, delivery.pairingRoot)
}

/**
 * The oldest Opens past {@link MAX_OPEN_DELIVERIES}: to be given up ({@link eraseDelivery}), because a device that never
 * acknowledges must not make this one keep and seal ever more. What they held shows as a gap and is asked for again.
 */
export function surplusDeliveries(deliveries: OpenDelivery[]): OpenDelivery[] {
  const newestFirst = [...deliveries].sort((a, b) => b.expiry - a.expiry)
  return newestFirst.slice(MAX_OPEN_DELIVERIES).reverse()
}

/** What is known of a device that an Open waits for. */
export interface DeviceSituation {
  /** The key that an Open to it would be sealed to now, if known. */
  keyId: SealKeyId | undefined
  /** When an authentic message of it last arrived, milliseconds. */
  heardAt: number | undefined
}

/**
 * The devices that get the Open sealed and sent again now: a key for it is there at last, its key has changed, or it
 * has not acknowledged for long, which is sooner when it is there to do so. Only devices that are in the current roster.
 */
export function devicesToReopen(
  delivery: OpenDelivery,
  rosterDevices: DeviceId[],
  situationOf: (deviceId: DeviceId) => DeviceSituation,
  now: number
): DeviceId[] {
  if (now > delivery.expiry) return []
  const listed = new Set(rosterDevices.map(toHex))
  return delivery.waiting
    .filter(({ deviceId, keyId, sentAt, attempts }) => {
      if (!listed.has(toHex(deviceId))) return false
      const situation = situationOf(deviceId)
      // A clock that was put back holds nothing up.
      const waited = sentAt > now ? Infinity : now - sentAt
      const factor = 2 ** Math.min(Math.max(attempts - 1, 0), MAX_DOUBLINGS)
      if (keyId === null) return situation.keyId !== undefined && (attempts === 0 || waited >= REOPEN_DELAY_MS * factor)
      if (situation.keyId && !equalBytes(situation.keyId, keyId) && waited >= RESEAL_DELAY_MS * factor) return true
      const heardSince = situation.heardAt !== undefined && situation.heardAt > sentAt
      return waited >= (heardSince ? REOPEN_DELAY_MS : UNHEARD_DELAY_MS) * factor
    })
    .map(({ deviceId }) => deviceId)
}

/**
 * Notes an attempt to seal the Open again; drops devices that have left the roster.
 *
 * @param attempted - devices that it was tried for.
 * @param sealed - those for which it worked, with the key.
 */
export function noteReopened(
  delivery: OpenDelivery,
  rosterDevices: DeviceId[],
  attempted: DeviceId[],
  sealed: { deviceId: DeviceId; keyId: SealKeyId }[],
  now: number
): OpenDelivery {
  const listed = new Set(rosterDevices.map(toHex))
  const tried = new Set(attempted.map(toHex))
  const keys = new Map(sealed.map(({ deviceId, keyId }) => [toHex(deviceId), keyId]))
  const waiting = delivery.waiting
    .filter(({ deviceId }) => listed.has(toHex(deviceId)))
    .map(entry => {
      const id = toHex(entry.deviceId)
      if (!tried.has(id)) return entry
      return { ...entry, keyId: keys.get(id) ?? entry.keyId, sentAt: now, attempts: entry.attempts + 1 }
    })
  return { ...delivery, waiting }
}

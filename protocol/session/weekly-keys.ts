/**
 * The signed messaging keys that strangers seal their first Open to. A new one each week: a thief who
 * steals the secret later reads what was sealed to it.
 */
import { bytes, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, type MessagingKey } from '../crypto/crypto.ts'
import { messagingKeyHash } from '../identity/device.ts'
import { KEY_GRACE_MS, PENDING_TTL_MS, WEEKLY_KEY_PERIOD_MS } from '../limits.ts'
import type { Environment } from '../environment.ts'
import { Secret, secretBytes } from '../secret.ts'
import type { HeldKey, SealKeyId } from './seal-key.ts'
import { stateCodec } from './state.ts'

const MAX_WEEKLY_KEYS = 64

const weeklyKeyCodec = struct({
  index: uint(),
  keyId: bytes<SealKeyId>(32),
  /** 32-byte X-Wing seed. */
  seed: secretBytes(KEY_BYTES),
  /** Milliseconds; goes into the bundle. */
  expiry: uint(),
  supersededAt: nullable(uint())
})

const weeklyKeysCodec = struct({ nextIndex: uint(), keys: list(weeklyKeyCodec, MAX_WEEKLY_KEYS) })

/** This device's weekly keys, rising by index; the last is in its bundle. */
export type WeeklyKeys = TypeOf<typeof weeklyKeysCodec>
export const weeklyKeysState = stateCodec<WeeklyKeys>(weeklyKeysCodec)

/** A device that never had a weekly key. */
export function emptyWeeklyKeys(): WeeklyKeys {
  return { nextIndex: 0, keys: [] }
}

/** Whether the newest weekly key has a period or less to go, so that a device that is off for a week stays reachable. */
export function isWeeklyKeyDue(weekly: WeeklyKeys, now: number): boolean {
  const newest = weekly.keys.at(-1)
  return newest === undefined || newest.expiry - now <= WEEKLY_KEY_PERIOD_MS
}

/** Makes the next weekly key, valid for two periods: one in use, one for those who cannot reach the next. */
export async function renewWeeklyKey(
  { crypto, network, random, now }: Environment,
  weekly: WeeklyKeys
): Promise<{ weekly: WeeklyKeys; index: number; expiry: number; key: MessagingKey }> {
  const seed = new Secret(random(KEY_BYTES))
  const key = await crypto.messagingKeyFromSeed(seed.expose())
  const at = now()
  const index = weekly.nextIndex
  const expiry = at + 2 * WEEKLY_KEY_PERIOD_MS
  const keyId = messagingKeyHash(crypto, network, key.publicKey) as SealKeyId
  const superseded = weekly.keys.map(old => (old.supersededAt === null ? { ...old, supersededAt: at } : old))
  const keys = [...superseded, { index, keyId, seed, expiry, supersededAt: null }].slice(-MAX_WEEKLY_KEYS)
  return { weekly: { nextIndex: index + 1, keys }, index, expiry, key }
}

/**
 * Erases (and wipes) weekly secrets whose last possible envelope has expired. Counts from the later of expiry and
 * supersession: a device that was off for months still opens what was sealed to the key it last published.
 */
export function eraseWeeklyKeys(weekly: WeeklyKeys, now: number): WeeklyKeys {
  const kept = weekly.keys.filter(
    ({ expiry, supersededAt }) =>
      supersededAt === null || now < Math.max(expiry, supersededAt) + PENDING_TTL_MS + KEY_GRACE_MS
  )
  for (const key of weekly.keys) if (!kept.includes(key)) key.seed.erase()
  return kept.length === weekly.keys.length ? weekly : { ...weekly, keys: kept }
}

/** Weekly secrets in the form that `readOpen` looks keys up in. */
export function heldWeeklyKeys(weekly: WeeklyKeys): HeldKey[] {
  return weekly.keys.map(({ keyId, seed }) => ({ keyId, seed, conversationId: null, index: null }))
}

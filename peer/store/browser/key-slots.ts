/** The key of a locked store, wrapped once for each way to open it. Every way opens the same key, and none says anything about another. */
import type { Random } from '../../../protocol/crypto/crypto.ts'
import type { Secret } from '../../../protocol/secret.ts'
import { storeFailure } from '../../errors.ts'
import { parseWrappedKey, type KeyWrapping, type WrappedKey } from '../passphrase-wrap.ts'
import {
  parsePasskeyWrappedKey,
  unwrapUnderPasskey,
  wrapUnderPasskey,
  type Passkey,
  type PasskeyCrypto,
  type PasskeyWrappedKey
} from './passkey-wrap.ts'

/** What a person opens a lock with. `answer` is the passkey's to the salt of `passkey`; the caller erases it. */
export type Opener = { way: 'passphrase'; passphrase: string } | { way: 'passkey'; passkey: Passkey; answer: Secret }

/** Which ways open a lock; none of them: there is no lock. */
export interface LockWays {
  passphrase: boolean
  passkey: Passkey | null
}

/** At least one of them, as they are stored. */
export interface KeySlots {
  passphrase?: WrappedKey
  passkey?: PasskeyWrappedKey
}

export interface SlotComponents {
  crypto: PasskeyCrypto
  random: Random
  /** Wraps under passphrases. */
  wrapping: KeyWrapping
}

/** Reads the slots of a lock. @returns undefined if there is none, or one has another form. */
export function parseSlots(value: unknown): KeySlots | undefined {
  const { passphrase, passkey } = (value ?? {}) as Partial<Record<keyof KeySlots, unknown>>
  const slots: KeySlots = {}
  if (passphrase !== undefined) {
    const parsed = parseWrappedKey(passphrase)
    if (!parsed) return undefined
    slots.passphrase = parsed
  }
  if (passkey !== undefined) {
    const parsed = parsePasskeyWrappedKey(passkey)
    if (!parsed) return undefined
    slots.passkey = parsed
  }
  return slots.passphrase || slots.passkey ? slots : undefined
}

export function waysOf({ passphrase, passkey }: KeySlots): LockWays {
  const named = passkey && { credentialId: passkey.credentialId, salt: passkey.salt }
  return { passphrase: passphrase !== undefined, passkey: named ?? null }
}

/** Wraps a key for each of some ways, at most one of a kind. @param key - the caller erases it. */
export async function wrapSlots(components: SlotComponents, key: Secret, openers: Opener[]): Promise<KeySlots> {
  const { crypto, random, wrapping } = components
  const slots: KeySlots = {}
  for (const opener of openers) {
    if (slots[opener.way]) throw new TypeError(`a lock has one ${opener.way}`)
    if (opener.way === 'passphrase') slots.passphrase = await wrapping.wrap(key, opener.passphrase)
    else slots.passkey = await wrapUnderPasskey(crypto, random, key, opener.passkey, opener.answer)
  }
  return slots
}

/**
 * @param opener - undefined if nobody was asked yet.
 * @returns the key; the caller erases it.
 * @throws PeerError `store`: `locked`, `passphrase-wrong`, `passkey-wrong`, or `key-weak`.
 */
export async function openSlots(
  { crypto, wrapping }: SlotComponents,
  location: string,
  slots: KeySlots,
  opener: Opener | undefined
): Promise<Secret> {
  if (!opener) throw storeFailure('locked', location)
  if (opener.way === 'passphrase') {
    if (!slots.passphrase) throw storeFailure('passphrase-wrong', location)
    return wrapping.unwrap(location, slots.passphrase, opener.passphrase)
  }
  // An answer to another salt, or of another passkey, opens nothing.
  if (slots.passkey?.credentialId !== opener.passkey.credentialId) throw storeFailure('passkey-wrong', location)
  return unwrapUnderPasskey(crypto, location, slots.passkey, opener.answer)
}

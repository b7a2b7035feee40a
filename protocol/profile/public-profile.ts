/**
 * What an account shows to everybody who knows its username. Nodes keep it, sealed under a key that follows from the username, and
 * cannot read it without guessing the name. A device of the account signs it; nodes and readers check that this device lives.
 *
 * A person who wants to be found by a name elsewhere says so in the clear: `foundBy` names the accounts elsewhere, each with the word
 * of the node that saw the person sign in there, and the username that they lead to.
 */
import { compareBytes, concatBytes } from '../bytes.ts'
import {
  bytes,
  bytesBetween,
  constant,
  decode,
  encode,
  list,
  nullable,
  struct,
  text,
  uint,
  type TypeOf
} from '../codec.ts'
import { argon2id } from '../crypto/argon2id.ts'
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  SIGNATURE_BYTES,
  type Crypto,
  type Random,
  type SigningKey
} from '../crypto/crypto.ts'
import { requireInteger } from '../crypto/parameters.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec, type AccountId } from '../identity/device.ts'
import { linkedAccountCodec, MAX_LINKED_ACCOUNTS } from '../identity/linked-account.ts'
import { skeletonOf, type Username } from '../identity/username.ts'
import { labelled, labelledHash } from '../labels.ts'
import {
  CLOCK_TOLERANCE_MS,
  MAX_NAME_TAG_MEMORY_KIB,
  MAX_NAME_TAG_PASSES,
  MAX_PUBLIC_PROFILE_BYTES
} from '../limits.ts'
import type { Genesis, NetworkId } from '../network.ts'
import { padToMultiple, unpad } from '../session/padding.ts'
import { MAX_PROFILE_CONTENTS_BYTES, profileContentsCodec, type ProfileContents } from './profile-contents.ts'

/** What is sealed is padded to a multiple of this, so that its size tells next to nothing. */
const PADDING_BYTES = 1024
const MAX_SEALED_BYTES = MAX_PROFILE_CONTENTS_BYTES + 1024
const KEY_BYTES = 32
/** Bytes of the place of a profile: of its account id, and of the tag of a name elsewhere. */
export const PROFILE_PLACE_BYTES = 32

const fields = {
  version: constant(1),
  accountId: accountIdCodec,
  /** The device that signs. */
  deviceId: deviceIdCodec,
  /** The highest counts, see {@link isNewerProfile}. */
  revision: uint(),
  /** When it was signed, milliseconds by the device's clock. */
  time: uint(),
  /** Nonce, then ciphertext; empty for an account that shows nothing. */
  sealed: bytesBetween(0, MAX_SEALED_BYTES),
  /** Names elsewhere by which the account wants to be found, and the username that they lead to; null for none. */
  foundBy: nullable(struct({ username: text(24), accounts: list(linkedAccountCodec, MAX_LINKED_ACCOUNTS, 1) }))
}
const unsignedCodec = struct(fields)
const publicProfileCodec = struct({ ...fields, signature: bytes(SIGNATURE_BYTES) })
/** Decoded, not verified yet: see {@link verifyPublicProfile}. */
export type PublicProfile = TypeOf<typeof publicProfileCodec>
type Unsigned = TypeOf<typeof unsignedCodec>

const signedBytes = (network: NetworkId, unsigned: Unsigned): Uint8Array =>
  labelled('public-profile', network, encode(unsignedCodec, unsigned))

/** @throws ProtocolError `TOO_LARGE` for one that nodes do not take. */
export async function signPublicProfile(
  network: NetworkId,
  key: SigningKey,
  said: Omit<Unsigned, 'version'>
): Promise<PublicProfile> {
  const unsigned: Unsigned = { version: 1, ...said }
  return { ...unsigned, signature: await key.sign(signedBytes(network, unsigned)) }
}

/** Whether the holder of a key signed it. That the key is of a live device of the account is the directory's to say. */
export function verifyPublicProfile(
  crypto: Crypto,
  network: NetworkId,
  signingKey: Uint8Array,
  { signature, ...unsigned }: PublicProfile
): Promise<boolean> {
  return crypto.verify(signingKey, signedBytes(network, unsigned), signature)
}

/** @throws ProtocolError `TOO_LARGE`. */
export function encodePublicProfile(profile: PublicProfile): Uint8Array {
  const encoded = encode(publicProfileCodec, profile)
  if (encoded.length <= MAX_PUBLIC_PROFILE_BYTES) return encoded
  throw new ProtocolError('TOO_LARGE', `a public profile has at most ${MAX_PUBLIC_PROFILE_BYTES} bytes`)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodePublicProfile(encoded: Uint8Array): PublicProfile {
  return decode(publicProfileCodec, encoded, { maxBytes: MAX_PUBLIC_PROFILE_BYTES, maxDepth: 5, maxItems: 128 })
}

/**
 * Whether a profile of an account replaces another one. The same on every node and every device: the higher revision counts, then
 * the later time, then the greater bytes, for devices that changed the profile without having seen each other.
 */
export function isNewerProfile(profile: PublicProfile, before: PublicProfile): boolean {
  if (profile.revision !== before.revision) return profile.revision > before.revision
  if (profile.time !== before.time) return profile.time > before.time
  return compareBytes(encode(publicProfileCodec, profile), encode(publicProfileCodec, before)) > 0
}

/** Whether a profile claims to be from a time to come: it would outlive what its owner changes later. */
export const isFromTheFuture = ({ time }: PublicProfile, now: number): boolean => time > now + CLOCK_TOLERANCE_MS

/** Where nodes keep the profiles that a name elsewhere leads to. Capitals make no other name. */
export const handlePlace = (crypto: Crypto, network: NetworkId, provider: string, handle: string): Uint8Array =>
  labelledHash(crypto, 'profile-handle', network, provider, handle.toLowerCase())

/** Every place of a profile: first that of its account. */
export function placesOf(crypto: Crypto, network: NetworkId, { accountId, foundBy }: PublicProfile): Uint8Array[] {
  const handles = (foundBy?.accounts ?? []).flatMap(({ provider, handle }) =>
    handle === null ? [] : [handlePlace(crypto, network, provider, handle)]
  )
  return [accountId, ...handles]
}

/**
 * The key under which the profile of a username is sealed. Slow on purpose, as `nameTagOf`: about 0.1 s.
 * @throws ProtocolError `INVALID` for a cost past the limits.
 */
export async function publicProfileKey(
  network: NetworkId,
  { nameSalt, nameTagCost: { memoryKib, passes } }: Pick<Genesis, 'nameSalt' | 'nameTagCost'>,
  username: Username
): Promise<Uint8Array> {
  requireInteger('memory of a profile key', memoryKib, 8, MAX_NAME_TAG_MEMORY_KIB)
  requireInteger('passes of a profile key', passes, 1, MAX_NAME_TAG_PASSES)
  const password = labelled('profile-key', network, skeletonOf(username))
  return argon2id(password, nameSalt, { memoryKib, iterations: passes, parallelism: 1 }, KEY_BYTES)
}

const sealedWith = (network: NetworkId, accountId: AccountId, revision: number): Uint8Array =>
  labelled('profile-seal', network, accountId, revision)

/** @param key - of {@link publicProfileKey}. */
export function sealContents(
  { crypto, random }: { crypto: Crypto; random: Random },
  network: NetworkId,
  key: Uint8Array,
  { accountId, revision }: Pick<PublicProfile, 'accountId' | 'revision'>,
  contents: ProfileContents
): Uint8Array {
  const nonce = random(AEAD_NONCE_BYTES)
  const padded = padToMultiple(encode(profileContentsCodec, contents), PADDING_BYTES)
  return concatBytes(nonce, crypto.chachaSeal(key, nonce, padded, sealedWith(network, accountId, revision)))
}

/** @returns undefined for a profile of another username, or one that says nothing. */
export function openContents(
  crypto: Crypto,
  network: NetworkId,
  key: Uint8Array,
  { accountId, revision, sealed }: Pick<PublicProfile, 'accountId' | 'revision' | 'sealed'>
): ProfileContents | undefined {
  if (sealed.length < AEAD_NONCE_BYTES + AEAD_TAG_BYTES) return undefined
  const nonce = sealed.slice(0, AEAD_NONCE_BYTES)
  try {
    const padded = crypto.chachaOpen(
      key,
      nonce,
      sealed.slice(AEAD_NONCE_BYTES),
      sealedWith(network, accountId, revision)
    )
    return decode(profileContentsCodec, unpad(padded), {
      maxBytes: MAX_PROFILE_CONTENTS_BYTES,
      maxDepth: 5,
      maxItems: 128
    })
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

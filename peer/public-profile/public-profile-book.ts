/**
 * The public profiles of people that this device has looked up, as it saw them last. What a person has told the user themselves, in a
 * message, counts more: {@link PublicProfileBook.instead} gives nothing then.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { bytesBetween, nullable, struct, type TypeOf } from '../../protocol/codec.ts'
import { deviceOf, isLive } from '../../protocol/directory/account.ts'
import { accountIdCodec, deviceIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import { MAX_PUBLIC_PROFILE_BYTES } from '../../protocol/limits.ts'
import { profileContentsCodec, type ProfileContents } from '../../protocol/profile/profile-contents.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import { entry } from '../store/conversation-entries.ts'
import type { Slot, StateStore } from '../store/state-store.ts'

const seenProfileCodec = struct({
  accountId: accountIdCodec,
  /** The device that signed it. */
  deviceId: deviceIdCodec,
  /** As it was signed: an older one is not taken in its place. */
  encoded: bytesBetween(1, MAX_PUBLIC_PROFILE_BYTES),
  /** Null for a profile that shows nothing. */
  contents: nullable(profileContentsCodec)
})
/** A public profile whose signature was checked. */
export type SeenProfile = TypeOf<typeof seenProfileCodec>

/** Where the last revision is that this device has signed: none is used twice. */
export const SIGNED_PROFILE = { space: 'own-public-profile' }

const SPACE = 'public-profile'
const seenProfileEntry = entry(seenProfileCodec)
const slotOf = (accountId: AccountId): Slot<SeenProfile> => ({
  space: SPACE,
  id: toHex(accountId),
  codec: seenProfileEntry
})

export interface PublicProfileBookComponents {
  states: StateStore
  directory: { peek(accountHex: string): KnownAccount | undefined }
  onChange: () => void
}

export class PublicProfileBook {
  readonly #components: PublicProfileBookComponents
  readonly #seen = new Map<string, SeenProfile>()

  constructor(components: PublicProfileBookComponents) {
    this.#components = components
  }

  async load(): Promise<void> {
    for (const seen of await this.#components.states.all(SPACE, seenProfileEntry)) {
      this.#seen.set(toHex(seen.accountId), seen)
    }
  }

  /** The profile that was seen last; undefined for none, or one of a device that the account has removed. */
  seen(accountId: AccountId): SeenProfile | undefined {
    const seen = this.#seen.get(toHex(accountId))
    const known = this.#components.directory.peek(toHex(accountId))
    const device = seen && known && deviceOf(known.current, seen.deviceId)
    return device && isLive(device) ? seen : undefined
  }

  /** What is shown of a person who has told the user nothing themselves; undefined if they have, or show nothing. */
  instead(accountId: AccountId): ProfileContents | undefined {
    const hasTold = (this.#components.directory.peek(toHex(accountId))?.displayName ?? null) !== null
    return hasTold ? undefined : (this.seen(accountId)?.contents ?? undefined)
  }

  /** Keeps a profile in place of the one before; on disk once this resolves. */
  async keep(seen: SeenProfile): Promise<void> {
    const before = this.#seen.get(toHex(seen.accountId))
    // Once the username is known, what is sealed under it opens.
    const isOpened = before?.contents === null && seen.contents !== null
    if (before && !isOpened && equalBytes(before.encoded, seen.encoded)) return
    await this.#components.states.unit(async unit => unit.write(slotOf(seen.accountId), seen))
    this.#seen.set(toHex(seen.accountId), seen)
    this.#components.onChange()
  }
}

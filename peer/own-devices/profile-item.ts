/** The own profile as all devices of the account agree on it, see `sync-items.ts`. */
import { decode, encode, struct, text, type TypeOf } from '../../protocol/codec.ts'
import { MAX_ABOUT_UNITS, MAX_DISPLAY_NAME_UNITS } from '../../protocol/limits.ts'

/** Name of the item. */
export const PROFILE_ITEM = 'profile'

const profileItemCodec = struct({ displayName: text(MAX_DISPLAY_NAME_UNITS), about: text(MAX_ABOUT_UNITS) })
/** What the item says. */
export type ProfileItem = TypeOf<typeof profileItemCodec>

export const encodeProfileItem = (profile: ProfileItem): Uint8Array => encode(profileItemCodec, profile)

/** The profile in the value of the item; undefined if no device has set one that this version can read. */
export function profileInItem(value: Uint8Array | undefined): ProfileItem | undefined {
  if (value === undefined || value.length === 0) return undefined
  try {
    return decode(profileItemCodec, value, { maxBytes: 1024 })
  } catch {
    return undefined
  }
}

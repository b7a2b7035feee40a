/** Who sees the profile, as all devices of the account agree on it; see `sync-items.ts`. */
import { bool, decode, encode, oneOf, struct } from '../../protocol/codec.ts'
import type { ProfileVisibility } from '../peer-api.ts'

/** Name of the item. */
export const VISIBILITY_ITEM = 'profile-visibility'

const visibilityCodec = struct({ seenBy: oneOf('contacts', 'everybody'), isFoundByHandle: bool })
/** Decision 18: nothing is public that its owner did not make so. */
const USUAL: ProfileVisibility = { seenBy: 'contacts', isFoundByHandle: false }

export const encodeVisibilityItem = (visibility: ProfileVisibility): Uint8Array => encode(visibilityCodec, visibility)

/** The choice in the value of the item; the usual one if no device has set any that this version can read. */
export function visibilityInItem(value: Uint8Array | undefined): ProfileVisibility {
  if (value === undefined || value.length === 0) return USUAL
  try {
    return decode(visibilityCodec, value, { maxBytes: 1024 })
  } catch {
    return USUAL
  }
}

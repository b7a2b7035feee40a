/** What others learn of what the user does, as all devices of the account agree on it; see `sync-items.ts`. */
import { bool, decode, encode, struct } from '../../protocol/codec.ts'
import type { Privacy } from '../peer-api.ts'

/** Name of the item. */
export const PRIVACY_ITEM = 'privacy'

const privacyCodec = struct({ tellsRead: bool, tellsTyping: bool, tellsPresence: bool })
const USUAL: Privacy = { tellsRead: true, tellsTyping: true, tellsPresence: true }

export const encodePrivacyItem = (privacy: Privacy): Uint8Array => encode(privacyCodec, privacy)

/** The settings in the value of the item; the usual ones if no device has set any that this version can read. */
export function privacyInItem(value: Uint8Array | undefined): Privacy {
  if (value === undefined || value.length === 0) return USUAL
  try {
    return decode(privacyCodec, value, { maxBytes: 1024 })
  } catch {
    return USUAL
  }
}

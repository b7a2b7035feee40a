/** The own profile as all devices of the account agree on it, see `sync-items.ts`. */
import { bool, decode, encode, list, struct, text, type TypeOf } from '../../protocol/codec.ts'
import { blobCodec, type BlobPointer } from '../../protocol/files/blob-pointer.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { linkedAccountCodec, MAX_LINKED_ACCOUNTS } from '../../protocol/identity/linked-account.ts'
import { MAX_SITES, siteCodec, type Site } from '../../protocol/identity/site.ts'
import { MAX_ABOUT_UNITS, MAX_DISPLAY_NAME_UNITS } from '../../protocol/limits.ts'
import type { OwnLinkedAccount } from '../sending/profile.ts'

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

/** Name of the item that holds the sites of the account. Apart, because an item is small. */
export const SITES_ITEM = 'profile-sites'

const sitesCodec = list(siteCodec, MAX_SITES)
/** Longest item, in bytes. */
const MAX_ITEM_BYTES = 1024

/** @throws ProtocolError `TOO_LARGE` for sites with very long names. */
export function encodeSitesItem(sites: Site[]): Uint8Array {
  const encoded = encode(sitesCodec, sites)
  if (encoded.length <= MAX_ITEM_BYTES) return encoded
  throw new ProtocolError('TOO_LARGE', 'the names of the sites are too long together')
}

/** The sites in the value of the item; none if no device has set it, or this version cannot read it. */
export function sitesInItem(value: Uint8Array | undefined): Site[] {
  if (value === undefined || value.length === 0) return []
  try {
    return decode(sitesCodec, value, { maxBytes: MAX_ITEM_BYTES })
  } catch {
    return []
  }
}

/** Name of the item that finds the picture of the account. */
export const PICTURE_ITEM = 'profile-picture'

/** Empty where there is no picture. */
export const encodePictureItem = (picture: BlobPointer | null): Uint8Array =>
  picture ? encode(blobCodec, picture) : new Uint8Array(0)

/** The picture in the value of the item; null if there is none, or this version cannot read it. */
export function pictureInItem(value: Uint8Array | undefined): BlobPointer | null {
  if (value === undefined || value.length === 0) return null
  try {
    return decode(blobCodec, value, { maxBytes: MAX_ITEM_BYTES })
  } catch {
    return null
  }
}

/** Name of the item that holds the accounts elsewhere. */
export const ACCOUNTS_ITEM = 'profile-accounts'

const accountsCodec = list(struct({ linked: linkedAccountCodec, isShown: bool }), MAX_LINKED_ACCOUNTS)

export const encodeAccountsItem = (accounts: OwnLinkedAccount[]): Uint8Array => encode(accountsCodec, accounts)

/** The accounts in the value of the item; none if no device has set it, or this version cannot read it. */
export function accountsInItem(value: Uint8Array | undefined): OwnLinkedAccount[] {
  if (value === undefined || value.length === 0) return []
  try {
    return decode(accountsCodec, value, { maxBytes: MAX_ITEM_BYTES })
  } catch {
    return []
  }
}

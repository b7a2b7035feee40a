import { list, nullable, struct, text, type TypeOf } from '../codec.ts'
import { blobCodec } from '../files/blob-pointer.ts'
import { displayNameCodec } from '../identity/display-name.ts'
import { linkedAccountsCodec } from '../identity/linked-account.ts'
import { MAX_SITES, siteCodec } from '../identity/site.ts'
import { MAX_ABOUT_UNITS } from '../limits.ts'

/** What a person says about themselves to everybody who knows their username; sealed at nodes, see `public-profile.ts`. */
export const profileContentsCodec = struct({
  /** Empty if the person gives none. */
  displayName: displayNameCodec,
  about: text(MAX_ABOUT_UNITS),
  picture: nullable(blobCodec),
  sites: list(siteCodec, MAX_SITES),
  accounts: linkedAccountsCodec
})
export type ProfileContents = TypeOf<typeof profileContentsCodec>

/** Longest encoded contents. */
export const MAX_PROFILE_CONTENTS_BYTES = 5 * 1024

import type { CallTable } from './call-table.ts'
import type { AccountHex } from './ids.ts'

/** `peer.social`: web sites that belong to people. */
export interface SocialApi {
  /**
   * Links a site to the own account, once the site names the account in its file. Those who have the profile are told.
   * Rejects with `site-malformed`, `site-not-linked`, `site-unreachable`, `too-many-sites`, `offline`, `refused`.
   *
   * @param site - host name, such as `ada.example`.
   */
  link(site: string): Promise<PersonLink[]>
  /** Takes a link back; one that is not there counts as taken back. Rejects with `site-malformed`. */
  unlink(site: string): Promise<PersonLink[]>
  /** The links of a person, each as its site answers the node in use now. Without a connection they are `unknown`. */
  links(accountId: AccountHex): Promise<PersonLink[]>
}

/** The calls of {@link SocialApi}. */
export const SOCIAL_CALLS: CallTable<SocialApi> = { link: 'repeat', unlink: 'repeat', links: 'repeat' }

/** A site that a person says is theirs. */
export interface PersonLink {
  kind: 'site'
  site: string
  /** Where the site names the account: anybody can look. */
  url: string
  /** Whether the site names the account. `unknown`: it could not be asked. */
  state: 'linked' | 'not-linked' | 'unknown'
  /** When it was asked, milliseconds since 1970; null for `unknown`. */
  checkedAt: number | null
  /** The node that asked it; null for `unknown`. */
  checkedBy: string | null
}

import type { CallTable } from './call-table.ts'
import type { AccountHex } from './ids.ts'

/** `peer.social`: web sites and accounts elsewhere that belong to people. */
export interface SocialApi {
  /**
   * Links a site to the own account, once the site names the account in its file. Those who have the profile are told.
   * Rejects with `site-malformed`, `site-not-linked`, `site-unreachable`, `too-many-sites`, `offline`, `refused`.
   *
   * @param site - host name, such as `ada.example`.
   */
  link(site: string): Promise<PersonLink[]>
  /** Takes a link to a site back; one that is not there counts as taken back. Rejects with `site-malformed`. */
  unlink(site: string): Promise<PersonLink[]>
  /**
   * Begins to link an account elsewhere: the person signs in there. Rejects with `offline`, `refused`, `sign-in-unsafe`.
   * @param provider - as `account.providers` names it.
   * @param returnTo - address that the browser comes back to, see docs/http-api.
   * @returns the address to send the browser to.
   */
  startAccount(provider: string, returnTo: string): Promise<string>
  /**
   * Hands in the one-time code that came back, which only this device can use; the node says that the person signed in. Rejects with
   * `sign-in-failed`, `sign-in-elsewhere`, `too-many-accounts`, `offline`, `bad-answer`, `refused`.
   * @param isShown - whether those who have the profile see it; else it stays on the own devices.
   */
  finishAccount(code: string, isShown: boolean): Promise<PersonLink[]>
  /** Shows an account elsewhere to those who have the profile, or no longer. One that is not linked stays so. */
  showAccount(provider: string, isShown: boolean): Promise<PersonLink[]>
  /** Takes the link to an account elsewhere back. */
  unlinkAccount(provider: string): Promise<PersonLink[]>
  /** The links of a person, each site as it answers the node in use now. Without a connection sites are `unknown`. */
  links(accountId: AccountHex): Promise<PersonLink[]>
}

/** The calls of {@link SocialApi}. */
export const SOCIAL_CALLS: CallTable<SocialApi> = {
  link: 'repeat',
  unlink: 'repeat',
  startAccount: 'repeat',
  finishAccount: 'give-up',
  showAccount: 'repeat',
  unlinkAccount: 'repeat',
  links: 'repeat'
}

export type PersonLink = SiteLink | AccountLink

/** A site that a person says is theirs. Whether it is can be checked by anybody. */
export interface SiteLink {
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

/** An account elsewhere that a person says is theirs. That it is, is the word of the node that saw them sign in there, and of nobody else. */
export interface AccountLink {
  kind: 'account'
  /** Such as `x`. */
  provider: string
  /** What the person is called there; null where there are no such names. */
  handle: string | null
  /** The page of the handle; null if it is not known. That it is the person's does not follow from it. */
  url: string | null
  /** `old`: the node said it more than a year ago. `unlisted`: the node is none of this network, or not any more. */
  state: 'said' | 'old' | 'unlisted'
  /** When the person signed in there, milliseconds since 1970. */
  checkedAt: number
  /** The node that says so; null for `unlisted`. */
  checkedBy: string | null
  /** Of the own account: whether others see it. Left out for others. */
  isShown?: boolean
}

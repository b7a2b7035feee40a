import type { BlobPointer } from '../../protocol/files/blob-pointer.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { LinkedAccount } from '../../protocol/identity/linked-account.ts'
import type { Site } from '../../protocol/identity/site.ts'
import type { Privacy, ProfileVisibility } from '../peer-api.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { OwnDeliveryToken } from '../store/store-layout.ts'

/** An account elsewhere of the owner; `isShown`: those who have the profile see it. */
export interface OwnLinkedAccount {
  linked: LinkedAccount
  isShown: boolean
}

/** What the owner says about themselves, besides names. */
export interface OwnDetails {
  about: string
  sites: Site[]
  /** Finds and opens the picture at nodes; null for none. */
  picture: BlobPointer | null
  /** What others learn of what the owner does; told to no other account. */
  privacy: Privacy
  /** Accounts elsewhere, those that are not shown included. */
  accounts: OwnLinkedAccount[]
  /** Who sees the profile besides those whom the owner talks with. */
  visibility: ProfileVisibility
}

/** Revision of the profile that is given to others: it changes with the first profile screen. */
export const PROFILE_REVISION = 1

/** Revision of the profile with a delivery token in it: a new token is given to contacts again. */
export const profileRevision = (token: OwnDeliveryToken | undefined): number =>
  PROFILE_REVISION + (token?.revision ?? 0)

/**
 * What the members of a conversation are told about this account.
 * @param token - only for people that this account has written to: it makes contacts of them at our mailboxes' nodes.
 */
export function profileBody(
  { displayName, name }: OwnAccount,
  { about, sites, picture, accounts }: OwnDetails,
  token?: OwnDeliveryToken
): MessageBody {
  return {
    kind: 'profile',
    revision: profileRevision(token),
    displayName,
    username: name?.username ?? null,
    about,
    picture,
    deliveryToken: token?.token ?? null,
    sites,
    accounts: accounts.filter(({ isShown }) => isShown).map(({ linked }) => linked)
  }
}

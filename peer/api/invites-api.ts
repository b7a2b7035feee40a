import type { CallTable } from './call-table.ts'
import type { ConversationSummary } from './conversations-api.ts'
import type { AccountHex } from './ids.ts'

/** `peer.invites`: bringing people in by a link. All calls but `look` are for those who have an account. */
export interface InvitesApi {
  /**
   * What a link says, and whether it is good; it is not used by that. Also before there is an account.
   * Rejects with `invite-malformed`, `invite-other-network`, `offline` if nothing is known of the network.
   */
  look(address: string): Promise<InvitePreview>
  /** Makes a link. Rejects with `offline`, `refused`. */
  create(options?: InviteOptions): Promise<OwnInvite>
  /** Whether the node in use sends mail. Rejects with `offline`, `bad-answer`. */
  canMail(): Promise<boolean>
  /**
   * Makes a link for one person and has the node mail it. Nobody keeps the address.
   * Rejects with `mail-address`, `invite-no-mail`, `offline`, `refused`.
   */
  mail(address: string): Promise<OwnInvite>
  /** Own links of all devices that are not taken back, newest first. */
  list(): Promise<OwnInvite[]>
  /** Takes a link back, here and at its node. Who has accepted stays a contact. Rejects with `invite-unknown`, `offline`, `refused`. */
  revoke(id: string): Promise<void>
  /**
   * Uses a link: inviter and own account become contacts of each other.
   * Rejects with `invite-malformed`, `invite-other-network`, `own-account`, `invite-over`, `no-account`, `offline`, `refused`.
   * @returns the conversation with the inviter.
   */
  accept(address: string): Promise<ConversationSummary>
}

/** The calls of {@link InvitesApi}. */
export const INVITES_CALLS: CallTable<InvitesApi> = {
  look: 'repeat',
  create: 'give-up',
  canMail: 'repeat',
  mail: 'give-up',
  list: 'repeat',
  revoke: 'repeat',
  accept: 'repeat'
}

/** How a link is made. */
export interface InviteOptions {
  /** People who may accept, 1 to 100; 1 if it is not said. */
  uses?: number
  /** Milliseconds for which it is good, 30 days at most; 7 days if it is not said. */
  lifeMs?: number
}

/** A link of another person. The names are those that its maker wrote into it. */
export interface InvitePreview {
  accountId: AccountHex
  /** Without the @. */
  username: string | null
  displayName: string | null
  /** `over`: used up, taken back, too old, or not known at its node. `unknown`: the node could not be asked. */
  state: 'open' | 'over' | 'unknown'
  expiresAt: number | null
}

/** A link of this account. */
export interface OwnInvite {
  /** Names the link to its node, which does not know the link itself: lower-case hex of 32 bytes. */
  id: string
  url: string
  createdAt: number
  expiresAt: number
  uses: number
  /** Who has accepted, as far as this device has heard. */
  accepted: AccountHex[]
}

import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { parseDisplayName } from '../../protocol/identity/display-name.ts'
import type { Site } from '../../protocol/identity/site.ts'
import { MAX_ABOUT_UNITS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import { FIRST_WORD_ITEM, firstWordValue } from '../people/first-words.ts'
import { encodePrivacyItem, PRIVACY_ITEM } from '../own-devices/privacy-item.ts'
import {
  ACCOUNTS_ITEM,
  encodeAccountsItem,
  encodePictureItem,
  encodeProfileItem,
  encodeSitesItem,
  PICTURE_ITEM,
  PROFILE_ITEM,
  SITES_ITEM
} from '../own-devices/profile-item.ts'
import { encodeVisibilityItem, VISIBILITY_ITEM } from '../own-devices/visibility-item.ts'
import { PROFILE_REVISION, profileBody, type OwnDetails, type OwnLinkedAccount } from '../sending/profile.ts'
import type { OwnPicture } from './own-picture.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { Sealer } from '../sending/sealer.ts'
import { ownAccountSlot, type ChangeAccount, type OwnAccount } from '../store/own-account.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { Privacy, ProfileChange, ProfileVisibility } from '../peer-api.ts'

export interface OwnProfileComponents {
  states: StateStore
  sealer: Sealer
  tokens: DeliveryTokens
  /** Tells the other own devices. */
  sync: {
    putItem(unit: UnitOfWork, name: string, value: Uint8Array): Promise<void>
    setItem(name: string, value: Uint8Array): Promise<void>
  }
  /** What the owner says about themselves now. */
  details: () => OwnDetails
  conversations: () => Conversation[]
  /** Whether the account, on any of its devices, talks with the person of a conversation: such a person has the profile. */
  isSpokenTo: (conversation: Conversation) => boolean
  changeAccount: ChangeAccount
  picture: Pick<OwnPicture, 'hand' | 'letGo'>
  /** Sees to it that nodes have the public form as it is now. */
  onChanged: () => void
}

/** What others see of the account's owner, as the owner chooses it. */
export class OwnProfile {
  readonly #components: OwnProfileComponents

  constructor(components: OwnProfileComponents) {
    this.#components = components
  }

  /**
   * Stores the change together with a message to each conversation that has our profile, and to the other own devices. Other
   * conversations get the profile as it is then with the first message.
   * @throws PeerError `display-name`, `about-too-long`, `picture`; with a picture also `offline`, `refused`.
   */
  async change(change: ProfileChange): Promise<void> {
    const displayName = change.displayName === undefined ? undefined : nameOf(change.displayName)
    const about = change.about === undefined ? undefined : aboutOf(change.about)
    const { states, changeAccount, details } = this.#components
    const before = details().picture
    // Nodes have the picture before anybody is told of it.
    const picture = change.picture && (await this.#components.picture.hand(change.picture))
    const changed = { ...(about !== undefined && { about }), ...(picture !== undefined && { picture }) }
    await changeAccount(
      account => ({ ...account, displayName: displayName ?? account.displayName }),
      account => states.unit(unit => this.#store(unit, account, { ...details(), ...changed }))
    )
    this.#components.onChanged()
    if (before && picture !== undefined) await this.#components.picture.letGo(before)
  }

  /** Changes what others learn of what the user does: no message tells them of that. */
  async changePrivacy(change: Partial<Privacy>): Promise<void> {
    const { sync, details } = this.#components
    await sync.setItem(PRIVACY_ITEM, encodePrivacyItem({ ...details().privacy, ...change }))
  }

  /** Chooses who sees the profile; those who have it already keep it. */
  async changeVisibility(change: Partial<ProfileVisibility>): Promise<void> {
    const { sync, details, onChanged } = this.#components
    await sync.setItem(VISIBILITY_ITEM, encodeVisibilityItem({ ...details().visibility, ...change }))
    onChanged()
  }

  /** Changes the word that strangers must know. @throws PeerError `word-malformed`. */
  async setFirstWord(word: string | null): Promise<void> {
    await this.#components.sync.setItem(FIRST_WORD_ITEM, firstWordValue(word))
  }

  /** Changes the sites of the account, as {@link change}. */
  changeSites(sites: Site[]): Promise<void> {
    return this.#changeDetails({ sites })
  }

  /** Changes the accounts elsewhere, as {@link change}. */
  changeAccounts(accounts: OwnLinkedAccount[]): Promise<void> {
    return this.#changeDetails({ accounts })
  }

  async #changeDetails(changed: Partial<OwnDetails>): Promise<void> {
    const { states, changeAccount, details } = this.#components
    await changeAccount(
      account => account,
      account => states.unit(unit => this.#store(unit, account, { ...details(), ...changed }))
    )
    this.#components.onChanged()
  }

  async #store(unit: UnitOfWork, account: OwnAccount, details: OwnDetails): Promise<void> {
    const { sealer, tokens, sync, conversations, isSpokenTo } = this.#components
    unit.write(ownAccountSlot, account)
    const { about } = details
    const before = itemsOf(this.#components.details())
    await sync.putItem(unit, PROFILE_ITEM, encodeProfileItem({ displayName: account.displayName, about }))
    for (const [name, value] of Object.entries(itemsOf(details))) {
      // An item that stays as it is must not win over a change on another device.
      if (!equalBytes(value, before[name]!)) await sync.putItem(unit, name, value)
    }
    const profile = profileBody(account, details, await tokens.own(unit))
    for (const conversation of conversations()) {
      const { conversationId, kind } = conversation
      // What is in memory for the screens does not follow the profile.
      const given = (await unit.read(slots.conversation(toHex(conversationId))))?.profileGiven ?? 0
      if (kind === 'notes' || (given < PROFILE_REVISION && !isSpokenTo(conversation))) continue
      await sealer.enqueue(unit, conversationId, profile)
    }
  }
}

/** The items that hold one detail each. @throws ProtocolError `TOO_LARGE` for sites with very long names. */
function itemsOf({ sites, picture, accounts }: OwnDetails): Record<string, Uint8Array> {
  return {
    [SITES_ITEM]: encodeSitesItem(sites),
    [PICTURE_ITEM]: encodePictureItem(picture),
    [ACCOUNTS_ITEM]: encodeAccountsItem(accounts)
  }
}

/** @throws PeerError `display-name`. */
function nameOf(text: string): string {
  const { name, fault } = parseDisplayName(text)
  if (fault !== null) throw new PeerError('display-name', { fault })
  return name
}

/** @throws PeerError `about-too-long`. */
function aboutOf(text: string): string {
  const about = text.toWellFormed().trim()
  if (about.length <= MAX_ABOUT_UNITS) return about
  throw new PeerError('about-too-long', { length: about.length, limit: MAX_ABOUT_UNITS })
}

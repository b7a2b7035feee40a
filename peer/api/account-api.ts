import type { CallTable } from './call-table.ts'
import type { Person } from './people-api.ts'

/** `peer.account`: from the first sign-in to a name of one's own. */
export interface AccountApi {
  /** What one can sign in with at the node in use. */
  providers(): Promise<SignInProvider[]>
  /**
   * Makes this device's keys if needed.
   * @param returnTo - address that the browser comes back to, see docs/http-api.
   * @returns the address to send the browser to.
   */
  startSignIn(provider: string, returnTo: string): Promise<string>
  /**
   * Hands in the one-time code that came back in the address fragment; stage becomes `choose-name` once the node has taken
   * it. Rejects with `sign-in-failed` for a code of another device, `sign-in-elsewhere` if none began here, or `offline`;
   * then everything stays as it was.
   */
  finishSignIn(code: string): Promise<void>
  /**
   * Makes this device's keys if needed, and asks for the text that a Cardano wallet has to sign. Rejects with `offline`, `refused`.
   * @param address - raw address of the wallet, hex: its reward address, which stays the same.
   */
  startWalletSignIn(address: string): Promise<WalletChallenge>
  /** Hands in what the wallet signed (CIP-30 `signData`); otherwise as {@link finishSignIn}. */
  finishWalletSignIn(answer: WalletAnswer): Promise<void>
  /** Back to stage `welcome`, to sign in another way. The device's keys stay. */
  forgetSignIn(): Promise<void>
  checkName(username: string): Promise<NameAvailability>
  /** Registers account and device; resolves once the account is usable. The name follows through `me.nameState`. */
  register(choice: NewAccount): Promise<Me>
  /**
   * Claims another name once the chosen one turned out `taken` (or none was chosen); it follows through `me.nameState`.
   * Rejects with `name-chosen` while the account has a name or may still get it, `invalid-name`, `name-taken`.
   */
  claimName(username: string): Promise<Me>
  /**
   * Gives the username back: anybody may take it, and the account may claim another. Those who have the profile are told. That it was
   * this account's stays on the public record. Rejects with `offline`, `refused`.
   */
  releaseName(): Promise<Me>
  /**
   * Deletes the account as far as that goes: objects and backups at nodes, names, all devices, this one last. The public record keeps
   * what it has; other people keep what they were sent; what is on this device stays until it is erased there. Rejects with `nodes-silent`
   * while a node does not answer, unless `anyway`; `offline`, and as `devices.revoke`.
   */
  deleteAccount(options: { anyway: boolean }): Promise<DeletedAccount>
  /**
   * Changes what others see of this account, on all its devices, and tells those who have it; what is left out stays.
   * Rejects with `display-name`, `about-too-long`, `picture`; with a picture also `offline`, `refused`.
   */
  changeProfile(change: ProfileChange): Promise<Me>
  /** Changes what others learn of what the user does, on all devices of the account; what is left out stays. */
  changePrivacy(change: Partial<Privacy>): Promise<Me>
  /** Chooses who sees the profile, on all devices of the account; what is left out stays. Nodes follow once there is a connection. */
  changeVisibility(change: Partial<ProfileVisibility>): Promise<Me>
  /**
   * Sets a word that strangers must know: what others write is put aside, and they are not told. Null for none. Counts on all devices of the
   * account. Rejects with `word-malformed`.
   */
  setFirstWord(word: string | null): Promise<Me>
}

/** The calls of {@link AccountApi}. */
export const ACCOUNT_CALLS: CallTable<AccountApi> = {
  providers: 'repeat',
  startSignIn: 'repeat',
  finishSignIn: 'repeat',
  startWalletSignIn: 'repeat',
  finishWalletSignIn: 'give-up',
  forgetSignIn: 'repeat',
  checkName: 'repeat',
  register: 'give-up',
  claimName: 'give-up',
  releaseName: 'give-up',
  deleteAccount: 'give-up',
  changeProfile: 'repeat',
  changePrivacy: 'repeat',
  changeVisibility: 'repeat',
  setFirstWord: 'repeat'
}

/** What a person chooses when they register. */
export interface NewAccount {
  username: string
  displayName: string
  deviceName: string
}

/** What was deleted, in numbers. */
export interface DeletedAccount {
  /** Objects that nodes have removed, each copy counted. */
  objects: number
  /** Nodes that did not answer. */
  silentNodes: number
  names: number
  devices: number
}

/** What a person changes of their profile. */
export interface ProfileChange {
  displayName?: string
  /** A description, at most 256 UTF-16 code units; empty for none. */
  about?: string
  /** The bytes of a JPEG, PNG or WebP of at most 256 KiB; null for none. What is written beside the pixels stays on this device. */
  picture?: Uint8Array | null
}

/** Who sees what the user says about themselves, besides those whom the user talks with. */
export interface ProfileVisibility {
  /** `everybody`: everybody who knows the username. */
  seenBy: 'contacts' | 'everybody'
  /** Whether who knows the name of a shown account elsewhere finds the user by it. */
  isFoundByHandle: boolean
}

/** What others learn of what the user does. */
export interface Privacy {
  /** Whether senders are told that their messages were read. */
  tellsRead: boolean
  /** Whether accepted people see that the user types. The user who does not tell is not told. */
  tellsTyping: boolean
  /** Whether accepted people see that the user is here, and was last. The user who does not tell is not told. */
  tellsPresence: boolean
}

/** This device's own account. */
export interface Me extends Person {
  deviceId: string
  deviceName: string
  /** `removing` from when the removal is known, `removed` once it is in a block; in both nothing can be sent or received. */
  deviceState: 'live' | 'removing' | 'removed' | 'read-only'
  /** `reserving` until the name is seen on the public record, `reserved` until it can no longer be contested. */
  nameState: 'none' | 'reserving' | 'reserved' | 'recorded' | 'taken'
  privacy: Privacy
  visibility: ProfileVisibility
  /** The word that strangers must know; null for none. */
  firstWord: string | null
}

/** Whether a username can be chosen. `unknown` when no node could be asked. */
export type NameAvailability = 'available' | 'taken' | 'invalid' | 'unknown'

/** A service that people sign in with. */
export interface SignInProvider {
  id: string
  name: string
  /** Not a real provider: anybody can sign in as anybody. */
  demo: boolean
  /** `wallet`: a Cardano wallet of the browser signs; there is no page to go to. */
  kind: 'page' | 'wallet'
}

/** What a wallet is asked to sign. */
export interface WalletChallenge {
  nonce: string
  /** Text; `signData` takes its UTF-8 bytes in hex. */
  payload: string
}

/** What a wallet answered: hex of COSE_Sign1 and COSE_Key. */
export interface WalletAnswer {
  nonce: string
  signature: string
  key: string
}

/** How far a registration is; `ready` is usable, long before the chain has settled. */
export type Stage = 'welcome' | 'choose-name' | 'ready'

import type { CallTable } from './call-table.ts'
import type { AccountHex, ConversationHex } from './ids.ts'
import type { ChatMessage } from './messages-api.ts'
import type { Person, PersonPicture } from './people-api.ts'

/**
 * `peer.groups`: conversations of many. A call that changes a group resolves once the change is signed, stored here and in the
 * queue; its line follows it to the network as an own message does. Rejects with `no-group`, `not-in-group`, `not-admin`.
 */
export interface GroupsApi {
  /** All groups, the last one in which something happened first. */
  list(): Promise<GroupSummary[]>
  /** Who is in, admins first. */
  members(group: ConversationHex): Promise<GroupMemberView[]>
  /**
   * Makes a group. Rejects with `display-name` for its name, `about-too-long`, `no-account`, `held`; with a picture as
   * {@link setPicture}.
   */
  create(name: string, accounts: AccountHex[], about?: GroupAbout): Promise<GroupChanged>
  /** Rejects with `already-member`, `no-account`, `held`, `group-full`. */
  add(group: ConversationHex, accounts: AccountHex[]): Promise<GroupChanged>
  /** Rejects with `not-member`. */
  remove(group: ConversationHex, accounts: AccountHex[]): Promise<GroupChanged>
  /** Makes members admins, or admins members. Rejects with `not-member`, and with `last-admin` for the only one. */
  setRole(group: ConversationHex, account: AccountHex, role: 'admin' | 'member'): Promise<GroupChanged>
  /** Rejects with `display-name`. */
  rename(group: ConversationHex, name: string): Promise<GroupChanged>
  /** Empty text: no description. Rejects with `about-too-long`. */
  describe(group: ConversationHex, description: string): Promise<GroupChanged>
  /**
   * Gives the group a picture: a JPEG, PNG or WebP, of which only the pixels leave the device; null takes it away. Rejects with
   * `picture`, `offline`, `refused`.
   */
  setPicture(group: ConversationHex, picture: Uint8Array | null): Promise<GroupChanged>
  /** The picture; null for none, and in a request. Rejects with `offline`, `file-gone`, `file-damaged`. */
  picture(group: ConversationHex): Promise<PersonPicture | null>
  /** Says who may add people, and who may change name, description and picture; what is left out stays. Admins only. */
  setRights(group: ConversationHex, rights: Partial<GroupRights>): Promise<GroupChanged>
  /** Rejects with `last-admin` while others are there and none of them is an admin. */
  leave(group: ConversationHex): Promise<GroupChanged>
  /** The own link by which people join. Rejects with `not-admin` for those who may not add people. */
  link(group: ConversationHex, options?: GroupLinkOptions): Promise<GroupLinkView>
  /** Who has asked with the own link and waits for an answer, the longest first. */
  requests(group: ConversationHex): Promise<GroupRequestView[]>
  /** Adds a person who has asked, or lets the request go; they are not told. Rejects with `no-request`, and as `add`. */
  answerRequest(group: ConversationHex, account: AccountHex, isApproved: boolean): Promise<GroupSummary>
  /** Asks the person behind a link to be added; the line is in the conversation with that person. Rejects with `group-link`. */
  join(link: string): Promise<ChatMessage>
  /** Whether messages of the group come without a notification; all own devices follow. */
  mute(group: ConversationHex, isMuted: boolean): Promise<GroupSummary>
  /** Answers a request: who accepts takes part, who ignores is not asked again. */
  answer(group: ConversationHex, answer: 'accepted' | 'ignored'): Promise<GroupSummary>
}

/** The calls of {@link GroupsApi}. */
export const GROUPS_CALLS: CallTable<GroupsApi> = {
  list: 'repeat',
  members: 'repeat',
  create: 'give-up',
  add: 'give-up',
  remove: 'give-up',
  setRole: 'give-up',
  rename: 'give-up',
  describe: 'give-up',
  setPicture: 'give-up',
  picture: 'repeat',
  setRights: 'give-up',
  leave: 'give-up',
  link: 'repeat',
  requests: 'repeat',
  answerRequest: 'give-up',
  join: 'give-up',
  mute: 'repeat',
  answer: 'repeat'
}

/** A group as a list shows it. */
export interface GroupSummary {
  id: ConversationHex
  name: string
  description: string
  /** Names the picture, another one by another name; null for none, and in a request. */
  picture: string | null
  rights: GroupRights
  /** How many people are in it. */
  members: number
  /** What this account is in it; null once it is out. */
  role: 'admin' | 'member' | null
  /** Somebody whom the user does not know added this account, and the user has not answered. */
  isRequest: boolean
  /** Its messages come without a notification. */
  isMuted: boolean
}

/** What a new group is about, beside its name. */
export interface GroupAbout {
  description?: string
  /** As for `setPicture`. */
  picture?: Uint8Array
}

/** How a link works. What is left out stays as it is. */
export interface GroupLinkOptions {
  /** Whether the user answers each person who asks; else they are added at once. */
  needsApproval?: boolean
  /** Makes another link: the one before lets no person in any more. */
  isNew?: boolean
}

/** A link to a group. */
export interface GroupLinkView {
  url: string
  needsApproval: boolean
}

/** A person who has asked to be added. */
export interface GroupRequestView {
  person: Person
  /** When this account heard of it, milliseconds. */
  at: number
}

/** Who may do what in a group, beside its admins. */
export interface GroupRights {
  add: 'admins' | 'members'
  /** Name, description and picture. */
  edit: 'admins' | 'members'
}

/** A person in a group. */
export interface GroupMemberView {
  person: Person
  role: 'admin' | 'member'
  /** When, by the clock of who added the person: milliseconds. */
  since: number
  addedBy: Person
}

/** A change that was made. */
export interface GroupChanged {
  group: GroupSummary
  /** Its line in the conversation: *sent* once the network keeps the change. */
  line: ChatMessage
}

import type { CallTable } from './call-table.ts'
import type { AccountHex, MessageHex } from './ids.ts'
import type { RecordDetails } from './record-state.ts'

/** `peer.people`: finding other people, and knowing that they are who they say. */
export interface PeopleApi {
  /**
   * Finds a person by exact username (with or without @), account id, or a name elsewhere such as `x:ada`, if the person wants that.
   * @returns null if the network knows no such person. Rejects with `offline`, `bad-answer`, `refused`.
   */
  find(query: string): Promise<Person | null>
  /** Asks the directory about a person again. Rejects with `no-account`, `offline`, `bad-answer`, `refused`. */
  refresh(accountId: AccountHex): Promise<Person>
  /** The numbers to compare with a person. Rejects with `nobody-to-compare` for the own account, `no-account`, `offline`. */
  safetyNumber(accountId: AccountHex): Promise<SafetyNumber>
  /**
   * Marks a person as compared. Rejects with `safety-number-changed` if the number has changed since it was read.
   * @param conversation - the 60 digits that were compared.
   */
  verify(accountId: AccountHex, conversation: string): Promise<Person>
  /** What the members of a conversation compare. Rejects with `no-conversation`, `nobody-to-compare` in notes, `no-account`, `offline`. */
  safety(conversationId: string): Promise<ConversationSafety>
  /**
   * Compares a code that another person or an own device shows, as it was read from its QR code. If both see the same, and the code
   * is another person's, that person is marked as compared. Rejects as {@link safety}.
   */
  checkCode(conversationId: string, code: string): Promise<CheckedCode>
  /** Takes {@link verify} back. */
  unverify(accountId: AccountHex): Promise<Person>
  /** Accepts the change behind an alert: sending goes on. A person whose keys changed does not count as verified any more. */
  acceptAlert(accountId: AccountHex): Promise<Person>
  /** The people whom the user has added as contacts, by name. */
  contacts(): Promise<Person[]>
  /**
   * Sets marks of a person; those that are left out stay. Blocking gives our mailboxes a new delivery token, so that what this
   * person sends counts as a stranger's there. Rejects with `nickname-too-long`, `own-account`.
   */
  mark(accountId: AccountHex, marks: Partial<PersonMarks>): Promise<Person>
  /**
   * The picture of a person, or of the user; null for none. It is fetched from nodes if it is not on this device. Rejects with `offline`,
   * `file-gone`, `file-damaged`.
   */
  picture(accountId: AccountHex): Promise<PersonPicture | null>
  /**
   * Whether a person looks at Volo now, and when they did last, as far as they tell; asks their devices, unless they were asked less
   * than two minutes ago. Answers and changes come as events `presence`, for five minutes after the last question. Of people whom the
   * user has not accepted, and while the user tells nothing themselves, nothing is asked or known.
   */
  presence(accountId: AccountHex): Promise<PersonPresence>
  /** The user looks at a screen, which says so every minute, or does not any more. Only people who ask are told. */
  setHere(isHere: boolean): Promise<void>
  /**
   * Tells the operator of the node in use about a person, in the user's words and with the messages that the user chose: that operator can
   * read them. The person is not told. Rejects with `own-account`, `message-too-long`, `too-many-messages`, `no-message`, `offline`, `refused`.
   * @returns the origin of the node.
   */
  report(accountId: AccountHex, report: PersonReport): Promise<{ origin: string }>
}

/** The calls of {@link PeopleApi}. */
export const PEOPLE_CALLS: CallTable<PeopleApi> = {
  find: 'repeat',
  refresh: 'repeat',
  safetyNumber: 'repeat',
  safety: 'repeat',
  checkCode: 'repeat',
  verify: 'repeat',
  unverify: 'repeat',
  acceptAlert: 'repeat',
  contacts: 'repeat',
  mark: 'repeat',
  picture: 'repeat',
  presence: 'repeat',
  setHere: 'repeat',
  report: 'give-up'
}

/** Where a person is, as their devices tell. */
export interface PersonPresence {
  /** `here`: looks at Volo on some device. `away`: does not, or has told nothing for minutes. `unknown`: never told this account. */
  state: 'here' | 'away' | 'unknown'
  /** The last minute in which they were here, as this device knows; null if they never told. */
  seenAt: number | null
  /** When `here` means nothing any more without another word, by this device's clock. */
  until: number | null
  /** Devices of the person were asked a moment ago: an answer may come. */
  isAsked: boolean
}

/** News about where a person is. */
export type PresenceNotice = Omit<PersonPresence, 'isAsked'> & { accountId: AccountHex }

/** What the user tells an operator about a person. */
export interface PersonReport {
  /** At most 2,000 UTF-16 code units. */
  text: string
  /** Ids of at most 20 messages. */
  messages: MessageHex[]
}

/** A picture that a browser draws: no script in it, nothing beside the pixels, at most 4,096 a side. */
export interface PersonPicture {
  type: 'image/jpeg' | 'image/png' | 'image/webp'
  content: Uint8Array
}

/**
 * A change of a person that the user must see. `key`: entries that were in blocks are gone, with the devices they named.
 * `lost-name`: the username leads to another account now. `new-holder`: the username led to another account before.
 * `recovered`: all devices were replaced with the recovery code. `withheld`: the only source that answers leaves entries out.
 */
export interface RecordAlert {
  kind: 'key' | 'lost-name' | 'new-holder' | 'recovered' | 'withheld'
  at: number
  /** The username in question, without the @; null if it is not about a name. */
  username: string | null
}

/** What the user has noted about a person. Nobody else learns it. */
export interface PersonMarks {
  /** Added as a contact. */
  contact: boolean
  /** How the user calls the person; null for the person's own name. At most 64 UTF-16 code units. */
  nickname: string | null
  /** No notification of messages. */
  muted: boolean
  /** What the person sends is dropped unseen, and the person learns nothing of this device. */
  blocked: boolean
  /** The conversation stays at the top of the list. */
  pinned: boolean
  /** The conversation is put away. */
  archived: boolean
  /** How the user answered the person's first message; null while it was not, or none came. Who writes to a person accepts. */
  answer: 'accepted' | 'ignored' | null
}

/** The numbers that two people compare to know that nobody reads or changes their messages on the way. */
export interface SafetyNumber {
  /** 60 digits, the same on both sides. */
  conversation: string
  /** 30 digits that stay the same whatever devices come and go. */
  theirs: string
  mine: string
}

/** One person of a conversation that is compared. */
export interface PersonSafety {
  person: Person
  /** 30 digits that stay the same whatever devices come and go. */
  number: string
  /** Ids of the live devices, lower-case hex. */
  devices: string[]
}

/** What the members of a conversation compare, in the form in which all of them see it. */
export interface ConversationSafety {
  /** 60 digits over all devices of all people. */
  number: string
  /** The user first. */
  people: PersonSafety[]
  /** Text of the QR code that the other person scans; null where there are too many devices for one. */
  code: string | null
}

/** What came of comparing a code. */
export interface CheckedCode {
  /** `no-code`: another text. `elsewhere`: the code of another conversation or network. */
  result: 'same' | 'differs' | 'elsewhere' | 'no-code'
  /** Who shows the code; null if it is nobody of this conversation. */
  by: Person | null
  /** Devices that only one side sees. `person` is null for somebody whom only the other side counts in. */
  differences: { person: Person | null; device: string | null; seenBy: 'here' | 'there' }[]
}

/** Another account, or the own one. */
export interface Person {
  accountId: AccountHex
  /** Without the @; null if it is not known to us. */
  username: string | null
  displayName: string | null
  /** What the person says about themselves; empty if nothing. */
  about: string
  /** Names the person's picture, see `people.picture`: another picture has another name. Null for none. */
  picture: string | null
  record: RecordDetails
  /** Whether two operators agree on the name; false shows as *unconfirmed*. */
  nameConfirmed: boolean
  isMe: boolean
  /** When the safety number was compared; null if it was not, or no longer holds. */
  verifiedAt: number | null
  /** What changed and has not been answered yet. For a verified person sending is paused until it is. */
  alert: RecordAlert | null
  marks: PersonMarks
}

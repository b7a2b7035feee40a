/**
 * What a screen or a command line sees of the peer. Plain data only, so that every value passes through a worker's
 * message port: ids are lower-case hex, times are milliseconds since 1970.
 */

import type { HoldReason, MessageProblem, StatusProblem } from './problems.ts'

/** Lower-case hex of an account id, 64 characters. */
export type AccountHex = string
/** Lower-case hex of a conversation id. */
export type ConversationHex = string
/** Names a message, the same on every device that shows it: 64 characters of lower-case hex. */
export type MessageHex = string

/** How far the public record confirms something. `mismatch` and `removed` hold sending. */
export type RecordState = 'pending' | 'recorded' | 'settled' | 'final' | 'not-found' | 'mismatch' | 'removed'

/** Facts behind a {@link RecordState}, for the "Technical details". */
export interface RecordDetails {
  state: RecordState
  /** Blocks above the record's own, 0 while pending. */
  confirmations: number
  /** Lower-case hex of the transaction, once it is in a block. */
  transactionId: string | null
  blockHeight: number | null
  /** Time of the block. */
  recordedAt: number | null
  /** Which network, for people: "local devnet (emulated ledger rules)", "preprod", "mainnet". */
  network: string
  /** `L0` a node's word, `L1` bytes re-hashed here, `L2` two operators agree. */
  trust: 'L0' | 'L1' | 'L2'
  checkedAt: number
  /** When it was seen to be undone, and is being recorded again; null if it never was, or stands in a block once more. */
  undoneAt: number | null
}

/**
 * Something about a person that must not change unheard. `key`: entries that stood in blocks are gone, with the devices
 * they named. `lost-name`: the username leads to somebody else now. `new-holder`: the username led to somebody else before.
 * `recovered`: all devices were replaced with the recovery code. `withheld`: the only source that answers leaves entries out.
 */
export interface RecordAlert {
  kind: 'key' | 'lost-name' | 'new-holder' | 'recovered' | 'withheld'
  at: number
  /** The username in question, without the @; null if it is not about a name. */
  username: string | null
}

/** Where one entry stands. */
export interface RecordPlace {
  state: 'pending' | 'recorded' | 'settled' | 'final'
  confirmations: number
  /** Time of the block; null while pending. */
  at: number | null
  transactionId: string | null
  blockHeight: number | null
}

/** One device of an account, as the public record has it. */
export interface DeviceRecord {
  /** Lower-case hex, 32 characters. */
  deviceId: string
  /** As its owner calls it; null where that is not known here. */
  name: string | null
  /** Whether it is the device that answers. */
  isThis: boolean
  /** Lower-case hex of the Ed25519 key. */
  signingKey: string
  /** Lower-case hex of the hash of the registered messaging key. */
  messagingKeyHash: string
  added: RecordPlace
  /** Null while it may send and receive. A removal counts from when it is first seen, in a block or not. */
  removed: RecordPlace | null
}

/** Everything that the public record holds of one account, as checked on this device. */
export interface PublicRecord {
  person: Person
  /** Oldest first, removed ones included. */
  devices: DeviceRecord[]
  /** Every entry, oldest first. */
  entries: ({ kind: string; recordId: string } & RecordPlace)[]
  /** Operators whose answers agree: 2 at trust level L2. */
  operators: number
  /** Height of the newest block that was looked at. */
  tipHeight: number
  /** Origins of nodes of different operators, at most two, to check at independently. */
  sources: string[]
}

/** The numbers that two people compare to know that nobody stands between them. */
export interface SafetyNumber {
  /** 60 digits, the same on both sides. */
  conversation: string
  /** 30 digits that stay the same whatever devices come and go. */
  theirs: string
  mine: string
}

/** Another account, or oneself. */
export interface Person {
  accountId: AccountHex
  /** Without the @; null if it is not known to us. */
  username: string | null
  displayName: string | null
  record: RecordDetails
  /** Whether two operators agree on the name; false shows as *unconfirmed*. */
  nameConfirmed: boolean
  isMe: boolean
  /** When the safety number was compared; null if it was not, or no longer holds. */
  verifiedAt: number | null
  /** What changed and has not been answered yet. For a verified person sending is paused until it is. */
  alert: RecordAlert | null
}

/** This device's own account. */
export interface Me extends Person {
  deviceId: string
  deviceName: string
  /** `removing` from when the removal is known, `removed` once it stands in a block; in both nothing can be sent or received. */
  deviceState: 'live' | 'removing' | 'removed'
  /** `reserving` until the name is seen on the public record, `reserved` until it can no longer be contested. */
  nameState: 'none' | 'reserving' | 'reserved' | 'recorded' | 'taken'
}

/**
 * Ticks of an own message: `waiting` kept here, `sent` kept by the network (signed receipts), `delivered` on a device of
 * every other member, `read`, `failed` needs a decision of the user.
 */
export type DeliveryState = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed'

export interface ChatMessage {
  id: MessageHex
  conversationId: ConversationHex
  /** Account that wrote it. */
  from: AccountHex
  fromName: string
  mine: boolean
  /** `text`, a grey `system` line, a visible `gap` that may still fill, or `unsupported` (made by a newer version). */
  kind: 'text' | 'system' | 'gap' | 'unsupported'
  text: string
  sentAt: number
  receivedAt: number
  /** Only for own messages. */
  state: DeliveryState | null
  /** Why it failed or waits; null if all is well. */
  problem: MessageProblem | null
}

export interface ConversationSummary {
  id: ConversationHex
  kind: 'direct' | 'notes-to-self'
  /** The other person; oneself for notes. */
  person: Person
  title: string
  lastMessage: ChatMessage | null
  unread: number
  draft: string
  updatedAt: number
  /** Why sending is held; null if it is not. The facts are those of `person` and its alert. */
  held: HoldReason | null
}

/** Signed proof that the network keeps a message, for those who ask for it (`--json`). */
export interface SentReceipt {
  node: string
  operator: string
  epoch: number
  shard: number
  time: number
  mailbox: string
  deliveryId: string
  root: string
  index: number
  count: number
  path: string[]
  signature: string
}

export type ConnectionState = 'offline' | 'connecting' | 'online'

export interface PeerStatus {
  connection: ConnectionState
  /** Origin of the node in use, null while not connected. */
  node: string | null
  /** How many listed nodes the network has. */
  listedNodes: number
  /** How many operators run them; 0 while the network is not known. With one, no second opinion can be asked. */
  operators: number
  epoch: number | null
  /** Own messages not yet kept by the network. */
  waiting: number
  /** Whether what was waiting for this device has arrived. */
  caughtUp: boolean
  network: { id: string; label: string; emulated: boolean } | null
  /** What needs attention; null if all is well. */
  problem: StatusProblem | null
}

/** Whether a username can be chosen. `unknown` when nobody could be asked. */
export type NameAvailability = 'available' | 'taken' | 'invalid' | 'unknown'

export interface SignInProvider {
  id: string
  name: string
  /** Not a real provider: anybody can sign in as anybody. */
  demo: boolean
}

/** Where a registration stands; `ready` is usable, long before the chain has settled. */
export type Stage = 'welcome' | 'choose-name' | 'ready'

/** Everything that a screen needs before it asks for more. */
export interface PeerSnapshot {
  stage: Stage
  /** What the sign-in suggests for a username, as the provider spells it; null if it does not say, or in another stage. */
  suggestedName: string | null
  me: Me | null
  status: PeerStatus
  conversations: ConversationSummary[]
}

export interface PeerEvents {
  /** Any part of the snapshot changed. */
  snapshot: PeerSnapshot
  /** A message appeared or changed. */
  message: ChatMessage
  /** Another process answers from now on: what happened in between was told to nobody, so lists are read again. */
  resumed: null
}

/** The peer, as its worker offers it to every tab, and as the command line uses it. All calls may reject with a {@link PeerError}. */
export interface PeerApi {
  snapshot(): Promise<PeerSnapshot>
  /** @returns a function that stops the listening. */
  on<K extends keyof PeerEvents>(event: K, listener: (value: PeerEvents[K]) => void): () => void

  /** What one can sign in with at the node in use. */
  providers(): Promise<SignInProvider[]>
  /** Makes this device's keys if needed. @returns the address to send the browser to. @param returnTo - see docs/http-api. */
  startSignIn(provider: string, returnTo: string): Promise<string>
  /**
   * Hands in the one-time code that came back in the address fragment; stage becomes `choose-name` once the node has taken
   * it. Rejects with `sign-in-failed` for a code of another device, `sign-in-elsewhere` if none began here, or `offline`;
   * then everything stays as it was.
   */
  finishSignIn(code: string): Promise<void>
  /** Back to stage `welcome`, to sign in another way. The device's keys stay. */
  forgetSignIn(): Promise<void>
  checkName(username: string): Promise<NameAvailability>
  /** Registers account and device; resolves once the account is usable. The name follows through `me.nameState`. */
  register(choice: { username: string; displayName: string; deviceName: string }): Promise<Me>

  /**
   * Claims another name once the chosen one turned out `taken` (or none was chosen); it follows through `me.nameState`.
   * Rejects with `name-chosen` while the account has a name or may still get it, `invalid-name`, `name-taken`.
   */
  claimName(username: string): Promise<Me>

  /** Finds by exact username (with or without @) or account id. @returns null if nobody has it. */
  findPerson(query: string): Promise<Person | null>
  /** The direct conversation with a person, made if needed; with oneself, the notes. */
  openConversation(accountId: AccountHex): Promise<ConversationSummary>
  /** Messages in display order, newest last. @param before - only those older than this message. */
  messages(conversationId: ConversationHex, options?: { before?: MessageHex; limit?: number }): Promise<ChatMessage[]>
  /** Takes a message at once (it is on disk when this resolves) and sends it when it can. */
  sendText(conversationId: ConversationHex, text: string): Promise<ChatMessage>
  /** Tries a failed message again. */
  retry(messageId: MessageHex): Promise<void>
  /** Counts messages as read. @param upTo - the newest that was on a screen: later ones stay unread. All without it. */
  markRead(conversationId: ConversationHex, upTo?: MessageHex): Promise<void>
  saveDraft(conversationId: ConversationHex, text: string): Promise<void>
  /** The signed receipts behind a *sent* message. */
  receipts(messageId: MessageHex): Promise<SentReceipt[]>
  /** Asks the directory anew about a person. */
  refreshPerson(accountId: AccountHex): Promise<Person>
  /** The whole record of an account, as last checked; asked for if nothing is known yet. */
  publicRecord(accountId: AccountHex): Promise<PublicRecord>
  /** Lets a change stand that an alert told of: sending goes on, but somebody whose keys changed is not verified any more. */
  acceptAlert(accountId: AccountHex): Promise<Person>

  /** The numbers to compare with a person. */
  safetyNumber(accountId: AccountHex): Promise<SafetyNumber>
  /** The person was compared with and is who they say. @param conversation - the 60 digits that were compared. */
  markVerified(accountId: AccountHex, conversation: string): Promise<Person>
  /** Takes {@link PeerApi.markVerified} back. */
  clearVerified(accountId: AccountHex): Promise<Person>

  /** The devices of the own account, oldest first. */
  devices(): Promise<DeviceRecord[]>
  /**
   * Ends a device of the own account, this one or another, for good. Resolves once the network has taken the removal, which
   * counts from then on; its way into a block shows in {@link PeerApi.devices}. Doing it twice does no harm.
   */
  revokeDevice(deviceId: string): Promise<DeviceRecord>
  /** Network changes, wake-ups: try to connect now instead of at the next backoff step. */
  reconnect(): Promise<void>
}

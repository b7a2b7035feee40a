/** Accounts and messages in the form that screens and command line see. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type {
  ChatMessage,
  ConversationSummary,
  Me,
  Person,
  Privacy,
  ProfileVisibility,
  RecordDetails,
  SentReceipt
} from '../peer-api.ts'
import type { DeliveryReceipt } from '../../protocol/wire/custody.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { SendHolds } from '../directory/send-holds.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import { recordDetails } from '../directory/record-details.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { PersonTrust } from '../directory/person-trust.ts'
import { fileView } from '../files/file-message.ts'
import { NO_AMENDMENTS } from '../../protocol/conversation/amendments.ts'
import { pollOf, reactionsOf } from '../history/amendment-views.ts'
import { shownIdOf } from '../history/shown-id.ts'
import type { ConversationKind, ConversationRoster } from '../groups/conversation-roster.ts'
import type { Conversation, MessageRow } from '../store/conversation-entries.ts'
import type { GroupLinePerson, SystemLine } from '../system-line.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { GroupBook } from '../groups/group-book.ts'
import { groupSummary, type GroupItems } from '../groups/group-views.ts'
import { NO_MARKS, type PersonMarksBook } from './person-marks.ts'
import type { PersonProfile } from './person-profiles.ts'

/** What people say about themselves. */
export interface ProfilesInView {
  of(accountId: AccountId): PersonProfile
  /** What a person who has told the user nothing shows to everybody who knows the username. */
  instead(accountId: AccountId): (PersonProfile & { displayName: string }) | undefined
  /** The word that strangers must know; see `first-words.ts`. */
  readonly firstWord: string | null
  isLackingWord(accountId: AccountId): boolean
  own(): PersonProfile & { privacy: Privacy; visibility: ProfileVisibility }
}

export class PersonViews {
  readonly #context: EngineContext
  readonly #directory: DirectoryClient
  readonly #own: () => OwnAccount
  readonly #trust: PersonTrust
  readonly #holds: SendHolds
  readonly #roster: ConversationRoster
  readonly #groups: GroupBook
  readonly #groupItems: GroupItems
  readonly #marks: PersonMarksBook
  readonly #profiles: ProfilesInView

  constructor(
    context: EngineContext,
    directory: DirectoryClient,
    own: () => OwnAccount,
    trust: PersonTrust,
    holds: SendHolds,
    roster: ConversationRoster,
    groups: GroupBook,
    groupItems: GroupItems,
    marks: PersonMarksBook,
    profiles: ProfilesInView
  ) {
    this.#context = context
    this.#directory = directory
    this.#own = own
    this.#trust = trust
    this.#holds = holds
    this.#roster = roster
    this.#groups = groups
    this.#groupItems = groupItems
    this.#marks = marks
    this.#profiles = profiles
  }

  /** An account as far as it is known in memory. */
  person(accountId: AccountId): Person {
    const own = this.#own()
    if (equalBytes(accountId, own.accountId)) return this.me()
    const known = this.#directory.peek(toHex(accountId))
    const alert = this.#trust.alertOf(accountId)
    const shown = this.#profiles.instead(accountId)
    return {
      accountId: toHex(accountId),
      username: known?.username ?? null,
      displayName: shown?.displayName || (known?.displayName ?? null),
      ...shownProfile(shown ?? this.#profiles.of(accountId)),
      record: this.#record(known),
      nameConfirmed: known?.nameConfirmed ?? false,
      isMe: false,
      // Nobody has compared the devices that came with a recovery.
      verifiedAt: alert?.kind === 'recovered' ? null : this.#trust.of(accountId).verifiedAt,
      alert,
      marks: this.#marks.of(accountId)
    }
  }

  me(): Me {
    const { accountId, displayName, deviceName, name } = this.#own()
    const known = this.#directory.peek(toHex(accountId))
    return {
      accountId: toHex(accountId),
      username: name?.username ?? null,
      displayName,
      ...shownProfile(this.#profiles.own()),
      record: this.#record(known),
      // The owner of a name knows it; whether it holds is in `nameState`.
      nameConfirmed: true,
      isMe: true,
      verifiedAt: null,
      alert: this.#trust.alertOf(accountId),
      marks: NO_MARKS,
      deviceState: this.#holds.deviceState,
      deviceId: toHex(this.#context.device().deviceId),
      deviceName,
      nameState: name?.state ?? 'none',
      privacy: this.#profiles.own().privacy,
      visibility: this.#profiles.own().visibility,
      firstWord: this.#profiles.firstWord
    }
  }

  #record(known: KnownAccount | undefined): RecordDetails {
    const info = this.#context.network()
    if (known) {
      const standing = this.#directory.standingOf(known)
      const { undoneAt } = this.#trust.of(known.accountId)
      return recordDetails(known, { info, standing, now: this.#context.timers.now(), undoneAt })
    }
    return {
      state: 'pending',
      confirmations: 0,
      transactionId: null,
      blockHeight: null,
      recordedAt: null,
      network: info.label,
      trust: 'L0',
      checkedAt: 0,
      agreement: { state: 'waiting', at: null },
      undoneAt: null
    }
  }

  message(row: MessageRow): ChatMessage {
    const person = this.person(row.from)
    return {
      id: shownIdOf(this.#context, row),
      conversationId: toHex(row.conversationId),
      from: person.accountId,
      fromName: nameFor(person),
      mine: row.mine,
      kind: row.kind,
      text: row.text,
      line: this.#line(row.line),
      file: row.file && fileView(row.file),
      sentAt: row.sentAt,
      receivedAt: row.receivedAt,
      state: row.state,
      problem: row.problem,
      ...this.#said(row)
    }
  }

  /** What was said about a message. */
  #said(row: MessageRow) {
    const { edit, pin, star } = row.amendments ?? NO_AMENDMENTS
    const me = this.#own().accountId
    return {
      replyTo: row.replyTo && toHex(row.replyTo),
      editedAt: edit?.at ?? null,
      isForwarded: row.isForwarded,
      reactions: reactionsOf(row, me),
      poll: pollOf(row, me),
      isPinned: pin?.isPinned ?? false,
      isStarred: star?.isStarred ?? false,
      expiresAfter: row.expiresAfter,
      expiresAt: row.expiresAt
    }
  }

  /** The people in a line have their names looked up each time: they may be told later. */
  #line(line: SystemLine | null): SystemLine | null {
    const named = ({ accountId }: GroupLinePerson): GroupLinePerson => {
      const person = this.person(accountIdFromHex(accountId))
      return { accountId, name: nameFor(person), isMe: person.isMe }
    }
    if (line?.kind === 'group') return { ...line, by: named(line.by), who: line.who.map(named) }
    if (line?.kind === 'differs') return { ...line, by: named(line.by), of: line.of.map(named) }
    return line
  }

  conversation(conversation: Conversation, lastMessage: MessageRow | undefined): ConversationSummary {
    const { kind } = conversation
    const id = toHex(conversation.conversationId)
    const partners = this.#roster.partnersOf(conversation)
    const person = this.person(partners[0]!)
    const group = kind === 'group' ? groupSummary(this.#context, this.#groups, this.#groupItems, id) : null
    return {
      id,
      kind: SHOWN_KIND[kind],
      person,
      group,
      title: kind === 'notes' ? 'Notes to self' : (group?.name ?? nameFor(person)),
      lastMessage: lastMessage ? this.message(lastMessage) : null,
      unread: conversation.unread,
      unreadMentions: conversation.unreadMentions,
      draft: conversation.draft,
      timer: conversation.timer?.seconds ?? null,
      updatedAt: conversation.updatedAt,
      ...this.#hold(partners),
      lacksWord: kind !== 'notes' && partners.every(accountId => this.#profiles.isLackingWord(accountId))
    }
  }

  /** Why nothing may be sent to one of these people, and to whom; nulls if all is well. */
  #hold(accounts: AccountId[]): Pick<ConversationSummary, 'held' | 'heldBy'> {
    for (const accountId of accounts) {
      const known = this.#directory.peek(toHex(accountId))
      const held = known && this.#holds.reason(known)
      if (held) return { held, heldBy: this.person(accountId) }
    }
    return { held: null, heldBy: null }
  }
}

const SHOWN_KIND: Record<ConversationKind, ConversationSummary['kind']> = {
  notes: 'notes-to-self',
  direct: 'direct',
  group: 'group'
}

/** How a person is called: nickname, else display name, else username, else the beginning of the account id. */
function nameFor({ displayName, username, accountId, marks }: Person): string {
  return marks.nickname ?? displayName ?? username ?? `${accountId.slice(0, 8)}…`
}

/** A receipt as `--json` prints it. */
export function sentReceipt(
  operator: Uint8Array,
  mailbox: Uint8Array,
  deliveryId: Uint8Array,
  { receipt, index, path }: DeliveryReceipt
): SentReceipt {
  return {
    node: toHex(receipt.node),
    operator: toHex(operator),
    epoch: receipt.epoch,
    shard: receipt.shard,
    time: receipt.time,
    mailbox: toHex(mailbox),
    deliveryId: toHex(deliveryId),
    root: toHex(receipt.root),
    index,
    count: receipt.count,
    path: path.map(toHex),
    signature: toHex(receipt.signature)
  }
}

const shownProfile = ({ about, picture }: PersonProfile): Pick<Person, 'about' | 'picture'> => ({
  about,
  picture: picture && toHex(picture.hash)
})

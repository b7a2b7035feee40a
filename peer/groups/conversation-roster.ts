/**
 * Who takes part in a conversation, and which devices receive what is said in it. This is the only file that knows the
 * kinds of conversations: another kind is one more branch in {@link conversationOf}, `partnersOf` and `rosterOf`.
 */
import { compareBytes, equalBytes, toHex } from '../../protocol/bytes.ts'
import { deviceOf } from '../../protocol/directory/account.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import {
  createDirectRoster,
  createRoster,
  directConversationId,
  rosterDevices,
  rosterHash,
  type Roster,
  type RosterDevice
} from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { hasLiveDevice, rosterMemberOf, type KnownAccount } from '../directory/known-account.ts'
import type { Conversation } from '../store/conversation-entries.ts'
import type { GroupBook } from './group-book.ts'

/** `notes`: our account with itself. `direct`: our account and one other. `group`: whom its log names. */
export type ConversationKind = Conversation['kind']

/** The fields of a stored conversation that say who takes part in it. */
export type Participants = Pick<Conversation, 'conversationId' | 'accountId' | 'kind'>

/** A roster, and the hash that a session is bound to. */
export interface SealTo {
  roster: Roster
  rosterHash: Uint8Array
}

/** The conversation of one or two accounts, our own among them, in any order and possibly named twice. */
export function conversationOf(context: EngineContext, accounts: AccountId[]): Participants {
  const me = context.accountId()
  const distinct = [...accounts].sort(compareBytes).filter((id, i, all) => i === 0 || !equalBytes(id, all[i - 1]!))
  const conversationId = directConversationId(context.crypto, context.network().id, distinct)
  const other = distinct.find(accountId => !equalBytes(accountId, me))
  return { conversationId, accountId: other ?? me, kind: other ? 'direct' : 'notes' }
}

export class ConversationRoster {
  readonly #context: EngineContext
  readonly #directory: DirectoryClient
  readonly #groups: GroupBook
  /** Rosters by the last member: a roster stays the same object while nothing new is known of any member. */
  readonly #rosters = new WeakMap<
    KnownAccount,
    { members: KnownAccount[]; log: GroupLog | undefined; sealTo: SealTo }
  >()

  constructor(context: EngineContext, directory: DirectoryClient, groups: GroupBook) {
    this.#context = context
    this.#directory = directory
    this.#groups = groups
  }

  /**
   * The accounts that a screen shows the conversation with: the others, or our own in notes. Never empty. Of a group all other
   * members; before its log is read, and where no others are left, who made us a member.
   */
  partnersOf({ accountId, kind, conversationId }: Participants): AccountId[] {
    if (kind !== 'group') return [accountId]
    const me = this.#context.accountId()
    const members = [...(this.#groups.stateOf(toHex(conversationId))?.members.values() ?? [])]
    const others = members.map(member => member.accountId).filter(member => !equalBytes(member, me))
    return others.length > 0 ? others : [accountId]
  }

  /** All accounts in the conversation: ours first, then the others. */
  membersOf(conversation: Participants): AccountId[] {
    return [this.#context.accountId(), ...this.othersOf(conversation)]
  }

  /** The accounts in the conversation without ours; empty in notes. */
  othersOf(conversation: Participants): AccountId[] {
    const me = this.#context.accountId()
    const group = conversation.kind === 'group' && this.#groups.stateOf(toHex(conversation.conversationId))
    if (group && group.members.size <= 1 && group.members.has(toHex(me))) return []
    return this.partnersOf(conversation).filter(accountId => !equalBytes(accountId, me))
  }

  /** Devices that receive what is said, as last known, without this one; undefined if a member was never looked up. */
  async recipientsOf(conversation: Participants): Promise<DeviceId[] | undefined> {
    const members = await this.#load(conversation)
    if (!members.every(member => member !== undefined)) return undefined
    return this.#withoutThisDevice(members.flatMap(member => rosterMemberOf(member).devices))
  }

  /** The devices of a roster without this one, in its order. */
  recipientsIn(roster: Roster): DeviceId[] {
    return this.#withoutThisDevice(rosterDevices(roster).map(({ device }) => device))
  }

  #withoutThisDevice(devices: RosterDevice[]): DeviceId[] {
    const { deviceId: own } = this.#context.device()
    return devices.map(({ deviceId }) => deviceId).filter(deviceId => !equalBytes(deviceId, own))
  }

  /** The roster that a session of this conversation is opened with, from its members as they are known. */
  rosterOf({ conversationId }: Participants, members: KnownAccount[]): SealTo {
    const last = members.at(-1)!
    const log = this.#groups.get(toHex(conversationId))?.log
    const before = this.#rosters.get(last)
    const isSame = before?.members.length === members.length && before.members.every((known, i) => known === members[i])
    if (isSame && before.log === log && equalBytes(before.sealTo.roster.conversationId, conversationId)) {
      return before.sealTo
    }
    const { crypto } = this.#context
    const { id } = this.#context.network()
    const listed = members.map(rosterMemberOf)
    const roster = log
      ? createRoster(conversationId, log.epochAt(log.heads), listed, log.heads)
      : createDirectRoster(crypto, id, listed)
    const sealTo = { roster, rosterHash: rosterHash(crypto, id, roster) }
    this.#rosters.set(last, { members, log, sealTo })
    return sealTo
  }

  /** Whether the user may write here: not in a group that this account has left, is about to leave, or was removed from. */
  mayWrite({ kind, conversationId }: Participants): boolean {
    return kind !== 'group' || this.#groups.isIn(toHex(conversationId))
  }

  /** Whether this account is a member, so that something can be sealed. */
  isMember({ kind, conversationId }: Participants): boolean {
    return kind !== 'group' || this.#groups.isMember(toHex(conversationId), this.#context.accountId())
  }

  /** @returns a check whether a device belongs to a member and is revoked, as last known. */
  async revocationsIn(conversation: Participants): Promise<(deviceId: DeviceId) => boolean> {
    const members = await this.#load(conversation)
    return deviceId => members.some(member => member?.view.revokedAt(deviceId) !== undefined)
  }

  /** @returns when devices of members were removed, as last known: milliseconds, undefined for one that lives. */
  async removalsIn(conversation: Participants): Promise<(deviceId: DeviceId) => number | undefined> {
    const members = await this.#load(conversation)
    return deviceId =>
      members.map(member => member?.view.removedSince(deviceId)).find(removedSince => removedSince !== undefined)
  }

  /** The member that a device belongs to, if it lives, as last known. */
  async liveOwnerOf(conversation: Participants, deviceId: DeviceId): Promise<KnownAccount | undefined> {
    const members = await this.#load(conversation)
    return members.find(member => member !== undefined && hasLiveDevice(member, deviceId))
  }

  /** The member that a device belongs or belonged to, as last known. */
  async loadOwnerOf(conversation: Participants, deviceId: DeviceId): Promise<KnownAccount | undefined> {
    const members = await this.#load(conversation)
    return members.find(member => member !== undefined && deviceOf(member.current, deviceId) !== undefined)
  }

  /** The account that a device belongs to which was in a group, as its log says here, and is out. */
  async loadFormerOwnerOf(conversation: Participants, deviceId: DeviceId): Promise<KnownAccount | undefined> {
    const accounts = this.#groups.everIn(toHex(conversation.conversationId))
    const known = await Promise.all(accounts.map(accountId => this.#directory.load(accountId)))
    return known.find(account => account !== undefined && deviceOf(account.current, deviceId) !== undefined)
  }

  /** The member that a device which wrote here belongs to, as known in memory. */
  ownerOf(conversation: Participants, deviceId: DeviceId): AccountId {
    const owner = this.membersOf(conversation).find(accountId => {
      const known = this.#directory.peek(toHex(accountId))
      return known && deviceOf(known.checked.account, deviceId)
    })
    return owner ?? this.partnersOf(conversation)[0]!
  }

  #load(conversation: Participants): Promise<(KnownAccount | undefined)[]> {
    return Promise.all(this.membersOf(conversation).map(accountId => this.#directory.load(accountId)))
  }
}

/** The calls about groups: makes changes, signs them, and has them sent. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { MessageBody, MessageId } from '../../protocol/conversation/message.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import {
  decodeGroupChange,
  signGroupChange,
  type Change,
  type GroupChange,
  type GroupTarget
} from '../../protocol/groups/group-change.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { MAX_GROUP_MEMBERS } from '../../protocol/limits.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { SendHolds } from '../directory/send-holds.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { HandedPicture } from '../objects/picture-upload.ts'
import type {
  ChatMessage,
  GroupAbout,
  GroupChanged,
  GroupLinkOptions,
  GroupLinkView,
  GroupMemberView,
  GroupRequestView,
  GroupRights,
  GroupsApi,
  GroupSummary,
  PersonPicture
} from '../peer-api.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { GroupBook, KnownGroup } from './group-book.ts'
import { descriptionOf, nameOf, requireOtherAdmin, sentAs } from './group-drafts.ts'
import { parseGroupLink } from './group-link.ts'
import { GroupLinks, type SharedItems } from './group-links.ts'
import { keeperOf, type GroupPictures } from './group-pictures.ts'
import { groupMembers, groupSummary, mutedItem, type ShownPeople } from './group-views.ts'
import { lineIdOf, type GroupWriter } from './group-writer.ts'
import { logPortions } from './log-portions.ts'

/** What carries changes to other devices. */
export interface GroupSending {
  /** Puts a message into the queue of a conversation. */
  enqueue(
    unit: UnitOfWork,
    conversationId: ConversationId,
    body: MessageBody,
    options: { messageId: MessageId; shown: true; sentAt: number }
  ): Promise<void>
  /** Tells all own devices. */
  tellOwn(unit: UnitOfWork, body: MessageBody): Promise<void>
  /** Tells the devices of people who are taken out, as far as there is a way to them without a session. */
  tellRemoved(unit: UnitOfWork, log: GroupLog, change: GroupChange, devices: readonly DeviceId[]): Promise<void>
}

export interface GroupCallsComponents {
  context: EngineContext
  states: StateStore
  book: GroupBook
  writer: GroupWriter
  directory: DirectoryClient
  holds: SendHolds
  sending: GroupSending
  pictures: GroupPictures
  items: SharedItems
  people: ShownPeople & { message(row: MessageRow): ChatMessage }
  /** Shows that this account asked to be added, in the conversation with a person, and asks. */
  ask: (accountId: AccountId, secret: Uint8Array) => Promise<MessageRow>
  /** The name of an own message. */
  shownIdOf: (conversationId: ConversationId, messageId: MessageId) => ShownId
  /** Somebody may be spoken to from now on. */
  onAccepted: () => void
}

export class GroupCalls implements GroupsApi {
  readonly #components: GroupCallsComponents
  /** One change at a time: each names the ones before it. */
  readonly #changes = new SerialQueue()

  readonly #links: GroupLinks

  constructor(components: GroupCallsComponents) {
    this.#components = components
    this.#links = new GroupLinks({
      ...components,
      add: (group, account) => this.add(group, [account]),
      mayAdd: group => this.#mayAdd(this.#require(group))
    })
  }

  async list(): Promise<GroupSummary[]> {
    return this.#components.book.all().map(({ stored }) => this.#summary(toHex(stored.groupId)))
  }

  async members(group: string): Promise<GroupMemberView[]> {
    this.#require(group)
    return groupMembers(this.#components.book, group, this.#components.people)
  }

  async create(name: string, accounts: string[], about: GroupAbout = {}): Promise<GroupChanged> {
    const { context, people, pictures } = this.#components
    const named = { name: nameOf(name), description: descriptionOf(about.description ?? '') }
    const targets = await this.#targets(accounts)
    const handed = about.picture && (await pictures.hand(about.picture))
    const change: Change = {
      kind: 'create',
      nonce: context.random(16),
      ...named,
      picture: handed?.pointer ?? null,
      username: people.person(context.accountId()).username,
      settings: { add: 'admins', edit: 'admins' },
      targets
    }
    return this.#changes.run(() => this.#make(undefined, change, handed))
  }

  async add(group: string, accounts: string[]): Promise<GroupChanged> {
    const targets = await this.#targets(accounts)
    return this.#change(group, ({ log }, isAdmin) => {
      if (!isAdmin && log.state.settings.add === 'admins') throw new PeerError('not-admin')
      const { members } = log.state
      for (const { accountId, username } of targets) {
        if (members.has(toHex(accountId))) throw new PeerError('already-member', { username })
      }
      if (members.size + targets.length > MAX_GROUP_MEMBERS) throw new PeerError('group-full')
      return { kind: 'add', targets }
    })
  }

  remove(group: string, accounts: string[]): Promise<GroupChanged> {
    const removed = accounts.map(accountIdFromHex)
    return this.#change(group, (known, isAdmin) => {
      if (!isAdmin) throw new PeerError('not-admin')
      for (const accountId of removed) this.#requireMember(known, accountId)
      return { kind: 'remove', accounts: removed }
    })
  }

  setRole(group: string, account: string, role: 'admin' | 'member'): Promise<GroupChanged> {
    const accountId = accountIdFromHex(account)
    return this.#change(group, (known, isAdmin) => {
      if (!isAdmin) throw new PeerError('not-admin')
      this.#requireMember(known, accountId)
      if (role === 'member') requireOtherAdmin(known, accountId)
      return { kind: 'role', accountId, role }
    })
  }

  rename(group: string, name: string): Promise<GroupChanged> {
    return this.#edit(group, () => ({ kind: 'rename', name: nameOf(name) }))
  }

  describe(group: string, text: string): Promise<GroupChanged> {
    return this.#edit(group, () => ({ kind: 'describe', description: descriptionOf(text) }))
  }

  async setPicture(group: string, picture: Uint8Array | null): Promise<GroupChanged> {
    const { pictures, context } = this.#components
    // Who may not change it hands nothing to nodes.
    this.#requireMayEdit(this.#requireIn(group))
    const { log } = this.#require(group)
    const before = equalBytes(keeperOf(log), context.accountId()) ? log.state.picture : null
    const handed = picture === null ? undefined : await pictures.hand(picture)
    const change = { kind: 'picture' as const, picture: handed?.pointer ?? null }
    const changed = await this.#edit(group, () => change, handed)
    if (before) await pictures.letGo(before)
    return changed
  }

  picture(group: string): Promise<PersonPicture | null> {
    return this.#components.pictures.of(group)
  }

  setRights(group: string, rights: Partial<GroupRights>): Promise<GroupChanged> {
    return this.#change(group, ({ log }, isAdmin) => {
      if (!isAdmin) throw new PeerError('not-admin')
      const { add, edit } = { ...log.state.settings, ...rights }
      return { kind: 'settings', settings: { add, edit } }
    })
  }

  /** A change of what everybody may be allowed to edit. */
  #edit(group: string, make: () => Change, picture?: HandedPicture): Promise<GroupChanged> {
    return this.#change(
      group,
      known => {
        this.#requireMayEdit(known)
        return make()
      },
      picture
    )
  }

  /** @throws PeerError `not-admin`. */
  #requireMayEdit(known: KnownGroup): void {
    if (!this.#isAdmin(known) && known.log.state.settings.edit === 'admins') throw new PeerError('not-admin')
  }

  /** The others hear of it in the group as it is; this device is out once the network keeps the message. */
  leave(group: string): Promise<GroupChanged> {
    const { states, sending, writer } = this.#components
    return this.#changes.run(async () => {
      const known = this.#requireIn(group)
      if (this.#isAdmin(known)) requireOtherAdmin(known, this.#components.context.accountId())
      const signed = await this.#sign(known.log, { kind: 'leave' })
      const { groupId } = signed
      const rows = await states.unit(async unit => {
        const body = { kind: 'groupLog' as const, groupId, heads: [], changes: [signed.encoded] }
        await sending.enqueue(unit, groupId, body, sentAs(signed))
        writer.setLeave(unit, groupId, signed.encoded)
        return [await writer.showLeave(unit, signed)]
      })
      return this.#changed(group, rows)
    })
  }

  /** Ends the part in groups that were left, once the network keeps the message that says so. Never rejects. */
  async finishLeaving(): Promise<void> {
    for (const { stored } of this.#components.book.all()) {
      if (stored.leave === null) continue
      await this.#finishLeaving(stored.groupId, stored.leave).catch((error: unknown) =>
        this.#components.context.log.warn('a group could not be left yet', { reason: String(error) })
      )
    }
  }

  async #finishLeaving(groupId: ConversationId, leave: Uint8Array): Promise<void> {
    const { context, states, writer } = this.#components
    const change = decodeGroupChange(sessionEnvironment(context), leave)
    await states.unit(async unit => {
      const place = await unit.read(slots.place(this.#components.shownIdOf(groupId, lineIdOf(change))))
      const line = place && (await unit.read(slots.message(toHex(groupId), place.order)))
      if (line?.state === 'waiting') return
      await writer.take(unit, groupId, [change])
      writer.setLeave(unit, groupId, null)
    })
  }

  async link(group: string, options: GroupLinkOptions = {}): Promise<GroupLinkView> {
    this.#requireMayAdd(group)
    return this.#links.link(group, options)
  }

  async requests(group: string): Promise<GroupRequestView[]> {
    this.#require(group)
    return this.#links.requests(group)
  }

  async answerRequest(group: string, account: string, isApproved: boolean): Promise<GroupSummary> {
    this.#requireMayAdd(group)
    await this.#links.answer(group, account, isApproved)
    return this.#summary(group)
  }

  #requireMayAdd(group: string): void {
    if (!this.#mayAdd(this.#requireIn(group))) throw new PeerError('not-admin')
  }

  #mayAdd(known: KnownGroup): boolean {
    return this.#isAdmin(known) || known.log.state.settings.add === 'members'
  }

  /** Tells the own devices which groups there are, with their logs: one was added. What a message has no room for comes with the next Open. */
  async shareWithOwn(): Promise<void> {
    const { states, book, sending } = this.#components
    for (const { stored, log } of book.all()) {
      if (stored.answer !== 'accepted') continue
      for (const changes of logPortions(log.changes())) {
        const body = { kind: 'groupLog' as const, groupId: log.groupId, heads: [], changes }
        await states.unit(unit => sending.tellOwn(unit, body))
      }
    }
  }

  async join(link: string): Promise<ChatMessage> {
    const { accountId, secret } = parseGroupLink(link)
    const account = await this.#components.directory.account(accountId)
    if (!account) throw new PeerError('no-account')
    return this.#components.people.message(await this.#components.ask(accountId, secret))
  }

  onJoin(accountId: AccountId, secret: Uint8Array): Promise<void> {
    return this.#links.onJoin(accountId, secret)
  }

  async answer(group: string, answer: 'accepted' | 'ignored'): Promise<GroupSummary> {
    const { states, writer, onAccepted } = this.#components
    const { groupId } = this.#require(group).stored
    await states.unit(async unit => writer.setAnswer(unit, groupId, answer))
    onAccepted()
    return this.#summary(group)
  }

  async mute(group: string, isMuted: boolean): Promise<GroupSummary> {
    this.#require(group)
    await this.#components.items.set(mutedItem(group), Uint8Array.from(isMuted ? [1] : []))
    return this.#summary(group)
  }

  #change(
    group: string,
    make: (known: KnownGroup, isAdmin: boolean) => Change,
    picture?: HandedPicture
  ): Promise<GroupChanged> {
    return this.#changes.run(async () => {
      const known = this.#requireIn(group)
      const change = make(known, this.#isAdmin(known))
      const accountId = this.#components.context.accountId()
      if (!known.log.hasRoomFor({ change, accountId })) throw new PeerError('group-full')
      return this.#make(known.log, change, picture)
    })
  }

  /** @param picture - the one that the change names. */
  async #make(log: GroupLog | undefined, change: Change, picture?: HandedPicture): Promise<GroupChanged> {
    const { states, writer, sending, pictures } = this.#components
    const signed = await this.#sign(log, change)
    const { groupId } = signed
    if (picture) await pictures.keep(groupId, picture)
    const removed = change.kind === 'remove' ? await this.#devicesOf(change.accounts) : []
    const rows = await states.unit(async unit => {
      if (log && removed.length > 0) await sending.tellRemoved(unit, log, signed, removed)
      const shown = await writer.take(unit, groupId, [signed], { isAccepted: true, isSending: true })
      const body = { kind: 'groupLog' as const, groupId, heads: [signed.id], changes: [] }
      await sending.enqueue(unit, groupId, body, sentAs(signed))
      return shown
    })
    return this.#changed(toHex(groupId), rows)
  }

  #sign(log: GroupLog | undefined, change: Change): Promise<GroupChange> {
    const { context } = this.#components
    const { deviceId, signingKey, publicKeys } = context.device()
    const signer = { accountId: context.accountId(), deviceId, signingKey, publicKeys }
    const after = log ? { groupId: log.groupId, heads: log.heads } : null
    return signGroupChange(sessionEnvironment(context), signer, after, change).catch((error: unknown) => {
      if (error instanceof ProtocolError && error.code === 'TOO_LARGE') throw new PeerError('group-full')
      throw error
    })
  }

  #changed(group: string, rows: MessageRow[]): GroupChanged {
    return { group: this.#summary(group), line: this.#components.people.message(rows[0]!) }
  }

  async #targets(accounts: string[]): Promise<GroupTarget[]> {
    const { directory, holds } = this.#components
    const targets: GroupTarget[] = []
    for (const account of new Set(accounts)) {
      const known = await directory.account(accountIdFromHex(account))
      if (!known) throw new PeerError('no-account')
      const reason = holds.reason(known)
      if (reason && reason !== 'not-agreed') throw new PeerError('held', { reason, username: known.username })
      if (equalBytes(known.accountId, this.#components.context.accountId())) continue
      targets.push({ accountId: known.accountId, role: 'member', username: known.username })
    }
    return targets
  }

  async #devicesOf(accounts: readonly AccountId[]): Promise<DeviceId[]> {
    const known = await Promise.all(accounts.map(accountId => this.#components.directory.load(accountId)))
    return known.flatMap(account => account?.current.devices.map(({ deviceId }) => deviceId) ?? [])
  }

  #require(group: string): KnownGroup {
    const known = this.#components.book.get(group)
    if (!known) throw new PeerError('no-group')
    return known
  }

  #requireIn(group: string): KnownGroup {
    const known = this.#require(group)
    if (!this.#components.book.isIn(group)) throw new PeerError('not-in-group')
    return known
  }

  #requireMember({ log }: KnownGroup, accountId: AccountId): void {
    if (log.state.members.has(toHex(accountId))) return
    throw new PeerError('not-member', { username: this.#components.people.person(accountId).username })
  }

  #isAdmin({ log }: KnownGroup): boolean {
    return log.state.members.get(toHex(this.#components.context.accountId()))?.role === 'admin'
  }

  #summary(group: string): GroupSummary {
    const { context, book, items } = this.#components
    return groupSummary(context, book, items, group)!
  }
}

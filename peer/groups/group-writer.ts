/**
 * Takes changes into the log of a group, as part of a unit of work: they are stored, shown as quiet lines, and what they end is
 * erased. Who calls it has checked the signatures, and that each signer is a device of its account.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { MESSAGE_ID_BYTES, type MessageBody, type MessageId } from '../../protocol/conversation/message.ts'
import type { GroupChange, GroupChangeId } from '../../protocol/groups/group-change.ts'
import { GroupLog } from '../../protocol/groups/group-log.ts'
import type { GroupState } from '../../protocol/groups/group-state.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { labelled } from '../../protocol/labels.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { groupSlots, type StoredGroup } from '../store/group-slots.ts'
import type { PairingBook } from '../store/pairing-book.ts'
import { dropInbound, inboundsOf, peerKeysOf } from '../store/session-states.ts'
import type { NewMessage } from '../store/new-message.ts'
import { EMPTY_CONVERSATION, type Conversation, type MessageRow } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import { namesIn, type GroupBook, type KnownGroup } from './group-book.ts'
import type { SystemLine } from '../system-line.ts'
import { lineOf, linePerson } from './group-lines.ts'
import { addedBy } from './who-added.ts'

/** What shows lines and conversations. */
export interface GroupHistory {
  saveConversation(unit: UnitOfWork, conversation: Conversation): void
  append(unit: UnitOfWork, conversation: Conversation, message: NewMessage): Promise<MessageRow | undefined>
}

export interface GroupWriterComponents {
  context: EngineContext
  book: GroupBook
  directory: DirectoryClient
  history: GroupHistory
  pairings: PairingBook
  /** Says whether a person may learn anything of this device. */
  marks: { isSpokenTo(accountId: AccountId): boolean }
  /** Puts a message into the queue of a group. */
  spread: (unit: UnitOfWork, groupId: ConversationId, body: MessageBody) => Promise<void>
  /** A member is called so by the one who added them. */
  onNamed: (accountId: AccountId, username: string) => void
}

export interface TakeOptions {
  /** The user takes part, whoever added them. */
  isAccepted?: boolean
  /** Their lines come with the history of an own device, in its order. */
  isShownElsewhere?: boolean
  /** The line of this own change follows its way to the network. */
  isSending?: boolean
}

export class GroupWriter {
  readonly #components: GroupWriterComponents

  constructor(components: GroupWriterComponents) {
    this.#components = components
  }

  /**
   * Adds changes, each after those that it names; those that are here already are passed over.
   * @returns the lines that are shown for new ones.
   * @throws ProtocolError as `GroupLog.with`.
   */
  async take(
    unit: UnitOfWork,
    groupId: ConversationId,
    changes: readonly GroupChange[],
    options: TakeOptions = {}
  ): Promise<MessageRow[]> {
    const before = this.#components.book.within(unit, toHex(groupId))
    const fresh = changes.filter(({ id }) => !before?.log.has(id))
    if (fresh.length === 0) {
      if (before && options.isAccepted) this.accept(unit, groupId)
      return []
    }
    const log = joined(before?.log, fresh)
    const after = await this.#store(unit, before, log, fresh, options)
    const conversation = await this.#conversation(unit, after, fresh)
    await this.#endParts(unit, groupId, before?.log.state, log.state)
    this.#name(unit, fresh)
    return options.isShownElsewhere ? [] : this.#show(unit, conversation, before?.log, log, fresh, options)
  }

  /** What this device said while it took a member for removed who was not is sealed again, with a session for all. */
  async #sealAgain(unit: UnitOfWork, { groupId, heads, state }: GroupLog): Promise<void> {
    const outbound = await unit.read(slots.outbound(toHex(groupId)))
    const isIn = state.members.has(toHex(this.#components.context.accountId()))
    if (!isIn || !outbound || outbound.nextSequence === 0) return
    await this.#components.spread(unit, groupId, { kind: 'groupLog', groupId, heads: [...heads], changes: [] })
  }

  /** Notes that the user takes part. */
  accept(unit: UnitOfWork, groupId: ConversationId): void {
    if (this.#components.book.within(unit, toHex(groupId))?.stored.answer === 'accepted') return
    this.setAnswer(unit, groupId, 'accepted')
  }

  /** Notes how the user answers to being added. */
  setAnswer(unit: UnitOfWork, groupId: ConversationId, answer: 'accepted' | 'ignored'): void {
    this.#change(unit, groupId, stored => ({ ...stored, answer }))
  }

  /** Changes what is stored of a group beside its log. */
  #change(unit: UnitOfWork, groupId: ConversationId, change: (stored: StoredGroup) => StoredGroup): void {
    const { book } = this.#components
    const known = book.within(unit, toHex(groupId))
    if (!known) return
    const stored = change(known.stored)
    unit.write(groupSlots.group(toHex(groupId)), stored)
    book.put(unit, { ...known, stored })
  }

  /** Notes the change with which this device leaves; null once the log has it. */
  setLeave(unit: UnitOfWork, groupId: ConversationId, leave: Uint8Array | null): void {
    this.#change(unit, groupId, stored => ({ ...stored, leave }))
  }

  /** Shows the change with which this device leaves, which follows its way to the network. @returns its line. */
  async showLeave(unit: UnitOfWork, change: GroupChange): Promise<MessageRow> {
    const conversation = await unit.read(slots.conversation(toHex(change.groupId)))
    return (await this.#components.history.append(unit, conversation!, this.#row(change, true)))!
  }

  async #store(
    unit: UnitOfWork,
    before: KnownGroup | undefined,
    log: GroupLog,
    fresh: readonly GroupChange[],
    options: TakeOptions
  ): Promise<KnownGroup> {
    const { context, book } = this.#components
    const group = toHex(log.groupId)
    const now = context.timers.now()
    const addedAt = new Map(before?.addedAt)
    let place = before?.log.size ?? 0
    for (const { id, encoded } of fresh) {
      unit.write(groupSlots.change(group, toHex(id)), { groupId: log.groupId, encoded, place: place++, addedAt: now })
      addedAt.set(toHex(id), now)
    }
    const answer = options.isAccepted || this.#isWelcome(log) ? 'accepted' : null
    const stored = before?.stored ?? { groupId: log.groupId, answer, leave: null }
    const kept = options.isAccepted ? { ...stored, answer: 'accepted' as const } : stored
    unit.write(groupSlots.group(group), kept)
    const after = { stored: kept, log, addedAt }
    book.put(unit, after)
    return after
  }

  /** Whether the user made the group, or lets whoever added them write. */
  #isWelcome(log: GroupLog): boolean {
    const { context, marks, directory } = this.#components
    const me = context.accountId()
    const by = addedBy(
      log,
      me,
      (accountId, deviceId) => directory.view(accountId)?.removedSince(deviceId) !== undefined
    )
    return by !== null && (equalBytes(by, me) || marks.isSpokenTo(by))
  }

  async #conversation(unit: UnitOfWork, { log }: KnownGroup, fresh: readonly GroupChange[]): Promise<Conversation> {
    const { context, history } = this.#components
    const existing = await unit.read(slots.conversation(toHex(log.groupId)))
    // Who is new knows neither our names nor our delivery token.
    if (existing && !fresh.some(({ change }) => change.kind === 'add')) return existing
    if (existing) {
      const told = { ...existing, profileGiven: 0 }
      unit.write(slots.conversation(toHex(log.groupId)), told)
      return told
    }
    const me = log.state.members.get(toHex(context.accountId()))
    const conversation: Conversation = {
      conversationId: log.groupId,
      accountId: me?.addedBy ?? log.changes()[0]!.accountId,
      kind: 'group',
      ...EMPTY_CONVERSATION,
      updatedAt: context.timers.now()
    }
    history.saveConversation(unit, conversation)
    return conversation
  }

  /** Erases what is held of the devices of people who are out now. */
  async #endParts(
    unit: UnitOfWork,
    groupId: ConversationId,
    before: GroupState | undefined,
    after: GroupState
  ): Promise<void> {
    const out = [...(before?.members.values() ?? [])].filter(({ accountId }) => !after.members.has(toHex(accountId)))
    if (out.length === 0) return
    const key = toHex(groupId)
    const isOut = (accountId: AccountId): boolean => out.some(member => equalBytes(member.accountId, accountId))
    const devices = (await Promise.all(out.map(({ accountId }) => this.#devicesOf(accountId)))).flat()
    const isGone = (deviceId: DeviceId): boolean => devices.some(device => equalBytes(device, deviceId))
    for (const inbound of await inboundsOf(unit, key)) if (isOut(inbound.senderAccount)) dropInbound(unit, inbound)
    for (const { deviceId } of await peerKeysOf(unit, key)) {
      if (!isGone(deviceId)) continue
      unit.remove(slots.peerKey(key, toHex(deviceId)))
    }
    for (const deviceId of devices) unit.remove(groupSlots.known(key, toHex(deviceId)))
    await this.#components.pairings.erase(unit, key, isGone, this.#components.context.timers.now())
  }

  async #devicesOf(accountId: AccountId): Promise<DeviceId[]> {
    const known = await this.#components.directory.load(accountId)
    return known?.current.devices.map(({ deviceId }) => deviceId) ?? []
  }

  #name(unit: UnitOfWork, fresh: readonly GroupChange[]): void {
    for (const { accountId, username } of fresh.flatMap(namesIn)) {
      unit.after(() => this.#components.onNamed(accountId, username))
    }
  }

  async #show(
    unit: UnitOfWork,
    conversation: Conversation,
    before: GroupLog | undefined,
    log: GroupLog,
    fresh: readonly GroupChange[],
    { isSending = false }: TakeOptions
  ): Promise<MessageRow[]> {
    const { history } = this.#components
    const key = toHex(log.groupId)
    const shown: MessageRow[] = []
    const voided = log.voidChanges()
    const undone = voided.filter(
      ({ id }) => before?.has(id) && !before.voidChanges().some(other => isSame(other.id, id))
    )
    const lines = fresh
      .filter(({ id }) => !voided.some(other => isSame(other.id, id)))
      .map(change => this.#row(change, isSending))
    if (undone.some(({ change }) => change.kind === 'remove')) await this.#sealAgain(unit, log)
    for (const line of [...lines, ...undone.map(change => this.#undoneRow(change))]) {
      const current = (await unit.read(slots.conversation(key))) ?? conversation
      const row = await history.append(unit, current, line)
      if (row) shown.push(row)
    }
    return shown
  }

  #row(change: GroupChange, isSending: boolean): NewMessage {
    const mine = equalBytes(change.accountId, this.#components.context.accountId())
    return {
      messageId: lineIdOf(change),
      from: change.accountId,
      device: change.deviceId,
      mine,
      kind: 'system',
      text: '',
      line: lineOf(change),
      file: null,
      // The clock of who signed it, as far as it can be right.
      sentAt: Math.min(change.at, this.#components.context.timers.now()),
      state: mine ? (isSending ? 'waiting' : 'sent') : null,
      problem: null
    }
  }

  #undoneRow(change: GroupChange): NewMessage {
    const { context } = this.#components
    const name = labelled('group-undone-line', context.network().id, change.id)
    const id = context.crypto.sha256(name).slice(0, MESSAGE_ID_BYTES) as MessageId
    const row = this.#row(change, false)
    const by = linePerson(change.accountId)
    const line: SystemLine = { kind: 'group', what: 'undone', by, who: [], text: '' }
    return { ...row, messageId: id, sentAt: context.timers.now(), line }
  }
}

const isSame = (a: GroupChangeId, b: GroupChangeId): boolean => equalBytes(a, b)

/** The id of the line of a change, the same on every device. */
export const lineIdOf = ({ id }: Pick<GroupChange, 'id'>): MessageId =>
  id.slice(0, MESSAGE_ID_BYTES) as Uint8Array as MessageId

/** The log with more changes. @throws ProtocolError as `GroupLog.with`. */
export function joined(log: GroupLog | undefined, changes: readonly GroupChange[]): GroupLog {
  return changes.reduce<GroupLog | undefined>((known, change) => known?.with(change) ?? GroupLog.of(change), log)!
}

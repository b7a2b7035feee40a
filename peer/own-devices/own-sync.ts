/**
 * Keeps the devices of the account in step: what was read, what others have got and read, and the items that all agree on.
 *
 * It travels as messages of the conversation of the account with itself, whose roster is the own devices and nobody else. So
 * it is sealed, ordered, and asked for again when it gets lost, as everything that people write. From any other conversation
 * it counts for nothing.
 */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { amendmentsOf, NO_AMENDMENTS } from '../../protocol/conversation/amendments.ts'
import type { PacketOrigin } from '../../protocol/conversation/packet-effects.ts'
import type { BodyOf, MessageBody } from '../../protocol/conversation/message.ts'
import { MAX_RECEIPT_TARGETS } from '../../protocol/conversation/message-kinds.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { PersonTrust } from '../directory/person-trust.ts'
import type { EngineContext } from '../engine-context.ts'
import { conversationOf, type ConversationRoster } from '../groups/conversation-roster.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { MessageLog } from '../history/message-log.ts'
import type { Sealer } from '../sending/sealer.ts'
import { ownDeviceSlots, type SyncItem } from '../store/own-device-slots.ts'
import type { ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { OwnMark, OwnMarks } from '../history/own-marks.ts'
import { decodePersonItem } from './person-item.ts'
import { PRIVACY_ITEM, privacyInItem } from './privacy-item.ts'
import { PROFILE_ITEM, profileInItem, type ProfileItem } from './profile-item.ts'
import { deviceNameItem, idIn, moreHistoryItem, timeIn, timeValue, verifiedItem, type SyncItems } from './sync-items.ts'

export interface OwnSyncComponents {
  context: EngineContext
  states: StateStore
  roster: ConversationRoster
  rows: ConversationRows
  history: MessageLog
  items: SyncItems
  sealer: Sealer
  trust: PersonTrust
  /** The device that added this one has more history for it. */
  onMoreHistory: () => void
  /** Another device gave this one a name. */
  onNamed: (name: string) => void
  /** Keeps what the user has noted about people. */
  marks: Pick<PersonMarksBook, 'merge'>
  /** A person whom this device may not know yet. */
  onPerson: (accountId: AccountId, profile: { username: string | null; displayName: string }) => void
  /** Another device changed the profile of the account. */
  onProfile: (profile: ProfileItem) => void
  /** Something that a screen shows has changed. */
  onChange: () => void
}

/** The user removed a message on another own device. */
const HIDDEN = { ...NO_AMENDMENTS, isHidden: true }

export class OwnSync implements OwnMarks {
  readonly #components: OwnSyncComponents

  constructor(components: OwnSyncComponents) {
    this.#components = components
  }

  /** The conversation of the account with itself. */
  get notesId(): ConversationId {
    const { context } = this.#components
    return conversationOf(context, [context.accountId()]).conversationId
  }

  get tellsRead(): boolean {
    return privacyInItem(this.#components.items.get(PRIVACY_ITEM)).tellsRead
  }

  /** Whether something comes from an own device, and nobody else has read it. */
  isOwn({ conversationId, senderAccount }: { conversationId: Uint8Array; senderAccount: AccountId }): boolean {
    const { context } = this.#components
    return equalBytes(senderAccount, context.accountId()) && equalBytes(conversationId, this.notesId)
  }

  /** Changes an item here, and on every other device. On disk once this resolves. */
  async setItem(name: string, value: Uint8Array): Promise<void> {
    const { states, onChange } = this.#components
    await states.unit(unit => this.putItem(unit, name, value))
    onChange()
  }

  /** {@link setItem}, as part of a unit of work. */
  async putItem(unit: UnitOfWork, name: string, value: Uint8Array): Promise<void> {
    const item = await this.#components.items.set(unit, name, value)
    if (await this.hasOthers()) await this.#tell(unit, { kind: 'sync', items: [item] })
  }

  /** A person's safety number was compared here, or its mark was taken away. */
  noteVerified(accountId: AccountId): Promise<void> {
    const { verifiedAt } = this.#components.trust.of(accountId)
    const value = verifiedAt === null ? new Uint8Array(0) : timeValue(verifiedAt)
    return this.setItem(verifiedItem(toHex(accountId)), value)
  }

  /** As part of the unit of work that marks the messages here. */
  async tellMarks(unit: UnitOfWork, conversationId: string, mark: OwnMark, messages: ShownId[]): Promise<void> {
    if (messages.length === 0 || !(await this.hasOthers())) return
    for (let i = 0; i < messages.length; i += MAX_RECEIPT_TARGETS) {
      const some = messages.slice(i, i + MAX_RECEIPT_TARGETS).map(id => fromHex(id, 32))
      await this.#tell(unit, { kind: 'ownMarks', conversationId: fromHex(conversationId, 32), mark, messages: some })
    }
  }

  /** Tells the other own devices of a star. As part of the unit of work that sets it here. */
  async tellStar(unit: UnitOfWork, body: BodyOf<'star'>): Promise<void> {
    if (await this.hasOthers()) await this.#tell(unit, body)
  }

  async #tell(unit: UnitOfWork, body: MessageBody): Promise<void> {
    const { context, rows, sealer } = this.#components
    const { conversationId } = await rows.rowFor(unit, [context.accountId()])
    await sealer.enqueue(unit, conversationId, body)
  }

  /** Whether the account has another live device, as last known. */
  async hasOthers(): Promise<boolean> {
    const { context, roster } = this.#components
    const others = await roster.recipientsOf(conversationOf(context, [context.accountId()]))
    return others !== undefined && others.length > 0
  }

  /** Takes what an own device says; see {@link isOwn}. */
  async receive(
    unit: UnitOfWork,
    { senderAccount: accountId, senderDevice: deviceId }: Pick<PacketOrigin, 'senderAccount' | 'senderDevice'>,
    body: BodyOf<'sync' | 'ownMarks' | 'star'>
  ): Promise<void> {
    if (body.kind === 'sync') return this.takeItems(unit, body.items)
    const { history, context } = this.#components
    const conversationId = toHex(body.conversationId)
    if (body.kind === 'star') {
      const said = amendmentsOf(body, { accountId, deviceId, sentAt: context.timers.now() })
      await history.amend(unit, conversationId, toHex(body.target) as ShownId, said)
      return
    }
    for (const message of body.messages) {
      const id = toHex(message) as ShownId
      if (body.mark === 'seen') await this.markSeen(unit, conversationId, id)
      else if (body.mark === 'hidden') await history.amend(unit, conversationId, id, HIDDEN)
      else await history.advance(unit, id, body.mark)
    }
  }

  /** A message was read on another device. */
  async markSeen(unit: UnitOfWork, conversationId: string, id: ShownId): Promise<void> {
    const { context, history } = this.#components
    const place = await unit.read(slots.place(id))
    // The mark may be quicker than the message: they come from two devices.
    if (!place) return unit.write(ownDeviceSlots.awaitedMark(id), { at: context.timers.now() })
    const marked = await history.markSeen(unit, id)
    const conversation = marked && !marked.mine && (await unit.read(slots.conversation(conversationId)))
    if (!conversation) return
    history.saveConversation(unit, { ...conversation, ...history.unread.without(conversation, [marked]) })
  }

  /** Takes items that another device has set, from itself or out of the history. */
  async takeItems(unit: UnitOfWork, items: readonly SyncItem[]): Promise<void> {
    for (const item of items) {
      if (!(await this.#components.items.take(unit, item))) continue
      await this.#takePerson(unit, item)
      unit.after(() => this.#apply(item))
    }
    unit.tell(() => this.#components.onChange())
  }

  async #takePerson(unit: UnitOfWork, { name, value }: SyncItem): Promise<void> {
    const accountId = idIn(name, 'person')
    const person = accountId && decodePersonItem(value)
    if (!person || !equalBytes(person.marks.accountId, accountId)) return
    await this.#components.marks.merge(unit, person.marks)
    const { username, displayName } = person
    unit.after(() => this.#components.onPerson(person.marks.accountId, { username, displayName: displayName ?? '' }))
  }

  #apply({ name, value }: SyncItem): void {
    const { context, trust, onNamed, onProfile, onMoreHistory } = this.#components
    const own = toHex(context.device().deviceId)
    const accountId = idIn(name, 'verified')
    if (accountId) {
      trust.take(accountId as AccountId, timeIn(value)).catch((error: unknown) => {
        context.log.warn('a mark of another device could not be kept', { reason: String(error) })
      })
    } else if (name === deviceNameItem(own)) onNamed(new TextDecoder().decode(value))
    else if (name === moreHistoryItem(own)) onMoreHistory()
    else if (name === PROFILE_ITEM) {
      const profile = profileInItem(value)
      if (profile) onProfile(profile)
    }
  }
}

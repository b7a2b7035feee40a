/** The other devices of the account: what they are called, what they and this one agree on, and the history of a new one. */
import { deviceNameOf } from '../../protocol/identity/device-name.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { PersonMarksBook } from '../people/person-marks.ts'
import type { PersonTrust } from '../directory/person-trust.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { ConversationRows } from '../history/conversation-rows.ts'
import type { MessageLog } from '../history/message-log.ts'
import type { TextIndex } from '../history/text-index.ts'
import type { LinkingHooks } from '../linking/linking-hooks.ts'
import type { HistoryApi, HistoryStatus, PersonMarks } from '../peer-api.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { Outbox } from '../sending/outbox.ts'
import type { PairSender } from '../sending/pair-sender.ts'
import type { Sealer } from '../sending/sealer.ts'
import type { ChangeAccount, OwnAccount } from '../store/own-account.ts'
import { historyTransferChange } from '../store/own-device-slots.ts'
import type { EntryChange } from '../store/sealed-store.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { DevicePresence } from './device-presence.ts'
import { HistoryMerge } from './history-merge.ts'
import { HistorySource } from './history-source.ts'
import { beginTransfer, HistoryTransfer } from './history-transfer.ts'
import { decodePersonItem, encodePersonItem, personItem } from './person-item.ts'
import type { LateHistory } from './late-history.ts'
import { PRIVACY_ITEM, privacyInItem } from './privacy-item.ts'
import { VISIBILITY_ITEM, visibilityInItem } from './visibility-item.ts'
import {
  ACCOUNTS_ITEM,
  accountsInItem,
  PICTURE_ITEM,
  pictureInItem,
  PROFILE_ITEM,
  profileInItem,
  SITES_ITEM,
  sitesInItem,
  type ProfileItem
} from './profile-item.ts'
import type { OwnDetails } from '../sending/profile.ts'
import { OwnSync } from './own-sync.ts'
import { deviceNameItem, moreHistoryItem, SyncItems, textValue, timeValue } from './sync-items.ts'

export interface OwnDevicesComponents {
  /** Tells the own devices which groups there are. */
  shareGroups: () => Promise<void>
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  roster: ConversationRoster
  rows: ConversationRows
  history: MessageLog
  index: Pick<TextIndex, 'rowAppeared'>
  sealer: Sealer
  trust: PersonTrust
  marks: PersonMarksBook
  tokens: DeliveryTokens
  late: LateHistory
  outbox: Outbox
  pairs: PairSender
  account: () => OwnAccount
  changeAccount: ChangeAccount
  /** Keeps what a person is called. */
  noteProfile: (accountId: AccountId, profile: { username: string | null; displayName: string }) => Promise<void>
  onChange: () => void
}

export class OwnDevices implements HistoryApi, LinkingHooks {
  readonly items: SyncItems
  readonly sync: OwnSync
  readonly source: HistorySource
  readonly transfer: HistoryTransfer
  readonly presence: DevicePresence
  readonly merge: HistoryMerge
  readonly #components: OwnDevicesComponents
  /** Devices that were told that they can ask for more, and have not asked since. */
  readonly #told = new Set<string>()

  constructor(components: OwnDevicesComponents) {
    this.#components = components
    const { context, states } = components
    const items = (this.items = new SyncItems(context, states))
    const onNamed = (name: string): void => void this.#renameThis(name)
    const onProfile = (profile: ProfileItem): void => void this.#takeProfile(profile)
    const onMoreHistory = (): void => this.transfer.onMore()
    const onPerson = (id: AccountId, profile: { username: string | null; displayName: string }): void =>
      void this.#notePerson(id, profile)
    const sync = (this.sync = new OwnSync({ ...components, items, onNamed, onProfile, onMoreHistory, onPerson }))
    const onAsked = (device: string): void => void this.#told.delete(device)
    const isGetting = (): boolean => this.transfer.isUnderWay
    this.source = new HistorySource({ ...components, items, onAsked, isGetting })
    const merge = (this.merge = new HistoryMerge({
      ...components,
      sync,
      onPerson
    }))
    const onEnd = (): void => {
      for (const device of components.late.owed) this.onLate(device)
    }
    const moreVersion = (): number => items.item(moreHistoryItem(toHex(context.device().deviceId)))?.version ?? 0
    this.transfer = new HistoryTransfer({ ...components, merge, notesId: () => sync.notesId, moreVersion, onEnd })
    this.presence = new DevicePresence({ context, states, items, sync })
  }

  async start(): Promise<void> {
    await this.items.load()
    await this.transfer.start()
    await this.presence.start()
  }

  stop(): Promise<void> {
    this.presence.stop()
    return this.transfer.stop()
  }

  /** From now on others may send to the device. What they do not send there is kept for it, and it may ask for the history. */
  onApproving({ deviceId }: { deviceId: DeviceId }): Promise<void> {
    return this.#components.states.unit(unit => this.source.grant(unit, deviceId))
  }

  /** A device was added here by the user: it hears what the others agree on. */
  async onLinked({ deviceId, name }: { deviceId: DeviceId; name: string }): Promise<void> {
    await this.onApproving({ deviceId })
    await this.#openToOwn()
    const item = deviceNameItem(toHex(deviceId))
    if (name !== '' && this.items.get(item) === undefined) await this.sync.setItem(item, textValue(name))
    await this.#components.shareGroups()
  }

  /**
   * Goes on with what an earlier process or connection left: asks for the history, and says to devices that were added here
   * that they can ask. Never rejects.
   */
  async kick(): Promise<void> {
    this.transfer.kick()
    void this.presence.tell()
    try {
      await this.#forgetRemoved()
      // The process of the join may have ended before it said so.
      if (this.transfer.state && this.#needsName) await this.#tellName()
      const grants = await this.source.grants()
      if (grants.some(({ isDone, chats }) => !isDone && chats === 0)) await this.#openToOwn()
      this.#told.clear()
      const owed = new Set([
        ...this.#components.late.owed,
        ...grants.filter(({ isDone }) => !isDone).map(({ deviceId }) => toHex(deviceId))
      ])
      for (const device of owed) await this.#tellMore(device)
    } catch (error) {
      this.#components.context.log.warn('no session with a new own device yet', { reason: String(error) })
    }
  }

  /** Something came that a device which was added here does not get by itself. */
  onLate(device: string): void {
    if (this.#told.has(device)) return
    this.#told.add(device)
    this.#tellMore(device).catch((error: unknown) => {
      this.#told.delete(device)
      this.#components.context.log.debug('a device does not know yet of what came late', { reason: String(error) })
    })
  }

  /** A device that is not on the account any more gets nothing more. */
  async #forgetRemoved(): Promise<void> {
    const { context, directory, states } = this.#components
    const own = await directory.load(context.accountId())
    for (const { deviceId } of await this.source.grants()) {
      if (own?.view.revokedAt(deviceId) !== undefined) await states.unit(unit => this.source.end(unit, deviceId))
    }
  }

  /** Says to a device that was added here that it can ask for more history. */
  async #tellMore(device: string): Promise<void> {
    this.#told.add(device)
    await this.sync.setItem(moreHistoryItem(device), timeValue(this.#components.context.timers.now()))
  }

  /** Marks a person as the user wishes, on all devices. @returns what changed here. */
  async mark(unit: UnitOfWork, accountId: AccountId, wanted: Partial<PersonMarks>): Promise<(keyof PersonMarks)[]> {
    const { marks, directory } = this.#components
    const changed = await marks.set(unit, accountId, wanted)
    if (changed.length === 0) return changed
    const account = toHex(accountId)
    const known = directory.peek(account)
    const told = decodePersonItem(this.items.get(personItem(account)) ?? new Uint8Array(0))
    const item = {
      marks: await marks.storedIn(unit, accountId),
      username: known?.username ?? told?.username ?? null,
      displayName: known?.displayName ?? told?.displayName ?? null
    }
    await this.sync.putItem(unit, personItem(account), encodePersonItem(item))
    return changed
  }

  /** Opens a session with the own devices as the record has them now: the channel of the history comes with it. */
  async #openToOwn(): Promise<void> {
    const { context, directory } = this.#components
    await directory
      .refresh(context.accountId())
      .catch((error: unknown) => context.log.debug('the own record was not asked for', { reason: String(error) }))
    await this.#tellName()
  }

  /** What a device stores with its new account: it is going to ask the device that added it for the history. */
  joinedChanges({ by }: { by: DeviceId }): EntryChange[] {
    return [historyTransferChange(beginTransfer(this.#components.context, by))]
  }

  /** This device was added to the account by another one. */
  async onJoined(): Promise<void> {
    await this.#tellName()
  }

  get #needsName(): boolean {
    return this.nameOf(toHex(this.#components.context.device().deviceId)) === null
  }

  #tellName(): Promise<void> {
    const { context, account } = this.#components
    return this.sync.setItem(deviceNameItem(toHex(context.device().deviceId)), textValue(account().deviceName))
  }

  /** What a device is called; null if it has not said so. @param device - lower-case hex. */
  nameOf(device: string): string | null {
    return deviceNameOf(this.items.text(deviceNameItem(device)) ?? '') || null
  }

  /** Gives a device of the account another name, on all devices. @throws PeerError `device-name` for an empty one. */
  async rename(device: string, text: string): Promise<void> {
    const name = deviceNameOf(text)
    if (name === '') throw new PeerError('device-name')
    await this.sync.setItem(deviceNameItem(device), textValue(name))
    if (device === toHex(this.#components.context.device().deviceId)) await this.#renameThis(name)
  }

  async #renameThis(text: string): Promise<void> {
    const { context, account, changeAccount, onChange } = this.#components
    const deviceName = deviceNameOf(text)
    if (deviceName === '' || deviceName === account().deviceName) return
    await changeAccount(current => ({ ...current, deviceName })).catch((error: unknown) => {
      context.log.warn('a name could not be stored', { reason: String(error) })
    })
    onChange()
  }

  /** What the owner says about themselves, as the devices agree on it. */
  get details(): OwnDetails {
    return {
      about: profileInItem(this.items.get(PROFILE_ITEM))?.about ?? '',
      sites: sitesInItem(this.items.get(SITES_ITEM)),
      picture: pictureInItem(this.items.get(PICTURE_ITEM)),
      privacy: privacyInItem(this.items.get(PRIVACY_ITEM)),
      accounts: accountsInItem(this.items.get(ACCOUNTS_ITEM)),
      visibility: visibilityInItem(this.items.get(VISIBILITY_ITEM))
    }
  }

  /** Another device changed the profile, and has told everybody who has it. */
  async #takeProfile({ displayName }: ProfileItem): Promise<void> {
    const { context, changeAccount, onChange } = this.#components
    await changeAccount(current => ({ ...current, displayName })).catch((error: unknown) => {
      context.log.warn('a profile could not be stored', { reason: String(error) })
    })
    onChange()
  }

  /** The history names a person whom this device may not know yet. Never rejects. */
  async #notePerson(accountId: AccountId, profile: { username: string | null; displayName: string }): Promise<void> {
    const { context, directory, noteProfile, onChange } = this.#components
    try {
      if (directory.peek(toHex(accountId))?.displayName) return
      await directory.account(accountId)
      await noteProfile(accountId, profile)
      onChange()
    } catch (error) {
      context.log.debug('a person was not looked up yet', { reason: String(error) })
    }
  }

  async status(): Promise<HistoryStatus> {
    const { state } = this.transfer
    const grants = await this.source.grants()
    const shipping = grants.map(({ deviceId, chats, conversations, isDone }) => ({
      deviceId: toHex(deviceId),
      chats,
      chatsTotal: conversations.length,
      isDone
    }))
    if (!state) return { state: 'none', from: null, chats: 0, chatsTotal: 0, messages: 0, shipping }
    const { chats, chatsTotal, messages, isDone, index } = state
    const coming = isDone ? 'done' : index === 0 ? 'waiting' : 'receiving'
    const now = (await this.#isStopped(state.from)) ? 'stopped' : coming
    return { state: now, from: toHex(state.from), chats, chatsTotal, messages, shipping }
  }

  /** Whether the device that ships the history was removed before all of it was here. */
  async #isStopped(from: DeviceId): Promise<boolean> {
    const { context, directory } = this.#components
    if (!(await this.transfer.isOwed())) return false
    return (await directory.load(context.accountId()))?.view.revokedAt(from) !== undefined
  }
}

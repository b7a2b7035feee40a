/** The calls about the backup of the account of this device. */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import type { DeriveSecrets } from '../../protocol/backup/backup-passphrase.ts'
import type { BackupAuthorization } from '../../protocol/identity/backup-authorization.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { SignedRequests } from '../objects/signed-requests.ts'
import type { GroupBook } from '../groups/group-book.ts'
import type { GroupOpens } from '../groups/group-opens.ts'
import type { OwnDevices } from '../own-devices/own-devices.ts'
import type { BackupApi, BackupCheck, BackupSettings, BackupStatus, BackupWork, ConversationHex } from '../peer-api.ts'
import type { HttpClient, LocalObjects } from '../ports.ts'
import {
  backupSlots,
  DEFAULT_BACKUP_CHOICES,
  MAX_LEFT_OUT,
  type BackupChoices,
  type LastBackup
} from '../store/backup-slots.ts'
import { conversationEntry } from '../store/conversation-entries.ts'
import type { StateStore } from '../store/state-store.ts'
import { backupFailure } from './backup-failure.ts'
import { BackupKey } from './backup-key.ts'
import type { OpenedBackup } from './backup-lookup.ts'
import type { Restored } from './backup-restore.ts'
import { BackupSchedule } from './backup-schedule.ts'
import type { BackupTasks } from './backup-tasks.ts'

export interface BackupCallsComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  own: OwnDevices
  book: GroupBook
  groups: GroupOpens
  objects: LocalObjects
  access: () => BackupAuthorization | undefined
  fetch: HttpClient
  nodes: ObjectNodes
  derive: DeriveSecrets
  /** Whether a node is connected. */
  isOnline: () => boolean
  /** Hears how far a backup, a check or a restore is; null at its end. */
  onWork: (work: BackupWork | null) => void
  /** Keeps what a person is called. */
  noteProfile: (accountId: AccountId, profile: { username: string | null; displayName: string }) => Promise<void>
}

export class BackupCalls implements Pick<BackupApi, 'now' | 'status' | 'choose' | 'check'> {
  readonly #components: BackupCallsComponents
  readonly #key: BackupKey
  readonly #schedule: BackupSchedule
  #tasks: BackupTasks | undefined
  #work: BackupWork | null = null
  #failed: string | null = null
  #iagonKey: string | undefined
  #stopping = new AbortController()
  #running: Promise<LastBackup> | undefined

  constructor(components: BackupCallsComponents) {
    const { context, states, derive } = components
    this.#components = components
    this.#key = new BackupKey(context, states, derive)
    this.#schedule = new BackupSchedule({
      context,
      isPossible: () => this.#isPossible(),
      times: () => this.#times(),
      run: async () => void (await this.now(null))
    })
  }

  async #loaded(): Promise<BackupTasks> {
    const { BackupTasks } = await import('./backup-tasks.ts')
    const { context, fetch, access } = this.#components
    return (this.#tasks ??= new BackupTasks({
      ...this.#components,
      requests: new SignedRequests(context, fetch, access, () => this.#iagonKey),
      key: this.#key,
      iagonKey: () => this.#iagonKey,
      notePerson: person => this.#notePerson(person)
    }))
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const looked = this.#schedule.stop()
    await this.#running?.catch(() => undefined)
    await looked
    this.#stopping = new AbortController()
  }

  /** Reads which storage it is, as at the start. */
  async start(): Promise<void> {
    this.#iagonKey = (await this.#components.states.read(backupSlots.ownStorage()))?.iagonKey
    this.#schedule.start()
  }

  async #isPossible(): Promise<boolean> {
    if (this.#running || !this.#components.isOnline()) return false
    return (await this.#choices()).automatic && (await this.#key.load()) !== undefined
  }

  async #times(): Promise<{ lastAt: number; newestAt: number }> {
    const { states } = this.#components
    const lastAt = (await states.read(backupSlots.last()))?.createdAt ?? 0
    const chats = await states.all('conversation', conversationEntry)
    return { lastAt, newestAt: chats.reduce((newest, { updatedAt }) => Math.max(newest, updatedAt), 0) }
  }

  async #setStorage(iagonKey: string | null | undefined): Promise<void> {
    if (iagonKey === undefined || (iagonKey ?? undefined) === this.#iagonKey) return
    if (iagonKey !== null && !/^[\x21-\x7e]{1,4096}$/.test(iagonKey))
      throw new PeerError('backup', { fault: 'storage-key' })
    const { states } = this.#components
    await states.unit(async unit => {
      if (iagonKey === null) unit.remove(backupSlots.ownStorage())
      else unit.write(backupSlots.ownStorage(), { iagonKey })
      // The other storage has nothing of it: everything is stored there.
      const last = await unit.read(backupSlots.last())
      if (last) unit.write(backupSlots.last(), { ...last, manifest: new Uint8Array(), nodes: [] })
    })
    this.#iagonKey = iagonKey ?? undefined
  }

  async now(passphrase: string | null, iagonKey?: string | null): Promise<BackupStatus> {
    await this.#setStorage(iagonKey)
    // One at a time: two would name each other's objects as left over.
    while (this.#running) await this.#running.catch(() => undefined)
    const { signal } = this.#stopping
    const running = this.#working('backing-up', async onProgress =>
      (await this.#loaded()).run.run(passphrase, signal, onProgress)
    )
    this.#running = running
    try {
      await running
      this.#failed = null
    } catch (error) {
      if (error instanceof PeerError) this.#failed = error.code === 'backup' ? `${error.facts['fault']}` : error.code
      throw error
    } finally {
      this.#running = undefined
    }
    return this.status()
  }

  async status(): Promise<BackupStatus> {
    const last = await this.#components.states.read(backupSlots.last())
    const isSet = (await this.#key.load()) !== undefined
    const { automatic, withFiles, leftOut } = await this.#choices()
    const common = {
      isSet,
      isOnOwnStorage: this.#iagonKey !== undefined,
      settings: { automatic, withFiles, leftOut: leftOut.map(toHex) as ConversationHex[] },
      nextAt: isSet && automatic ? await this.#schedule.dueAt() : null,
      failed: this.#failed,
      work: this.#work
    }
    if (!last || last.createdAt === 0) return { ...common, last: null }
    const { createdAt: at, counter, chats, messages, files, storedBytes: bytes, uploadedBytes, nodes } = last
    return { ...common, last: { at, counter, chats, messages, files, bytes, uploadedBytes, copies: nodes.length } }
  }

  async choose(choices: Partial<BackupSettings>): Promise<BackupStatus> {
    const { automatic, withFiles, leftOut } = choices
    const before = await this.#choices()
    const next: BackupChoices = {
      automatic: automatic ?? before.automatic,
      withFiles: withFiles ?? before.withFiles,
      leftOut: leftOut?.slice(0, MAX_LEFT_OUT).map(id => fromHex(id, 32)) ?? before.leftOut
    }
    await this.#components.states.unit(async unit => unit.write(backupSlots.choices(), next))
    return this.status()
  }

  async #choices(): Promise<BackupChoices> {
    return (await this.#components.states.read(backupSlots.choices())) ?? DEFAULT_BACKUP_CHOICES
  }

  /** Runs what takes a while, and says how far it is. @throws what {@link backupFailure} makes of its failure. */
  async #working<T>(
    kind: BackupWork['kind'],
    run: (onProgress: (done: number, total: number) => void) => Promise<T>
  ): Promise<T> {
    const tell = (work: BackupWork | null): void => {
      this.#work = work
      this.#components.onWork(work)
    }
    try {
      tell({ kind, done: 0, total: 0 })
      return await run((done, total) => tell({ kind, done, total }))
    } catch (error) {
      throw backupFailure(error)
    } finally {
      tell(null)
    }
  }

  check(): Promise<BackupCheck> {
    const { signal } = this.#stopping
    return this.#working('checking', async onProgress => (await this.#loaded()).checking.run(signal, onProgress))
  }

  /** Opens the backup of this account. */
  async lookup(accountId: AccountId, passphrase: string): Promise<OpenedBackup> {
    const { lookup } = await this.#loaded()
    return lookup.open(accountId, passphrase).catch((error: unknown) => {
      throw backupFailure(error)
    })
  }

  /** Brings an opened backup to this device. */
  async restore(opened: OpenedBackup, iagonKey?: string | null): Promise<Restored> {
    if (iagonKey != null) await this.#setStorage(iagonKey)
    const { signal } = this.#stopping
    return this.#working('restoring', async onProgress =>
      (await this.#loaded()).restore.run(opened, signal, onProgress)
    )
  }

  /** Over HTTP: a device that only reads has no connection. */
  async #notePerson(person: {
    accountId: Uint8Array
    username: string | null
    displayName: string | null
  }): Promise<void> {
    const { directory, context, noteProfile } = this.#components
    const accountId = person.accountId as AccountId
    try {
      if (equalBytes(accountId, context.accountId()) || directory.peek(toHex(accountId))?.displayName) return
      await directory.refreshOverHttp(accountId)
      const { username, displayName } = person
      await noteProfile(accountId, { username, displayName: displayName ?? '' })
      const isNamed = directory.peek(toHex(accountId))?.username != null
      if (username !== null && !isNamed) await directory.noteRecordedName(accountId, username)
    } catch (error) {
      context.log.debug('a person was not looked up yet', { reason: String(error) })
    }
  }
}

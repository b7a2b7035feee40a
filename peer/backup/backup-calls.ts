/** The calls about the backup of the account of this device. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeBackupManifest, type BackupManifest } from '../../protocol/backup/backup-contents.ts'
import type { DeriveSecrets } from '../../protocol/backup/backup-passphrase.ts'
import type { BackupSeries } from '../../protocol/backup/backup-head.ts'
import type { BackupAuthorization } from '../../protocol/identity/backup-authorization.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { LocalCopies } from '../files/local-copies.ts'
import { readWhole } from '../objects/encrypted-content.ts'
import { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectGone, ObjectReader } from '../objects/object-reader.ts'
import { SignedRequests } from '../objects/signed-requests.ts'
import type { OwnDevices } from '../own-devices/own-devices.ts'
import type { BackupApi, BackupCheck, BackupStatus } from '../peer-api.ts'
import type { HttpClient, LocalObjects } from '../ports.ts'
import { backupSlots, type LastBackup } from '../store/backup-slots.ts'
import type { StateStore } from '../store/state-store.ts'
import { backupFailure } from './backup-failure.ts'
import { OwnBackupHeads } from './backup-heads.ts'
import { BackupKey } from './backup-key.ts'
import { BackupLookup, type OpenedBackup } from './backup-lookup.ts'
import { BackupParts } from './backup-parts.ts'
import { BackupRestore, type Restored } from './backup-restore.ts'
import { BackupRun } from './backup-run.ts'

export interface BackupCallsComponents {
  context: EngineContext
  states: StateStore
  directory: DirectoryClient
  own: OwnDevices
  objects: LocalObjects
  access: () => BackupAuthorization | undefined
  fetch: HttpClient
  nodes: ObjectNodes
  derive: DeriveSecrets
  /** Keeps what a person is called. */
  noteProfile: (accountId: AccountId, profile: { username: string | null; displayName: string }) => Promise<void>
}

export class BackupCalls implements Pick<BackupApi, 'now' | 'status' | 'check'> {
  readonly #components: BackupCallsComponents
  readonly #key: BackupKey
  readonly #heads: OwnBackupHeads
  readonly #run: BackupRun
  readonly #restore: BackupRestore
  readonly #client: ObjectClient
  #iagonKey: string | undefined
  #stopping = new AbortController()
  #running: Promise<LastBackup> | undefined

  constructor(components: BackupCallsComponents) {
    const { context, states, directory, own, objects, fetch, access } = components
    const requests = new SignedRequests(context, fetch, access, () => this.#iagonKey)
    this.#components = components
    const key = (this.#key = new BackupKey(context, states, components.derive))
    const heads = (this.#heads = new OwnBackupHeads({ ...components, requests }))
    const client = (this.#client = new ObjectClient(requests))
    const parts = new BackupParts({ context, states, directory, items: own.items })
    const copies = new LocalCopies({ context, states, objects })
    this.#run = new BackupRun({ ...components, requests, copies, client, heads, key, parts })
    const { merge } = own
    this.#restore = new BackupRestore({
      ...components,
      iagonKey: () => this.#iagonKey,
      key,
      merge,
      notePerson: person => this.#notePerson(person)
    })
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running?.catch(() => undefined)
    this.#stopping = new AbortController()
  }

  /** Reads which storage it is, as at the start. */
  async start(): Promise<void> {
    this.#iagonKey = (await this.#components.states.read(backupSlots.ownStorage()))?.iagonKey
  }

  async #setStorage(iagonKey: string | null | undefined): Promise<void> {
    if (iagonKey === undefined || (iagonKey ?? undefined) === this.#iagonKey) return
    if (iagonKey !== null && !/^[\x21-\x7e]{1,4096}$/.test(iagonKey))
      throw new PeerError('backup', { fault: 'storage-key' })
    const { states } = this.#components
    await states.unit(async unit => {
      if (iagonKey === null) unit.remove(backupSlots.ownStorage())
      else unit.write(backupSlots.ownStorage(), { iagonKey })
      // The other storage has nothing of it: everything is stored anew.
      const last = await unit.read(backupSlots.last())
      if (last) unit.write(backupSlots.last(), { ...last, manifest: new Uint8Array(), nodes: [] })
    })
    this.#iagonKey = iagonKey ?? undefined
  }

  async now(passphrase: string | null, iagonKey?: string | null): Promise<BackupStatus> {
    await this.#setStorage(iagonKey)
    // One at a time: two would name each other's objects as left over.
    await this.#running?.catch(() => undefined)
    const running = (this.#running = this.#run.run(passphrase, this.#stopping.signal))
    try {
      await running
      return await this.status()
    } catch (error) {
      throw backupFailure(error)
    } finally {
      if (this.#running === running) this.#running = undefined
    }
  }

  async status(): Promise<BackupStatus> {
    const last = await this.#components.states.read(backupSlots.last())
    const isSet = (await this.#key.load()) !== undefined
    const isOnOwnStorage = this.#iagonKey !== undefined
    if (!last || last.createdAt === 0) return { isSet, isOnOwnStorage, last: null }
    const { createdAt: at, counter, chats, messages, files, storedBytes: bytes, uploadedBytes, nodes } = last
    return {
      isSet,
      isOnOwnStorage,
      last: { at, counter, chats, messages, files, bytes, uploadedBytes, copies: nodes.length }
    }
  }

  async check(): Promise<BackupCheck> {
    try {
      return await this.#check(this.#stopping.signal)
    } catch (error) {
      throw backupFailure(error)
    }
  }

  async #check(signal: AbortSignal): Promise<BackupCheck> {
    const key = await this.#key.load()
    const last = await this.#components.states.read(backupSlots.last())
    if (!key || !last) throw new PeerError('backup', { fault: 'none' })
    const { found, foreign, answers, failures } = await this.#heads.survey(key.backupKey)
    if (answers === 0) throw new PeerError('offline', { origin: null })
    if (!found)
      throw foreign
        ? new PeerError('backup', { fault: 'damaged' })
        : (failures[0] ?? new PeerError('backup', { fault: 'none' }))
    const { head, content, hash } = found
    const isOlder = head.counter < last.counter || (head.counter === last.counter && !equalBytes(hash, last.headHash))
    if (isOlder) throw new PeerError('backup', { fault: 'rolled-back' })
    const checked: BackupCheck = { at: content.createdAt, counter: head.counter, chats: 0, messages: 0, files: 0 }
    const chats = new Set<string>()
    for (const { manifest } of content.series) await this.#checkSeries(manifest, chats, checked, signal)
    return { ...checked, chats: chats.size }
  }

  async #checkSeries(
    file: BackupSeries['manifest'],
    chats: Set<string>,
    checked: BackupCheck,
    signal: AbortSignal
  ): Promise<void> {
    const { context, nodes } = this.#components
    const env = sessionEnvironment(context)
    const readerOf = (of: Uint8Array): ObjectReader => new ObjectReader(this.#client, toHex(of), nodes.forDownload([]))
    const manifest = decodeBackupManifest(await readWhole(env, readerOf(file.hash), file, signal))
    for (const segment of manifest.segments) {
      await readWhole(env, readerOf(segment.file.hash), segment.file, signal)
      if (segment.conversationId) chats.add(toHex(segment.conversationId))
      checked.messages += segment.messages
    }
    await this.#requireFiles(manifest, signal)
    checked.files += manifest.files.length
  }

  /** Whether a node still names each file as ours: its bytes are checked when somebody opens it. */
  async #requireFiles({ files }: BackupManifest, signal: AbortSignal): Promise<void> {
    const kept = new Set<string>()
    for (const node of this.#components.nodes.forDownload([])) {
      let after = ''
      for (;;) {
        const page = await this.#client.list(node, after, signal).catch(() => ({ objects: [] }))
        for (const { hash } of page.objects) kept.add(hash)
        if (page.objects.length < 1_000) break
        after = page.objects.at(-1)!.hash
      }
    }
    if (files.some(({ hash }) => !kept.has(toHex(hash)))) throw new ObjectGone('files of the backup are gone')
  }

  /** Opens the backup of this account. */
  lookup(accountId: AccountId, passphrase: string): Promise<OpenedBackup> {
    return new BackupLookup(this.#components).open(accountId, passphrase).catch((error: unknown) => {
      throw backupFailure(error)
    })
  }

  /** Brings an opened backup to this device. */
  async restore(opened: OpenedBackup, iagonKey?: string | null): Promise<Restored> {
    try {
      if (iagonKey != null) await this.#setStorage(iagonKey)
      return await this.#restore.run(opened, this.#stopping.signal)
    } catch (error) {
      throw backupFailure(error)
    }
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

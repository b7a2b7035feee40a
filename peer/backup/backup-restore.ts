/**
 * Brings the contents of a backup into this device, newest first. A message that is here already stays as it is, so it may be
 * done again at any time; what cannot be read is left out, and said at the end.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeBackupManifest } from '../../protocol/backup/backup-contents.ts'
import { BackupError } from '../../protocol/backup/backup-error.ts'
import type { BackupSeries } from '../../protocol/backup/backup-head.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectDamaged, ObjectGone } from '../objects/object-reader.ts'
import type { GroupOpens } from '../groups/group-opens.ts'
import type { HistoryMerge } from '../own-devices/history-merge.ts'
import type { HttpClient } from '../ports.ts'
import { backupSlots } from '../store/backup-slots.ts'
import type { StateStore } from '../store/state-store.ts'
import type { BackupKey } from './backup-key.ts'
import type { OpenedBackup } from './backup-lookup.ts'
import { BackupReader } from './backup-reader.ts'
import { NO_BACKUP } from './backup-run.ts'

/** Segments that are on their way while one is merged. */
const READ_AHEAD = 3

export interface BackupRestoreComponents {
  context: EngineContext
  states: StateStore
  fetch: HttpClient
  nodes: ObjectNodes
  key: BackupKey
  merge: HistoryMerge
  groups: Pick<GroupOpens, 'takeBackedUp'>
  /** Of the storage of the user's own, if it is there. */
  iagonKey: () => string | undefined
  /** Looks a person up of whom the backup speaks. Never rejects. */
  notePerson: (person: RestoredPerson) => Promise<void>
}

export interface RestoredPerson {
  accountId: Uint8Array
  username: string | null
  displayName: string | null
}

/** Where the contents of a backup go. */
interface Into {
  restored: Restored
  people: Map<string, RestoredPerson>
  failures: unknown[]
  signal: AbortSignal
  onProgress: (done: number, total: number) => void
}

/** What a restore brought. */
export interface Restored {
  /** Messages that were not here before. */
  messages: number
  chats: number
  /** When the backup was made. */
  createdAt: number
}

export class BackupRestore {
  readonly #components: BackupRestoreComponents

  constructor(components: BackupRestoreComponents) {
    this.#components = components
  }

  /**
   * @throws PeerError `backup` `rolled-back` before anything is changed; afterwards BackupError `damaged` or {@link ObjectGone}
   * for parts that could not be read, once all others are here.
   */
  async run(
    opened: OpenedBackup,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void
  ): Promise<Restored> {
    await this.#requireNewest(opened)
    const reader = new BackupReader(this.#components, opened)
    const restored: Restored = { messages: 0, chats: 0, createdAt: opened.content.createdAt }
    const people = new Map<string, RestoredPerson>()
    const failures: unknown[] = []
    for (const series of opened.content.series) {
      try {
        await this.#series(reader, series, { restored, people, failures, signal, onProgress })
      } catch (error) {
        failures.push(readFault(error, signal))
      }
    }
    restored.chats = people.size
    for (const person of people.values()) await this.#components.notePerson(person)
    await this.#components.states.flush()
    if (failures.length > 0) throw failures[0]
    await this.#goOn(opened)
    return restored
  }

  /** A node that has kept an older head must not undo what this device knows of. */
  async #requireNewest({ head, hash }: OpenedBackup): Promise<void> {
    const last = await this.#components.states.read(backupSlots.last())
    const isOlder =
      last && (head.counter < last.counter || (head.counter === last.counter && !equalBytes(hash, last.headHash)))
    if (isOlder) throw new PeerError('backup', { fault: 'rolled-back' })
  }

  async #series(reader: BackupReader, series: BackupSeries, into: Into): Promise<void> {
    const { states, merge } = this.#components
    const manifest = decodeBackupManifest(await reader.file(series.manifest, into.signal))
    let done = 0
    const told = (): void => into.onProgress(done, manifest.segments.length)
    told()
    for (const read of ahead(manifest.segments, segment => reader.segment(segment, into.signal))) {
      try {
        for (const piece of await read) {
          // What is restored can be restored again; the last write flushes all.
          into.restored.messages += await states.unit(unit => merge.merge(unit, piece), { durable: false })
          for (const { groupId, changes } of piece.groupLogs) await this.#groupLog(groupId, changes)
          for (const { accountId, username, displayName, conversationId } of piece.conversations) {
            into.people.set(toHex(conversationId), { accountId, username, displayName })
          }
        }
      } catch (error) {
        into.failures.push(readFault(error, into.signal))
      }
      done++
      told()
    }
  }

  async #groupLog(groupId: ConversationId, changes: Uint8Array[]): Promise<void> {
    try {
      await this.#components.groups.takeBackedUp(groupId, changes)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      throw new BackupError(error.code === 'UNSUPPORTED_VERSION' ? 'newer' : 'damaged', error.message, { cause: error })
    }
  }

  /** This device makes the next backup with the same key, and need not keep what the others have stored. */
  async #goOn({ head, hash, content, backupKey }: OpenedBackup): Promise<void> {
    const { states, key } = this.#components
    const { kdf, salt, tokenHash, wrappedKey, counter } = head
    await key.keep({ backupKey, lock: { kdf, salt, tokenHash, wrappedKey } })
    await states.unit(async unit => {
      const last = (await unit.read(backupSlots.last())) ?? NO_BACKUP
      const covered = content.series.map(({ deviceId }) => deviceId)
      unit.write(backupSlots.last(), { ...last, counter, headHash: hash, covered })
    })
  }
}

/** Reads a few segments in advance, in order: each waits for its node, and then for the store. */
function* ahead<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Generator<Promise<R>> {
  const begun: Promise<R>[] = []
  for (let next = 0; next < items.length || begun.length > 0;) {
    while (begun.length < READ_AHEAD && next < items.length) {
      const result = read(items[next++]!)
      // Awaited by the caller, or the caller has stopped.
      result.catch(() => undefined)
      begun.push(result)
    }
    yield begun.shift()!
  }
}

/** What belongs to this part of the backup alone; anything else ends the restore. */
function readFault(error: unknown, signal: AbortSignal): unknown {
  signal.throwIfAborted()
  if (error instanceof BackupError || error instanceof ObjectGone || error instanceof ObjectDamaged) return error
  throw error
}

/** Reads the whole backup of this account back, and compares it with what this device knows of it. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeBackupManifest, type BackupManifest } from '../../protocol/backup/backup-contents.ts'
import type { BackupSeries } from '../../protocol/backup/backup-head.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { readWhole } from '../objects/encrypted-content.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectGone, ObjectReader } from '../objects/object-reader.ts'
import type { BackupCheck } from '../peer-api.ts'
import { backupSlots } from '../store/backup-slots.ts'
import type { StateStore } from '../store/state-store.ts'
import type { OwnBackupHeads } from './backup-heads.ts'
import type { BackupKey } from './backup-key.ts'

export interface BackupCheckingComponents {
  context: EngineContext
  states: StateStore
  client: ObjectClient
  nodes: ObjectNodes
  heads: OwnBackupHeads
  key: BackupKey
}

/** One run. */
interface Check {
  chats: Set<string>
  checked: BackupCheck
  signal: AbortSignal
  onProgress: (done: number, total: number) => void
}

export class BackupChecking {
  readonly #components: BackupCheckingComponents

  constructor(components: BackupCheckingComponents) {
    this.#components = components
  }

  /** @throws PeerError `backup`, `offline`; BackupError, ObjectGone or ObjectDamaged for what is wrong with it. */
  async run(signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<BackupCheck> {
    const { heads } = this.#components
    const key = await this.#components.key.load()
    const last = await this.#components.states.read(backupSlots.last())
    if (!key || !last) throw new PeerError('backup', { fault: 'none' })
    const { found, foreign, answers, failures } = await heads.survey(key.backupKey)
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
    for (const { manifest } of content.series) await this.#checkSeries(manifest, { chats, checked, signal, onProgress })
    return { ...checked, chats: chats.size }
  }

  async #checkSeries(file: BackupSeries['manifest'], { chats, checked, signal, onProgress }: Check): Promise<void> {
    const { context, nodes, client } = this.#components
    const env = sessionEnvironment(context)
    const readerOf = (of: Uint8Array): ObjectReader => new ObjectReader(client, toHex(of), nodes.forDownload([]))
    const manifest = decodeBackupManifest(await readWhole(env, readerOf(file.hash), file, signal))
    let done = 0
    onProgress(done, manifest.segments.length)
    for (const segment of manifest.segments) {
      await readWhole(env, readerOf(segment.file.hash), segment.file, signal)
      if (segment.conversationId) chats.add(toHex(segment.conversationId))
      checked.messages += segment.messages
      onProgress(++done, manifest.segments.length)
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
        const page = await this.#components.client.list(node, after, signal).catch(() => ({ objects: [] }))
        for (const { hash } of page.objects) kept.add(hash)
        if (page.objects.length < 1_000) break
        after = page.objects.at(-1)!.hash
      }
    }
    if (files.some(({ hash }) => !kept.has(toHex(hash)))) throw new ObjectGone('files of the backup are gone')
  }
}

/**
 * Fetches files of messages: in ranges of whole chunks, each of which is opened before it is kept, from whichever node has them.
 * What is here already is not asked for again, also after a restart.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { FILE_HEAD_BYTES, fileLayout, STORED_CHUNK_BYTES, type FileLayout } from '../../protocol/files/file-layout.ts'
import { FILE_LIFE_MS } from '../../protocol/limits.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { openChunks, storedRange } from '../objects/encrypted-content.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectDamaged, ObjectGone, ObjectReader } from '../objects/object-reader.ts'
import type { FileTransfer } from '../peer-api.ts'
import type { LocalObjects } from '../ports.ts'
import type { LocalCopy, MessageFile } from '../store/file-entry.ts'
import { fileSlots } from '../store/file-slots.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import type { StateStore } from '../store/state-store.ts'
import { newLocalName, type LocalCopies } from './local-copies.ts'

/** Chunks that are asked for at once: so many MiB are in memory. */
const CHUNKS_ASKED = 4

export interface IncomingFilesComponents {
  context: EngineContext
  states: StateStore
  objects: LocalObjects
  copies: LocalCopies
  client: ObjectClient
  nodes: ObjectNodes
  onTransfer: (transfer: FileTransfer) => void
}

/** A row that has a file. */
export type FileRow = MessageRow & { file: MessageFile }

interface Download {
  controller: AbortController
  done: Promise<void>
}

export class IncomingFiles {
  readonly #components: IncomingFilesComponents
  readonly #downloads = new Map<ShownId, Download>()

  constructor(components: IncomingFilesComponents) {
    this.#components = components
  }

  async stop(): Promise<void> {
    const downloads = [...this.#downloads.values()]
    for (const { controller } of downloads) controller.abort()
    await Promise.allSettled(downloads.map(({ done }) => done))
  }

  /** @returns whether there was a download. */
  halt(id: ShownId): boolean {
    const download = this.#downloads.get(id)
    download?.controller.abort()
    return download !== undefined
  }

  /** See `FilesApi.fetch`. Two calls for one message wait for the same download. */
  async fetch(id: ShownId, row: FileRow): Promise<void> {
    const running = this.#downloads.get(id)
    if (running) return running.done
    if ((await this.#components.copies.find(row.file.hash))?.isWhole) return
    const controller = new AbortController()
    const done = this.#download(id, row, controller.signal)
      .catch((error: unknown) => {
        throw controller.signal.aborted ? new PeerError('file-stopped') : this.#failureOf(error, row)
      })
      .finally(() => this.#downloads.delete(id))
    this.#downloads.set(id, { controller, done })
    return done
  }

  async #download(id: ShownId, { file, conversationId }: FileRow, signal: AbortSignal): Promise<void> {
    const { client, nodes, onTransfer } = this.#components
    const layout = fileLayout(file.size)
    const copy = await this.#begun(file, layout, conversationId)
    const reader = new ObjectReader(client, toHex(file.hash), nodes.forDownload(file.nodes))
    let at = await this.#resumeAt(copy.localName, layout)
    const told = (): void => {
      const doneBytes = Math.min(layout.storedBytes, FILE_HEAD_BYTES + at * STORED_CHUNK_BYTES)
      onTransfer({ messageId: id, direction: 'download', doneBytes, totalBytes: layout.storedBytes })
    }
    for (told(); at < layout.chunks; told()) {
      const count = Math.min(CHUNKS_ASKED, layout.chunks - at)
      const first = at
      const stored = await reader.read(storedRange(layout, at, count), signal, async bytes => {
        await openChunks(this.#components.copies.environment, file, first, count, bytes)
        return bytes
      })
      await this.#components.objects.append(copy.localName, stored)
      at += count
    }
    await this.#finish(file, copy)
  }

  /** What is here of the file, noted before the first byte is kept. */
  async #begun(file: MessageFile, layout: FileLayout, conversationId: Uint8Array): Promise<LocalCopy> {
    const { states, context, copies } = this.#components
    const before = await copies.find(file.hash)
    if (before) return before
    const localName = newLocalName(context)
    const copy: LocalCopy = { hash: file.hash, localName, size: layout.storedBytes, isWhole: false, conversationId }
    await states.unit(async unit => copies.note(unit, copy))
    return copy
  }

  /** Index of the first chunk that is not here whole. What a process left behind it is cut off. */
  async #resumeAt(localName: string, { chunks }: FileLayout): Promise<number> {
    const { objects } = this.#components
    const size = await objects.size(localName)
    const at = Math.min(chunks - 1, Math.max(0, Math.floor((size - FILE_HEAD_BYTES) / STORED_CHUNK_BYTES)))
    await objects.truncate(localName, at === 0 ? 0 : FILE_HEAD_BYTES + at * STORED_CHUNK_BYTES)
    return at
  }

  /** Every chunk opened; the hash says that it is the file that all receivers see. */
  async #finish(file: MessageFile, copy: LocalCopy): Promise<void> {
    const { states, objects, copies, context } = this.#components
    const hash = context.crypto.createSha256()
    for (let start = 0; start < copy.size; start += STORED_CHUNK_BYTES) {
      hash.update(await objects.read(copy.localName, start, Math.min(STORED_CHUNK_BYTES, copy.size - start)))
    }
    if (!equalBytes(hash.digest(), file.hash)) {
      await states.unit(async unit => unit.remove(fileSlots.localCopy(toHex(file.hash))))
      await objects.remove(copy.localName)
      throw new PeerError('file-damaged')
    }
    await objects.flush(copy.localName)
    await states.unit(async unit => copies.note(unit, { ...copy, isWhole: true }))
  }

  #failureOf(error: unknown, { sentAt }: MessageRow): unknown {
    if (error instanceof ObjectDamaged) return new PeerError('file-damaged', {}, { cause: error })
    if (!(error instanceof ObjectGone)) return error
    const isOld = sentAt + FILE_LIFE_MS <= this.#components.context.timers.now()
    return new PeerError('file-gone', { reason: isOld ? 'expired' : 'vanished' })
  }
}

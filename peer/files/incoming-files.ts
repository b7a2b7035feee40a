/**
 * Fetches files of messages, in ranges of whole chunks, from a node that has them; the hash of all of it says whether it is the file.
 * If it is not, some node has lied: then each chunk is opened before it is kept, and that node is left. What is here already is not asked
 * for again, also after a restart.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Sha256 } from '../../protocol/crypto/crypto.ts'
import { FILE_HEAD_BYTES, fileLayout, STORED_CHUNK_BYTES, type FileLayout } from '../../protocol/files/file-layout.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { FILE_LIFE_MS } from '../../protocol/limits.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { CHUNKS_ASKED, openChunks, storedRange } from '../objects/encrypted-content.ts'
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

/** Some chunks as a node sent them. The bytes count until the next but one is asked for. */
interface StoredRange {
  stored: Uint8Array
  count: number
}

/** Longest range; the first has the version in front. */
const RANGE_BYTES = FILE_HEAD_BYTES + CHUNKS_ASKED * STORED_CHUNK_BYTES

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

  async #download(id: ShownId, row: FileRow, signal: AbortSignal): Promise<void> {
    if (await this.#attempt(id, row, signal, { isCareful: false })) return
    if (!(await this.#attempt(id, row, signal, { isCareful: true }))) throw new PeerError('file-damaged')
  }

  /** @returns false if what came is not the file: nothing of it is kept. */
  async #attempt(
    id: ShownId,
    { file, conversationId }: FileRow,
    signal: AbortSignal,
    { isCareful }: { isCareful: boolean }
  ): Promise<boolean> {
    const { client, nodes, onTransfer } = this.#components
    const layout = fileLayout(file.size)
    const copy = await this.#begun(file, layout, conversationId)
    const reader = new ObjectReader(client, toHex(file.hash), nodes.forDownload(file.nodes))
    let at = await this.#resumeAt(copy.localName, layout)
    const told = (): void => {
      const doneBytes = Math.min(layout.storedBytes, FILE_HEAD_BYTES + at * STORED_CHUNK_BYTES)
      onTransfer({ messageId: id, direction: 'download', doneBytes, totalBytes: layout.storedBytes })
    }
    told()
    const hash = await this.#hashOfBegun(copy.localName, at)
    const accept = isCareful ? (first: number, range: StoredRange) => this.#requireSound(file, first, range) : undefined
    for await (const { stored, count } of this.#ranges(reader, layout, at, signal, accept)) {
      hash.update(stored)
      await this.#components.objects.append(copy.localName, stored)
      at += count
      told()
    }
    return this.#finish(file, copy, hash.digest())
  }

  /** @throws ProtocolError for chunks that are not those of the file. */
  async #requireSound(file: MessageFile, first: number, { stored, count }: StoredRange): Promise<void> {
    await openChunks(this.#components.copies.environment, file, first, count, stored)
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

  /** Ranges in order, from a chunk on; the next is on its way, into another buffer, while the caller keeps one. */
  async *#ranges(
    reader: ObjectReader,
    layout: FileLayout,
    from: number,
    signal: AbortSignal,
    accept: ((first: number, range: StoredRange) => Promise<void>) | undefined
  ): AsyncGenerator<StoredRange> {
    const buffers: Uint8Array[] = []
    let asked = 0
    const ask = (first: number): Promise<StoredRange> | undefined => {
      if (first >= layout.chunks) return undefined
      const count = Math.min(CHUNKS_ASKED, layout.chunks - first)
      const { start, length } = storedRange(layout, first, count)
      const buffer = (buffers[asked++ % 2] ??= new Uint8Array(Math.min(RANGE_BYTES, layout.storedBytes)))
      const range = reader.read({ start, length, into: buffer }, signal, async stored => {
        if (stored.length !== length) throw new ProtocolError('MALFORMED', 'the node sent another number of bytes')
        await accept?.(first, { stored, count })
        return { stored, count }
      })
      // Awaited below, unless the range before it fails.
      range.catch(() => undefined)
      return range
    }
    let next = ask(from)
    for (let at = from; next;) {
      const range = await next
      at += range.count
      next = ask(at)
      yield range
    }
  }

  /** The hash of the stored form so far: of the chunks that an earlier attempt has left here. */
  async #hashOfBegun(localName: string, chunks: number): Promise<Sha256> {
    const { objects, context } = this.#components
    const hash = context.crypto.createSha256()
    const end = chunks === 0 ? 0 : FILE_HEAD_BYTES + chunks * STORED_CHUNK_BYTES
    for (let start = 0; start < end; start += STORED_CHUNK_BYTES) {
      hash.update(await objects.read(localName, start, Math.min(STORED_CHUNK_BYTES, end - start)))
    }
    return hash
  }

  /** The hash says that it is the file that all receivers see. @returns whether it is. */
  async #finish(file: MessageFile, copy: LocalCopy, hash: Uint8Array): Promise<boolean> {
    const { states, objects, copies } = this.#components
    if (!equalBytes(hash, file.hash)) {
      await states.unit(async unit => unit.remove(fileSlots.localCopy(toHex(file.hash))))
      await objects.remove(copy.localName)
      return false
    }
    await objects.flush(copy.localName)
    await states.unit(async unit => copies.note(unit, { ...copy, isWhole: true }))
    return true
  }

  #failureOf(error: unknown, { sentAt }: MessageRow): unknown {
    if (error instanceof ObjectDamaged) return new PeerError('file-damaged', {}, { cause: error })
    if (!(error instanceof ObjectGone)) return error
    const isOld = sentAt + FILE_LIFE_MS <= this.#components.context.timers.now()
    return new PeerError('file-gone', { reason: isOld ? 'expired' : 'vanished' })
  }
}

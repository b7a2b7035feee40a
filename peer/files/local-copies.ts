/** The stored forms of files that this device keeps: of what it sends, until then and afterwards, and of what it fetched. */
import { toHex } from '../../protocol/bytes.ts'
import type { Environment } from '../../protocol/environment.ts'
import { decryptChunk } from '../../protocol/files/decrypt-file.ts'
import { fileLayout, storedChunk } from '../../protocol/files/file-layout.ts'
import type { ByteStream } from '../../protocol/files/pieces.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { FileUsage } from '../peer-api.ts'
import type { LocalObjects } from '../ports.ts'
import type { LocalCopy, MessageFile } from '../store/file-entry.ts'
import { fileSlots, localCopyEntry } from '../store/file-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** What finds and opens a file. */
export type FileKey = Pick<MessageFile, 'hash' | 'size' | 'key'>

export interface LocalCopiesComponents {
  context: EngineContext
  states: StateStore
  objects: LocalObjects
}

export class LocalCopies {
  readonly #components: LocalCopiesComponents

  constructor(components: LocalCopiesComponents) {
    this.#components = components
  }

  /** Removes what a process that ended while it encrypted a file has left. */
  async sweep(): Promise<void> {
    const { states, objects } = this.#components
    const copies = await states.all('local-copy', localCopyEntry)
    const known = new Set(copies.map(({ localName }) => localName))
    for (const name of await objects.names()) if (!known.has(name)) await objects.remove(name)
  }

  /** @returns undefined if nothing of the file is here. */
  find(hash: Uint8Array): Promise<LocalCopy | undefined> {
    return this.#components.states.read(fileSlots.localCopy(toHex(hash)))
  }

  /** As part of a unit of work. */
  note(unit: UnitOfWork, copy: LocalCopy): void {
    unit.write(fileSlots.localCopy(toHex(copy.hash)), copy)
  }

  /** One chunk of content of a whole copy; empty past the end. @throws PeerError `file-not-here`, `file-damaged`. */
  async chunk(file: FileKey, index: number): Promise<Uint8Array> {
    const { objects } = this.#components
    const copy = await this.find(file.hash)
    if (!copy?.isWhole) throw new PeerError('file-not-here')
    const layout = fileLayout(file.size)
    if (index >= layout.chunks) return new Uint8Array()
    const { start, length } = storedChunk(layout, index)
    const stored = await objects.read(copy.localName, start, length)
    try {
      return await decryptChunk(this.environment, file, index, stored)
    } catch (cause) {
      throw new PeerError('file-damaged', {}, { cause })
    }
  }

  /** The content of a whole copy. */
  async *content(file: FileKey): ByteStream {
    for (let index = 0; index < fileLayout(file.size).chunks; index++) {
      const chunk = await this.chunk(file, index)
      if (chunk.length > 0) yield chunk
    }
  }

  /** What the files of each chat take, largest first. */
  async usage(): Promise<FileUsage[]> {
    const copies = await this.#components.states.all('local-copy', localCopyEntry)
    const usage = Map.groupBy(copies, ({ conversationId }) => toHex(conversationId))
    return [...usage]
      .map(([conversationId, files]) => {
        return { conversationId, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) }
      })
      .sort((a, b) => b.bytes - a.bytes)
  }

  /** Removes the copies of a chat, but those whose hash is in `kept`: they are on their way out. */
  async free(conversationId: string, kept: ReadonlySet<string>): Promise<void> {
    const { states, objects } = this.#components
    const removed: string[] = []
    await states.unit(async unit => {
      for (const copy of await states.all('local-copy', localCopyEntry)) {
        const hash = toHex(copy.hash)
        if (toHex(copy.conversationId) !== conversationId || kept.has(hash)) continue
        unit.remove(fileSlots.localCopy(hash))
        removed.push(copy.localName)
      }
    })
    for (const name of removed) await objects.remove(name)
  }

  /** Removes the copy of a file, and its key: its message was deleted. As part of a unit of work. */
  async erase(unit: UnitOfWork, { hash, size }: Pick<MessageFile, 'hash' | 'size'>): Promise<void> {
    const { objects, context } = this.#components
    const slot = fileSlots.localCopy(toHex(hash))
    const copy = await unit.read(slot)
    // Another message with the same file fetches it again.
    unit.remove(slot)
    unit.remove(fileSlots.sentFile(size, toHex(hash)))
    if (!copy) return
    const remove = (): Promise<void> =>
      objects.remove(copy.localName).catch((error: unknown) => {
        // The next start sweeps it.
        context.log.warn('the file of a deleted message could not be removed', { reason: String(error) })
      })
    unit.after(() => void remove())
  }

  get environment(): Environment {
    return sessionEnvironment(this.#components.context)
  }
}

/** A name for a local object that nothing has yet; its upload has the same name at nodes. */
export const newLocalName = ({ random }: Pick<EngineContext, 'random'>): string => toHex(random(32))

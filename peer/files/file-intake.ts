/** Takes the content of a file into this device: encrypts it under a new key, or finds that it was sent before. */
import { toHex } from '../../protocol/bytes.ts'
import { encryptFile, type FilePointer } from '../../protocol/files/encrypt-file.ts'
import { fileLayout } from '../../protocol/files/file-layout.ts'
import { PieceReader } from '../../protocol/files/pieces.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { MAX_ATTACHMENT_BYTES } from '../../protocol/limits.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import { PeerError } from '../errors.ts'
import type { LocalObjects } from '../ports.ts'
import { fileSlots, sentFileEntry } from '../store/file-slots.ts'
import type { SentFile } from '../store/file-entry.ts'
import { orderOf } from '../store/conversation-entries.ts'
import type { StateStore } from '../store/state-store.ts'
import { ObjectInMaking } from '../objects/object-in-making.ts'
import { contentOf } from './content.ts'
import { newLocalName, type LocalCopies } from './local-copies.ts'
import type { EngineContext } from '../engine-context.ts'

/** Files of one size that are compared. */
const MAX_COMPARED = 8

/** A file whose stored form is on this device. */
export interface TakenFile {
  pointer: FilePointer
  localName: string
  /** Nodes that were handed it before. */
  nodes: Uint8Array[]
}

export class FileIntake {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #objects: LocalObjects
  readonly #copies: LocalCopies

  constructor(
    context: EngineContext,
    { states, objects, copies }: { states: StateStore; objects: LocalObjects; copies: LocalCopies }
  ) {
    this.#context = context
    this.#states = states
    this.#objects = objects
    this.#copies = copies
  }

  /**
   * @param onMaking - hears of a stored form that begins to be written: it can be sent on meanwhile.
   * @throws PeerError `file-too-large`, `file-unreadable`, `store`.
   */
  async take(content: Blob, onMaking: (stored: ObjectInMaking) => void): Promise<TakenFile> {
    if (content.size > MAX_ATTACHMENT_BYTES) throw new PeerError('file-too-large', { limit: MAX_ATTACHMENT_BYTES })
    return (await this.#sentBefore(content)) ?? this.#encrypt(content, onMaking)
  }

  async #encrypt(content: Blob, onMaking: (stored: ObjectInMaking) => void): Promise<TakenFile> {
    const localName = newLocalName(this.#context)
    const stored = new ObjectInMaking(this.#objects, { localName, size: fileLayout(content.size).storedBytes })
    onMaking(stored)
    const append = (bytes: Uint8Array): Promise<void> => stored.append(bytes)
    try {
      const pointer = await encryptFile(this.#copies.environment, content.size, contentOf(content), append)
      stored.end(pointer.hash)
      await this.#objects.flush(localName)
      return { pointer, localName, nodes: [] }
    } catch (error) {
      stored.fail(error)
      await this.#objects.remove(localName)
      // Shorter or longer than it was when it was chosen.
      if (error instanceof ProtocolError) throw new PeerError('file-unreadable', {}, { cause: error })
      throw error
    }
  }

  /** The same content that was sent from this device, and is still here: it goes out under the same key, and is not stored twice. */
  async #sentBefore(content: Blob): Promise<TakenFile | undefined> {
    const sent = await this.#states.range('sent-file', orderOf(content.size), sentFileEntry)
    const newest = sent.map(({ value }) => value).sort((a, b) => b.uploadedAt - a.uploadedAt)
    for (const file of newest.slice(0, MAX_COMPARED)) {
      const copy = await this.#copies.find(file.hash)
      if (!copy?.isWhole || !(await this.#isSame(content, file))) continue
      const { hash, size, key, nodes } = file
      return { pointer: { hash, size, key }, localName: copy.localName, nodes }
    }
    return undefined
  }

  async #isSame(content: Blob, file: SentFile): Promise<boolean> {
    const reader = new PieceReader(contentOf(content))
    try {
      for await (const piece of this.#copies.content(file)) {
        if (!equalBytes(await reader.read(piece.length), piece)) return false
      }
      return await reader.isAtEnd()
    } catch (error) {
      // A copy that is damaged is no reason not to send.
      if (error instanceof PeerError && error.code === 'file-damaged') return false
      throw error
    } finally {
      await reader.close()
    }
  }

  /** Bytes of the stored form. */
  storedBytes({ size }: FilePointer): number {
    return fileLayout(size).storedBytes
  }

  /** Where it is remembered that a file was sent. */
  slotOf({ size, hash }: FilePointer) {
    return fileSlots.sentFile(size, toHex(hash))
  }
}

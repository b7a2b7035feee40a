/** The calls about files. A file belongs to a message: what finds and opens it is in the row, and leaves it through here only. */
import { toHex } from '../../protocol/bytes.ts'
import { createMessageId } from '../../protocol/conversation/message.ts'
import { safeFileName } from '../../protocol/files/file-name.ts'
import { SNIFFED_BYTES, sniffMediaType } from '../../protocol/files/media-type.ts'
import { fileLayout } from '../../protocol/files/file-layout.ts'
import { MAX_TEXT_UNITS } from '../../protocol/limits.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { NewMessage } from '../store/new-message.ts'
import type { ChatMessage, FileAbout, FilesApi, FileUsage, FileView } from '../peer-api.ts'
import type { LocalObjects } from '../ports.ts'
import type { MessageFile } from '../store/file-entry.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { slots } from '../store/store-layout.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { FileIntake, TakenFile } from './file-intake.ts'
import { fileView } from './file-message.ts'
import type { FileRow, IncomingFiles } from './incoming-files.ts'
import type { LocalCopies } from './local-copies.ts'
import type { EarlyUpload } from './early-upload.ts'
import type { OutgoingFiles } from './outgoing-files.ts'

/** Shows an own message in a conversation, if one may write there. */
export interface OwnMessages {
  /** @throws PeerError `no-conversation`, `held`, `blocked`. */
  requireOpen(conversationId: string): Promise<void>
  /** @throws as {@link requireOpen}. */
  add(unit: UnitOfWork, conversationId: string, message: NewMessage): Promise<MessageRow>
  /** As screens see it. */
  view(row: MessageRow): ChatMessage
}

export interface FileCallsComponents {
  context: EngineContext
  states: StateStore
  objects: LocalObjects
  copies: LocalCopies
  intake: FileIntake
  outgoing: OutgoingFiles
  incoming: IncomingFiles
  own: OwnMessages
}

export class FileCalls implements FilesApi {
  readonly #components: FileCallsComponents

  constructor(components: FileCallsComponents) {
    this.#components = components
  }

  async send(conversationId: string, content: Blob, about: FileAbout): Promise<ChatMessage> {
    const { states, objects, intake, outgoing, copies, own } = this.#components
    const text = about.text ?? ''
    if (text.length > MAX_TEXT_UNITS) {
      throw new PeerError('message-too-long', { length: text.length, limit: MAX_TEXT_UNITS })
    }
    // Before a large file is read for nothing.
    await own.requireOpen(conversationId)
    let early: EarlyUpload | undefined
    const taken = await intake
      .take(content, stored => (early = outgoing.beginEarly(stored)))
      .catch((error: unknown) => {
        early?.stop()
        throw error
      })
    const file = await this.#fileOf(taken, content, about)
    const message = this.#ownMessage(file, text.toWellFormed())
    const { hash, size } = taken.pointer
    const storedBytes = fileLayout(size).storedBytes
    try {
      const row = await states.unit(async unit => {
        const shown = await own.add(unit, conversationId, message)
        const { messageId, sentAt } = shown
        const chat = shown.conversationId
        copies.note(unit, { hash, localName: taken.localName, size: storedBytes, isWhole: true, conversationId: chat })
        const upload = { conversationId: chat, messageId, hash, size: storedBytes, takenAt: sentAt }
        const wasSent = taken.nodes.length > 0
        outgoing.put(unit, { ...upload, storedAt: [], state: 'waiting' }, { mayBeThere: wasSent, early })
        return shown
      })
      return own.view(row)
    } catch (error) {
      early?.stop()
      if (!(await copies.find(hash))) await objects.remove(taken.localName)
      throw error
    }
  }

  async #fileOf({ pointer, nodes }: TakenFile, content: Blob, about: FileAbout): Promise<MessageFile> {
    const name = safeFileName(about.name)
    const head = new Uint8Array(await content.slice(0, SNIFFED_BYTES).arrayBuffer())
    const mediaType = about.voice && content.type !== '' ? content.type.split(';')[0]! : sniffMediaType(head, name)
    const { width = null, height = null, thumbnail = null, voice = null } = about
    return { ...pointer, name, mediaType, nodes, width, height, thumbnail, voice }
  }

  #ownMessage(file: MessageFile, text: string): NewMessage {
    const { context } = this.#components
    const by = { from: context.accountId(), device: context.device().deviceId, mine: true }
    const state = { state: 'waiting' as const, problem: null, line: null }
    const messageId = createMessageId(context.random)
    return { ...by, ...state, messageId, kind: 'file', text, file, sentAt: context.timers.now() }
  }

  async stop(messageId: string): Promise<void> {
    const { outgoing, incoming } = this.#components
    const id = messageId as ShownId
    if (!incoming.halt(id)) await outgoing.halt(id)
  }

  async fetch(messageId: string): Promise<FileView> {
    const row = await this.#row(messageId)
    await this.#components.incoming.fetch(messageId as ShownId, row)
    return fileView(row.file)
  }

  async chunk(messageId: string, index: number): Promise<Uint8Array> {
    const { file } = await this.#row(messageId)
    return this.#components.copies.chunk(file, index)
  }

  usage(): Promise<FileUsage[]> {
    return this.#components.copies.usage()
  }

  async free(conversationId: string): Promise<void> {
    const { copies, outgoing } = this.#components
    await copies.free(conversationId, outgoing.hashes())
  }

  /** @throws PeerError `no-file`. */
  async #row(messageId: string): Promise<FileRow> {
    const { states } = this.#components
    const place = await states.read(slots.place(messageId as ShownId))
    const row = place && (await states.read(slots.message(toHex(place.conversationId), place.order)))
    if (!row?.file) throw new PeerError('no-file')
    return row as FileRow
  }
}

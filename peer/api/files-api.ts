import type { CallTable } from './call-table.ts'
import type { FileView } from './file-view.ts'
import type { ConversationHex, MessageHex } from './ids.ts'
import type { ChatMessage } from './messages-api.ts'

/** `peer.files`: pictures, files and voice notes of messages. */
export interface FilesApi {
  /**
   * Takes a file at once: it is encrypted on this device when this resolves, and goes out when it can. `content` is read to its
   * end before that.
   * Rejects with `file-too-large`, `file-unreadable`, `message-too-long`, `no-conversation`, `held`, `blocked`.
   */
  send(conversationId: ConversationHex, content: Blob, about: FileAbout): Promise<ChatMessage>
  /** Stops the upload or the download of a file. A stopped upload is tried again like any failed message. */
  stop(messageId: MessageHex): Promise<void>
  /**
   * Resolves once the whole file is on this device, and was checked; goes on with an earlier attempt.
   * Rejects with `no-file`, `offline`, `file-gone`, `file-damaged`, `file-stopped`.
   */
  fetch(messageId: MessageHex): Promise<FileView>
  /**
   * One chunk of {@link FILE_CHUNK_BYTES} bytes of content, the last one shorter; empty past the end.
   * Rejects with `no-file`; `file-not-here` before {@link fetch}.
   */
  chunk(messageId: MessageHex, index: number): Promise<Uint8Array>
  /** What the files of each chat take on this device, largest first. */
  usage(): Promise<FileUsage[]>
  /** Removes the files of a chat from this device; what the network still has can be fetched again. */
  free(conversationId: ConversationHex): Promise<void>
}

/** The calls of {@link FilesApi}. */
export const FILES_CALLS: CallTable<FilesApi> = {
  send: 'give-up',
  stop: 'repeat',
  fetch: 'repeat',
  chunk: 'repeat',
  usage: 'repeat',
  free: 'repeat'
}

/** Bytes of content in a chunk. */
export { FILE_CHUNK_BYTES } from '../../protocol/files/file-layout.ts'

/** What goes with the content of a file. */
export interface FileAbout {
  /** Name or path; what must not be in a name is dropped. */
  name: string
  /** What the writer says about it. */
  text?: string
  /** Of a picture, in pixels. */
  width?: number
  height?: number
  /** A small picture, at most 8 KiB. */
  thumbnail?: Uint8Array
  /** Set for a voice note. `waveform`: loudness over time, at most 128 bytes. */
  voice?: { durationMs: number; waveform: Uint8Array }
}

/** How far an upload or a download is. */
export interface FileTransfer {
  messageId: MessageHex
  direction: 'upload' | 'download'
  doneBytes: number
  totalBytes: number
}

/** What the files of a chat take on this device. */
export interface FileUsage {
  conversationId: ConversationHex
  files: number
  bytes: number
}

import {
  localCopyCodec,
  sentFileCodec,
  uploadCodec,
  type FileUpload,
  type LocalCopy,
  type SentFile
} from './file-entry.ts'
import type { Slot } from './state-store.ts'
import { entry, orderOf, type ShownId } from './conversation-entries.ts'

export const uploadEntry = entry(uploadCodec)
export const localCopyEntry = entry(localCopyCodec)
export const sentFileEntry = entry(sentFileCodec)

/** Where the state of files lives. */
export const fileSlots = {
  upload: (message: ShownId): Slot<FileUpload> => ({ space: 'upload', id: message, codec: uploadEntry }),
  /** @param hash - lower-case hex. */
  localCopy: (hash: string): Slot<LocalCopy> => ({ space: 'local-copy', id: hash, codec: localCopyEntry }),
  /** @param hash - lower-case hex. @param size - bytes of content. */
  sentFile: (size: number, hash: string): Slot<SentFile> => ({
    space: 'sent-file',
    id: orderOf(size),
    order: hash,
    codec: sentFileEntry
  })
}

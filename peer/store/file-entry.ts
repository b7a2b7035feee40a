/** What a device stores about files: of a message, of an upload under way, and of what it keeps itself. */
import {
  bool,
  bytes,
  bytesBetween,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  type TypeOf
} from '../../protocol/codec.ts'
import { KEY_BYTES } from '../../protocol/crypto/crypto.ts'
import {
  MAX_THUMBNAIL_BYTES,
  MAX_VOICE_NOTE_MS,
  MAX_WAVEFORM_BYTES,
  pixelsCodec
} from '../../protocol/conversation/message-kinds.ts'
import { MAX_FILE_NODES } from '../../protocol/files/blob-pointer.ts'
import { MAX_ATTACHMENT_BYTES } from '../../protocol/limits.ts'

/** Longest name of a file in UTF-16 code units, as in its message. */
const MAX_NAME_UNITS = 255

/** The file of a message: all that finds, opens and shows it. */
export const fileCodec = struct({
  /** SHA-256 of the stored form. */
  hash: bytes(32),
  /** Bytes of content. */
  size: uint(MAX_ATTACHMENT_BYTES),
  key: bytes(KEY_BYTES),
  /** Safe to show and to save under, see protocol/files/file-name.ts. */
  name: text(MAX_NAME_UNITS),
  /** What the sender says; of the form of a media type. */
  mediaType: text(127),
  /** Keys of the nodes that the sender handed it to. */
  nodes: list(bytes(32), MAX_FILE_NODES),
  width: pixelsCodec,
  height: pixelsCodec,
  thumbnail: nullable(bytesBetween(1, MAX_THUMBNAIL_BYTES)),
  /** Set for a voice note. */
  voice: nullable(struct({ durationMs: uint(MAX_VOICE_NOTE_MS), waveform: bytesBetween(0, MAX_WAVEFORM_BYTES) }))
})
export type MessageFile = TypeOf<typeof fileCodec>

/** An own file on its way to nodes; the message follows the first of them. Named by the message. */
export const uploadCodec = struct({
  conversationId: bytes(32),
  messageId: bytes(16),
  hash: bytes(32),
  /** Of the stored form. */
  size: uint(),
  /** Nodes that have it. */
  storedAt: list(bytes(32), MAX_FILE_NODES),
  /** `waiting`: no node has it. `sent`: the message is on its way, a further copy is not. `stopped`: by the user, or refused. */
  state: oneOf('waiting', 'sent', 'stopped'),
  takenAt: uint()
})
export type FileUpload = TypeOf<typeof uploadCodec>

/** The stored form of a file on this device. Named by its hash. */
export const localCopyCodec = struct({
  hash: bytes(32),
  /** Name among the local objects. */
  localName: text(64),
  /** Of the stored form. */
  size: uint(),
  /** Whether all of it is here and was checked. */
  isWhole: bool,
  /** The chat that it came by first, for counting. */
  conversationId: bytes(32)
})
export type LocalCopy = TypeOf<typeof localCopyCodec>

/** An own file that nodes have: sent again, it is not uploaded again. Listed by size. */
export const sentFileCodec = struct({
  hash: bytes(32),
  size: uint(MAX_ATTACHMENT_BYTES),
  key: bytes(KEY_BYTES),
  nodes: list(bytes(32), MAX_FILE_NODES),
  uploadedAt: uint()
})
export type SentFile = TypeOf<typeof sentFileCodec>

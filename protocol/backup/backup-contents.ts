/** What a backup holds: a manifest that names segments, and segments of pieces. Both are stored as encrypted files. */
import { bytes, bytesBetween, decode, encode, list, nullable, struct, text, uint, type TypeOf } from '../codec.ts'
import { MAX_HISTORY_CHUNK_BYTES } from '../conversation/message-kinds.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec } from '../identity/device.ts'
import { MAX_ATTACHMENT_BYTES } from '../limits.ts'
import { BackupError } from './backup-error.ts'
import { BACKUP_VERSION, backupFileCodec } from './backup-head.ts'

/** Segments of one manifest: 512 messages each. */
const MAX_SEGMENTS = 200_000
/** Files of one manifest. */
const MAX_FILES = 200_000
/** Pieces of one segment. */
const MAX_PIECES = 4_096
const MANIFEST_LIMITS = { maxBytes: MAX_ATTACHMENT_BYTES, maxDepth: 6, maxItems: 4_000_000 }
const SEGMENT_LIMITS = { maxBytes: MAX_ATTACHMENT_BYTES, maxDepth: 4, maxItems: 2 * MAX_PIECES }

const segmentEntryCodec = struct({
  file: backupFileCodec,
  /** SHA-256 of the content: the same content is not stored again. */
  digest: bytes(32),
  /** Null for what belongs to no conversation. */
  conversationId: nullable(bytes(32)),
  /** Which part of it: the same part has the same name in each backup. */
  block: text(32),
  messages: uint(),
  /** Of the newest message in it, milliseconds since 1970. */
  newest: uint()
})
/** A segment, as a manifest names it. */
export type BackupSegmentEntry = TypeOf<typeof segmentEntryCodec>

const manifestCodec = struct({
  version: uint(),
  accountId: accountIdCodec,
  deviceId: deviceIdCodec,
  createdAt: uint(),
  /** Newest first: a reader shows the newest chats first. */
  segments: list(segmentEntryCodec, MAX_SEGMENTS),
  /** Files of messages, as stored: their keys are in the messages. */
  files: list(struct({ hash: bytes(32), storedBytes: uint() }), MAX_FILES)
})
export type BackupManifest = TypeOf<typeof manifestCodec>

const segmentCodec = struct({
  version: uint(),
  /** Each of the form of docs/backup-format.md, "Pieces". */
  pieces: list(bytesBetween(1, MAX_HISTORY_CHUNK_BYTES), MAX_PIECES)
})

export const encodeBackupManifest = (manifest: Omit<BackupManifest, 'version'>): Uint8Array =>
  encode(manifestCodec, { version: BACKUP_VERSION, ...manifest })

/** @throws {@link BackupError} `damaged`, `newer`. */
export const decodeBackupManifest = (input: Uint8Array): BackupManifest =>
  readVersioned(() => decode(manifestCodec, input, MANIFEST_LIMITS))

export const encodeBackupSegment = (pieces: Uint8Array[]): Uint8Array =>
  encode(segmentCodec, { version: BACKUP_VERSION, pieces })

/** @returns the pieces. @throws {@link BackupError} `damaged`, `newer`. */
export const decodeBackupSegment = (input: Uint8Array): Uint8Array[] =>
  readVersioned(() => decode(segmentCodec, input, SEGMENT_LIMITS)).pieces

function readVersioned<T extends { version: number }>(read: () => T): T {
  let value: T
  try {
    value = read()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new BackupError('damaged', error.message, { cause: error })
  }
  if (value.version !== BACKUP_VERSION) throw new BackupError('newer', `a backup of version ${value.version}`)
  return value
}

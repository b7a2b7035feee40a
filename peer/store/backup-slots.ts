/** What a device remembers of the backup of its account. */
import { bool, bytes, bytesBetween, list, struct, text, uint, type TypeOf } from '../../protocol/codec.ts'
import { KEY_BYTES } from '../../protocol/crypto/crypto.ts'
import { backupLockCodec } from '../../protocol/backup/backup-head.ts'
import { deviceIdCodec } from '../../protocol/identity/device.ts'
import type { Slot } from './state-store.ts'
import { entry } from './conversation-entries.ts'

const keyCodec = struct({
  /** 32 bytes, random: seals the heads. */
  backupKey: bytes(KEY_BYTES),
  /** How the passphrase opens it. */
  lock: backupLockCodec
})
/** The key of the backup, and its lock. */
export type BackupKeyState = TypeOf<typeof keyCodec>

const lastCodec = struct({
  /** Of the newest head that this device has made or seen; a lower one at a node is a rollback. */
  counter: uint(),
  /** SHA-256 of that head. */
  headHash: bytes(32),
  createdAt: uint(),
  chats: uint(),
  messages: uint(),
  files: uint(),
  storedBytes: uint(),
  /** Of the last run: bytes that were handed to nodes. */
  uploadedBytes: uint(),
  /** Encoded manifest of this device; empty before its first backup. */
  manifest: bytesBetween(0, 8 * 1024 * 1024 - 4096),
  /** Keys of the nodes that have everything in it. */
  nodes: list(bytes(32), 8),
  /** Devices whose contents were restored here: they need not be kept for their own sake. */
  covered: list(deviceIdCodec, 64)
})
/** The last backup that this device knows of. */
export type LastBackup = TypeOf<typeof lastCodec>

/** Most chats that can be left out of a backup. */
export const MAX_LEFT_OUT = 4_096

const choicesCodec = struct({
  /** Whether this device backs up by itself. */
  automatic: bool,
  withFiles: bool,
  /** Conversations that are not backed up. */
  leftOut: list(bytes(32), MAX_LEFT_OUT)
})
/** What the user has chosen about backups of this device. */
export type BackupChoices = TypeOf<typeof choicesCodec>
/** Before anything was chosen: the first backup says that others follow. */
export const DEFAULT_BACKUP_CHOICES: BackupChoices = { automatic: true, withFiles: true, leftOut: [] }

const ownStorageCodec = struct({ iagonKey: text(4096) })

export const backupSlots = {
  /** An Iagon account of the user's own. */
  ownStorage: (): Slot<TypeOf<typeof ownStorageCodec>> => ({ space: 'own-storage', codec: ownStorageEntry }),
  choices: (): Slot<BackupChoices> => ({ space: 'backup-choices', codec: choicesEntry }),
  key: (): Slot<BackupKeyState> => ({ space: 'backup-key', codec: keyEntry }),
  last: (): Slot<LastBackup> => ({ space: 'last-backup', codec: lastEntry })
}

const ownStorageEntry = entry(ownStorageCodec)
const choicesEntry = entry(choicesCodec)
const keyEntry = entry(keyCodec)
const lastEntry = entry(lastCodec)

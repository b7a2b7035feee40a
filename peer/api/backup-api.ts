import type { Me } from './account-api.ts'
import type { CallTable } from './call-table.ts'
import type { ConversationHex } from './ids.ts'

/** `peer.backup`: the history of the account, encrypted on nodes' storage under a passphrase. */
export interface BackupApi {
  /**
   * Makes a backup now. What has not changed since the last one is not uploaded again.
   * @param passphrase - of the first backup; later null for the same one, or another one, which replaces it.
   * @param iagonKey - of an Iagon account of the user's own, which the backup goes to from now on; null for the storage of the
   * nodes, left out for the one before. This device keeps it sealed, and nodes get it with each request and keep it nowhere.
   * Rejects with `backup`, `offline`.
   */
  now(passphrase: string | null, iagonKey?: string | null): Promise<BackupStatus>
  status(): Promise<BackupStatus>
  /** Changes what is backed up, and whether by itself; what is left out keeps its value. It counts from the next backup on. */
  choose(choices: Partial<BackupSettings>): Promise<BackupStatus>
  /** Reads the whole backup back and compares. Rejects with `backup` for what is wrong with it, `offline`. */
  check(): Promise<BackupCheck>
  /**
   * Brings the history of a backup to this device. On a device without an account it is opened to be read, or with a recovery code
   * the account is regained first; the code is used only once the passphrase has opened the backup.
   * Rejects with `backup`, `no-account`, `invalid-name`, `offline`, `no-recovery`, `recovery-code`.
   */
  restore(choice: RestoreChoice): Promise<RestoredBackup>
}

/** The calls of {@link BackupApi}. */
export const BACKUP_CALLS: CallTable<BackupApi> = {
  now: 'repeat',
  status: 'repeat',
  choose: 'repeat',
  check: 'repeat',
  restore: 'give-up'
}

/** What the user has chosen about backups of this device. */
export interface BackupSettings {
  /** It backs up by itself, once its passphrase is set: after some quiet time, at least once a day. */
  automatic: boolean
  /** Files of messages too. Without them they are restored only while the network has them. */
  withFiles: boolean
  /** Conversations that are not backed up. */
  leftOut: ConversationHex[]
}

/** A backup that is made, checked or restored just now. */
export interface BackupWork {
  kind: 'backing-up' | 'checking' | 'restoring'
  /** Of `total`: parts of the history. A part may turn up late, so `total` may grow. */
  done: number
  total: number
}

export interface BackupStatus {
  /** Whether this device can back up without being given a passphrase. */
  isSet: boolean
  /** Whether it goes to an Iagon account of the user's own. */
  isOnOwnStorage: boolean
  settings: BackupSettings
  /** When the next backup runs by itself; null if it does not. It waits for a connection. */
  nextAt: number | null
  /** Why the last attempt of this process failed, by the codes of `backup` or `offline`; null if it did not. */
  failed: string | null
  work: BackupWork | null
  /** The last backup of this device; null before the first one. */
  last: {
    at: number
    /** One more with each backup of the account. */
    counter: number
    chats: number
    messages: number
    files: number
    /** As stored, padding included. */
    bytes: number
    /** What the last run handed to nodes, all copies together. */
    uploadedBytes: number
    /** Nodes that have all of it. */
    copies: number
  } | null
}

/** What was read back. */
export interface BackupCheck {
  at: number
  counter: number
  chats: number
  messages: number
  files: number
}

export interface RestoreChoice {
  username: string
  passphrase: string
  /** Regains the account; null to look at the history only, or on a device of the account. */
  recoveryCode: string | null
  deviceName: string
  /** Of the user's own Iagon account, if the backup is there. */
  iagonKey?: string | null
}

/** What a restore brought. */
export interface RestoredBackup {
  me: Me
  /** Messages that were not here before. */
  messages: number
  chats: number
  /** When the backup was made. */
  at: number
  /** Whether this device can only read. */
  readOnly: boolean
}

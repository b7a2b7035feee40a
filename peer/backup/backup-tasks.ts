/** What makes, checks and restores backups. Few starts of the app need it: `BackupCalls` loads it when it is asked to work. */
import type { LocalObjects } from '../ports.ts'
import { LocalCopies } from '../files/local-copies.ts'
import type { GroupBook } from '../groups/group-book.ts'
import { ObjectClient } from '../objects/object-client.ts'
import type { SignedRequests } from '../objects/signed-requests.ts'
import type { OwnDevices } from '../own-devices/own-devices.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { BackupChecking } from './backup-checking.ts'
import { OwnBackupHeads } from './backup-heads.ts'
import type { BackupKey } from './backup-key.ts'
import { BackupLookup, type BackupLookupComponents } from './backup-lookup.ts'
import { BackupParts } from './backup-parts.ts'
import { BackupRestore, type BackupRestoreComponents } from './backup-restore.ts'
import { BackupRun } from './backup-run.ts'

export interface BackupTasksComponents extends Omit<BackupRestoreComponents, 'merge'>, BackupLookupComponents {
  directory: DirectoryClient
  own: OwnDevices
  book: GroupBook
  objects: LocalObjects
  requests: SignedRequests
  key: BackupKey
}

export class BackupTasks {
  readonly run: BackupRun
  readonly checking: BackupChecking
  readonly restore: BackupRestore
  readonly lookup: BackupLookup

  constructor(components: BackupTasksComponents) {
    const { context, states, directory, own, book, objects, requests } = components
    const heads = new OwnBackupHeads(components)
    const client = new ObjectClient(requests)
    const parts = new BackupParts({ context, states, directory, items: own.items, groups: book })
    const copies = new LocalCopies({ context, states, objects })
    this.run = new BackupRun({ ...components, copies, client, heads, parts })
    this.checking = new BackupChecking({ ...components, client, heads })
    this.restore = new BackupRestore({ ...components, merge: own.merge })
    this.lookup = new BackupLookup(components)
  }
}

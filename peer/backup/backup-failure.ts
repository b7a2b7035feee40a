import { BackupError } from '../../protocol/backup/backup-error.ts'
import { PeerError } from '../errors.ts'
import { ObjectDamaged, ObjectGone } from '../objects/object-reader.ts'
import { ObjectRefusal } from '../objects/signed-requests.ts'

/** What a person is told of a failure about backups. What is none of these comes back as it is. */
export function backupFailure(cause: unknown): unknown {
  if (cause instanceof BackupError) return new PeerError('backup', { fault: cause.code }, { cause })
  if (cause instanceof ObjectGone) return new PeerError('backup', { fault: 'incomplete' }, { cause })
  if (cause instanceof ObjectDamaged) return new PeerError('backup', { fault: 'damaged' }, { cause })
  if (!(cause instanceof ObjectRefusal)) return cause
  switch (cause.code) {
    case 'bad-authorization':
      return new PeerError('backup', { fault: 'passphrase' }, { cause })
    case 'over-quota':
    case 'disk-full':
    case 'too-large':
      return new PeerError('backup', { fault: 'no-room' }, { cause })
    case 'storage-key':
      return new PeerError('backup', { fault: 'storage-key' }, { cause })
    case 'rate-limited':
      return new PeerError('backup', { fault: 'too-often' }, { cause })
    default:
      return new PeerError('offline', { origin: null }, { cause })
  }
}

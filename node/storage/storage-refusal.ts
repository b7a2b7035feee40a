import { StorageError } from '../../storage-adapter/errors.ts'
import { NodeError, type NodeErrorCode } from '../errors.ts'
import type { Logger } from '../ports.ts'

const REFUSALS: Partial<Record<StorageError['code'], [NodeErrorCode, string]>> = {
  'not-found': ['not-found', 'The storage of this node lost the object.'],
  'too-large': ['too-large', 'The object is too large for the storage of this node.'],
  quota: ['disk-full', 'The storage of this node is full.'],
  corrupt: ['malformed', 'The bytes do not have the hash that names the object.']
}

/**
 * What a client is told of a failure of the storage; any other error comes out as it is.
 * @param isOwn - whether the storage is the person's own: then they are told that its key is refused.
 */
export function refusalOf(error: unknown, log: Logger, isOwn = false): unknown {
  if (!(error instanceof StorageError)) return error
  if (isOwn && error.code === 'unauthorised') {
    return new NodeError('storage-key', 'The storage does not accept this key.', { cause: error })
  }
  const [code, message] = REFUSALS[error.code] ?? ['busy', 'The storage of this node does not answer; try again.']
  if (code === 'busy') log.warn('the storage failed', { code: error.code, reason: error.message })
  return new NodeError(code, message, { cause: error })
}

/**
 * Stable reasons that a storage does not do what it is asked:
 *
 * - `not-found` no object has this reference
 * - `unauthorised` the key is wrong or revoked
 * - `too-large` the object is larger than this storage takes
 * - `quota` the storage is full, or the account behind the key has used its share
 * - `rate-limited` too many requests
 * - `unavailable` no answer in time, or a failure on the other side
 * - `corrupt` the bytes are not those that were stored, or not as many
 * - `conflict` another object has this name already
 * - `invalid` a name or reference that no caller of ours makes
 */
export type StorageErrorCode =
  | 'not-found'
  | 'unauthorised'
  | 'too-large'
  | 'quota'
  | 'rate-limited'
  | 'unavailable'
  | 'corrupt'
  | 'conflict'
  | 'invalid'

const RETRYABLE: readonly StorageErrorCode[] = ['rate-limited', 'unavailable']

/** Thrown by every storage adapter. Messages name objects and counts, never a key. */
export class StorageError extends Error {
  override name = 'StorageError'
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** The same call may succeed later without a change of the request. */
  get isRetryable(): boolean {
    return RETRYABLE.includes(this.code)
  }
}

/**
 * Stable reasons why a release cannot be made or read; callers and tests match these, people read the message.
 *
 * - `MALFORMED` a manifest or file that is not what it should be
 * - `CHANGED` the files of a build are not those of its manifest
 * - `BAD_KEY_FILE` the release key's file is missing, malformed, or open to others
 * - `WRONG_KEY` the key is not the one that the network's genesis names
 * - `NOT_ACCEPTED` the record is on the chain and does not count
 */
export type ReleaseErrorCode = 'MALFORMED' | 'CHANGED' | 'BAD_KEY_FILE' | 'WRONG_KEY' | 'NOT_ACCEPTED'

/** Thrown by everything in this folder. */
export class ReleaseError extends Error {
  override name = 'ReleaseError'
  readonly code: ReleaseErrorCode

  constructor(code: ReleaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * What is wrong with a backup, by what a person can do about it.
 *
 * - `passphrase` it is another one
 * - `weak` the parameters of the passphrase are below the floors: nothing was derived
 * - `other-account` it is of another account, or of another network
 * - `damaged` cut off, changed, or not of this format
 * - `newer` a later version of Volo made it
 */
export type BackupErrorCode = 'passphrase' | 'weak' | 'other-account' | 'damaged' | 'newer'

export class BackupError extends Error {
  override name = 'BackupError'
  readonly code: BackupErrorCode

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

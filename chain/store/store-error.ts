/**
 * Stable reasons that a store cannot be used:
 *
 * - `in-use` another process has it open
 * - `newer` a newer version of the program wrote it
 * - `not-opened` its files cannot be read, made or written
 * - `write-failed` a write failed: nothing that is written from now on would be safe
 */
export type StoreErrorCode = 'in-use' | 'newer' | 'not-opened' | 'write-failed'

/** Thrown by stores on disk. The message is one sentence for the person who runs the program. */
export class StoreError extends Error {
  override name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What the system or LevelDB says about a failure, in a few words. */
export function reasonOf(error: unknown): string {
  const { code, cause, message } = error as { code?: string; cause?: unknown; message?: string }
  if (code?.startsWith('LEVEL_') && cause !== undefined) return reasonOf(cause)
  return code !== undefined && !code.startsWith('LEVEL_') ? code : (message ?? String(error))
}

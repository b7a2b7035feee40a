import { isLockedOut } from '../../../peer/errors.ts'
import type { LockApi } from '../worker/lock-api.ts'

/** Whether this browser is locked, and what a person does about it. */
export class AppLock {
  /** Whether the peer is shut until a tab gives the passphrase. */
  isShut = $state(false)

  readonly api: LockApi
  readonly #onForgotten: () => void

  /** @param onForgotten - everything that the peer kept is deleted: the page begins again. */
  constructor(api: LockApi, onForgotten: () => void) {
    this.api = api
    this.#onForgotten = onForgotten
  }

  /** Takes notice of a failed call. @returns whether it failed because the browser is locked. */
  noteFailure(error: unknown): boolean {
    if (!isLockedOut(error)) return false
    this.isShut = true
    return true
  }

  /** Deletes everything in this browser. */
  async forget(): Promise<void> {
    await this.api.forget()
    this.#onForgotten()
  }
}

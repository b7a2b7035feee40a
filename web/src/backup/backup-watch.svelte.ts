import type { BackupWork, PeerApi, RestoreChoice, RestoredBackup } from '../../../peer/peer-api.ts'

/**
 * A backup that is made, checked or restored, for every screen. A restore outlives the page that began it: the chats are open as soon as
 * there is an account, and what could not be read is said there.
 */
export class BackupWatch {
  work = $state.raw<BackupWork | null>(null)
  /** Whether a restore was begun here and has not ended. */
  isRestoring = $state(false)
  /** Why the last restore failed, or did not bring everything. */
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** Listens. @returns what ends it. */
  open(): () => void {
    return this.#api.on('backup', work => (this.work = work))
  }

  /** @returns what came; null if it failed, or not everything is here. */
  async restore(choice: RestoreChoice): Promise<RestoredBackup | null> {
    if (this.isRestoring) return null
    this.isRestoring = true
    this.failure = null
    try {
      return await this.#api.backup.restore(choice)
    } catch (error) {
      this.failure = error
      return null
    } finally {
      this.isRestoring = false
    }
  }
}

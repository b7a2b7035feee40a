import type { BackupCheck, BackupSettings, BackupStatus, ConversationHex, PeerApi } from '../../../peer/peer-api.ts'

/** Shortest passphrase that is taken. */
export const MIN_PASSPHRASE_LENGTH = 8

/** The backup of the own account, on its page. */
export class BackupPage {
  status = $state.raw<BackupStatus | null>(null)
  checked = $state.raw<BackupCheck | null>(null)
  /** Messages that a restore on this page has brought; null if there was none. */
  brought = $state<number | null>(null)
  passphrase = $state('')
  work = $state<'none' | 'backing-up' | 'checking'>('none')
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi

  constructor(api: PeerApi) {
    this.#api = api
  }

  /** The first backup needs a passphrase; a later one may have another. */
  get canBackUp(): boolean {
    if (this.work !== 'none') return false
    return this.passphrase === '' ? this.status?.isSet === true : this.passphrase.length >= MIN_PASSPHRASE_LENGTH
  }

  async look(): Promise<void> {
    this.status = await this.#api.backup.status().catch(() => null)
  }

  backUp(): Promise<void> {
    if (!this.canBackUp) return Promise.resolve()
    return this.#run('backing-up', async () => {
      this.status = await this.#api.backup.now(this.passphrase === '' ? null : this.passphrase)
      this.passphrase = ''
    })
  }

  /** Changes what is backed up, and whether by itself. It counts at once. */
  async choose(change: Partial<BackupSettings>): Promise<void> {
    try {
      this.status = await this.#api.backup.choose(change)
    } catch (error) {
      this.failure = error
    }
  }

  /** Takes a chat out of later backups, or in again. */
  chooseChat(id: ConversationHex, isIn: boolean): Promise<void> {
    const others = (this.status?.settings.leftOut ?? []).filter(each => each !== id)
    return this.choose({ leftOut: isIn ? others : [...others, id] })
  }

  check(): Promise<void> {
    return this.#run('checking', async () => {
      this.checked = await this.#api.backup.check()
    })
  }

  async #run(work: 'backing-up' | 'checking', run: () => Promise<void>): Promise<void> {
    if (this.work !== 'none') return
    this.work = work
    this.failure = null
    this.checked = this.brought = null
    try {
      await run()
    } catch (error) {
      this.failure = error
    } finally {
      this.work = 'none'
    }
  }
}

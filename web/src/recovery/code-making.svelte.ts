import type { PeerApi } from '../../../peer/peer-api.ts'
import type { RecoveryStatus } from '../state/recovery-status.svelte.ts'

/** A recovery code while a person makes one: shown, kept on paper or in a file, and only then put on the public record. */
export class CodeMaking {
  /** The code that is shown; null before one is made, and once it is the account's own. */
  code = $state<string | null>(null)
  /** Whether the person has printed, saved or copied it. */
  isKept = $state(false)
  /** Whether the network is being told. */
  isSetting = $state(false)
  /** Whether the code was taken over since this screen was opened. */
  isDone = $state(false)
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi
  readonly #status: RecoveryStatus

  constructor(api: PeerApi, status: RecoveryStatus) {
    this.#api = api
    this.#status = status
  }

  /** Makes a code. Nothing is changed by it. */
  async make(): Promise<void> {
    await this.#try(async () => {
      this.code = (await this.#api.recovery.draft()).code
      this.isKept = this.isDone = false
    })
  }

  /** The person has kept the code: it becomes the account's own, and is shown no more. */
  async set(): Promise<void> {
    const { code } = this
    if (code === null || this.isSetting) return
    this.isSetting = true
    await this.#try(async () => {
      await this.#status.set(code)
      this.code = null
      this.isDone = true
    })
    this.isSetting = false
  }

  /** Takes back a code that waits. */
  async refuse(): Promise<void> {
    await this.#try(() => this.#status.refuse())
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.failure = null
    try {
      await work()
    } catch (error) {
      this.failure = error
    }
  }
}

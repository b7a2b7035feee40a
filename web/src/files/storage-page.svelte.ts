import type { ConversationHex, FileUsage, PeerApi } from '../../../peer/peer-api.ts'

/** What files take on this device. */
export class StoragePage {
  /** Largest first; null until it is known. */
  usage = $state.raw<FileUsage[] | null>(null)
  /** The chat whose files are freed once the user says so again. */
  asked = $state<ConversationHex | null>(null)
  failure = $state.raw<unknown>(null)
  readonly #api: PeerApi

  constructor(api: PeerApi) {
    this.#api = api
  }

  get totalBytes(): number {
    return (this.usage ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async look(): Promise<void> {
    try {
      this.usage = await this.#api.files.usage()
    } catch (error) {
      this.failure = error
    }
  }

  async free(conversationId: ConversationHex): Promise<void> {
    this.asked = null
    this.failure = null
    try {
      await this.#api.files.free(conversationId)
    } catch (error) {
      this.failure = error
    }
    await this.look()
  }
}

import type { PeerApi } from '../../../peer/peer-api.ts'
import { prepareFile, type PreparedFile } from './picture.ts'

/** A file that was chosen and not sent yet. */
export interface ChosenFile {
  id: number
  file: File
  /** Address of a small picture; null for other files. */
  preview: string | null
  /** It may tell where it was taken, and goes out as it is. */
  keepsNotes: boolean
  prepared: Promise<PreparedFile>
}

/** Files that are sent at once at most. */
const MAX_CHOSEN = 20

/** The files that wait above the box until the user sends them. */
export class FileSending {
  chosen = $state.raw<ChosenFile[]>([])
  failure = $state.raw<unknown>(null)
  isSending = $state(false)
  #lastId = 0
  readonly #api: PeerApi
  readonly #conversationId: string

  constructor(api: PeerApi, conversationId: string) {
    this.#api = api
    this.#conversationId = conversationId
  }

  /** Adds files that were chosen, dropped or pasted. */
  async add(files: Iterable<File>): Promise<void> {
    this.failure = null
    for (const file of files) {
      if (this.chosen.length >= MAX_CHOSEN) return
      const preparing = prepareFile(file)
      const prepared = preparing.then(done => done.prepared)
      const chosen: ChosenFile = { id: ++this.#lastId, file, preview: null, keepsNotes: false, prepared }
      this.chosen = [...this.chosen, chosen]
      const { keepsNotes } = await preparing
      if (keepsNotes) this.#change(chosen, { keepsNotes })
      const { thumbnail } = await prepared
      if (thumbnail) this.#show(chosen, thumbnail)
    }
  }

  #change({ id }: ChosenFile, change: Partial<ChosenFile>): void {
    this.chosen = this.chosen.map(each => (each.id === id ? { ...each, ...change } : each))
  }

  #show(chosen: ChosenFile, thumbnail: Uint8Array): void {
    const preview = URL.createObjectURL(new Blob([thumbnail as Uint8Array<ArrayBuffer>], { type: 'image/webp' }))
    if (!this.chosen.some(each => each.id === chosen.id)) return URL.revokeObjectURL(preview)
    this.#change(chosen, { preview })
  }

  remove(id: number): void {
    const gone = this.chosen.find(each => each.id === id)
    if (gone?.preview) URL.revokeObjectURL(gone.preview)
    this.chosen = this.chosen.filter(each => each.id !== id)
  }

  clear(): void {
    for (const { id } of this.chosen) this.remove(id)
  }

  /** Sends them in order. @param text - goes with the last one. @returns whether all were taken; the others stay. */
  async send(text: string): Promise<boolean> {
    this.isSending = true
    this.failure = null
    try {
      for (const { id, prepared } of this.chosen) {
        const isLast = this.chosen.at(-1)?.id === id
        const { content, ...about } = await prepared
        await this.#api.files.send(this.#conversationId, content, { ...about, text: isLast ? text : '' })
        this.remove(id)
      }
      return true
    } catch (error) {
      this.failure = error
      return false
    } finally {
      this.isSending = false
    }
  }

  /** Sends a voice note. */
  async sendVoice(content: Blob, voice: { durationMs: number; waveform: Uint8Array }): Promise<boolean> {
    this.failure = null
    try {
      await this.#api.files.send(this.#conversationId, content, { name: 'voice-note', voice })
      return true
    } catch (error) {
      this.failure = error
      return false
    }
  }
}

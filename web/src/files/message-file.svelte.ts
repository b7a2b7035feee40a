import type { ChatMessage, FileTransfer, FileView, PeerApi } from '../../../peer/peer-api.ts'
import { PICTURE_TYPES, SNIFFED_BYTES, sniffMediaType } from '../../../protocol/files/media-type.ts'

/** Sound that every browser plays and that can hold nothing else. */
const SOUND_TYPES: readonly string[] = [
  'audio/webm',
  'video/webm',
  'audio/ogg',
  'audio/mp4',
  'video/mp4',
  'audio/mpeg',
  'audio/wav'
]

/** Pictures up to this size are fetched when they come on the screen; larger ones when they are asked for. */
export const SHOWN_BY_ITSELF_BYTES = 8 * 1024 * 1024

/** The file of one message on the screen: how far it is, and its content once it is wanted. */
export class MessageFile {
  state = $state<'idle' | 'moving' | 'here' | 'failed'>('idle')
  /** Parts of 1. */
  progress = $state(0)
  failure = $state.raw<unknown>(null)
  /** Address of the content, for a picture or a sound of a type that is safe to show. */
  url = $state<string | null>(null)

  readonly #api: PeerApi
  readonly #id: string
  readonly #file: FileView
  #stop: (() => void) | undefined
  #isClosed = false
  #running: Promise<Blob | null> | undefined

  constructor(api: PeerApi, message: Pick<ChatMessage, 'id'>, file: FileView) {
    this.#api = api
    this.#id = message.id
    this.#file = file
  }

  /** Follows uploads and downloads. @returns what ends it and lets the content go. */
  open(): () => void {
    this.#isClosed = false
    this.#stop = this.#api.on('transfer', transfer => this.#moved(transfer))
    return () => this.close()
  }

  close(): void {
    this.#isClosed = true
    this.#stop?.()
    if (this.url) URL.revokeObjectURL(this.url)
    this.url = null
  }

  #moved({ messageId, doneBytes, totalBytes, direction }: FileTransfer): void {
    if (messageId !== this.#id) return
    this.progress = totalBytes === 0 ? 1 : doneBytes / totalBytes
    if (direction === 'download' && this.state === 'idle') this.state = 'moving'
  }

  /** Fetches the file, and shows it if it is a picture or a sound. */
  async show(): Promise<void> {
    const content = await this.#fetch()
    if (!content || this.#isClosed || this.url) return
    const type = sniffMediaType(new Uint8Array(await content.slice(0, SNIFFED_BYTES).arrayBuffer()))
    // By its bytes, never by its sender's word: nothing that could be a page or a script is given to the browser.
    const isShown = PICTURE_TYPES.includes(type) || (this.#file.voice !== null && SOUND_TYPES.includes(type))
    if (isShown) this.url = URL.createObjectURL(new Blob([content], { type }))
  }

  /** Fetches the file and hands it to the browser's downloads. */
  async save(): Promise<void> {
    const content = await this.#fetch()
    if (!content) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }))
    link.download = this.#file.name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  }

  async stop(): Promise<void> {
    await this.#api.files.stop(this.#id)
  }

  /** Two who want it at once wait for the same. */
  #fetch(): Promise<Blob | null> {
    this.#running ??= this.#fetchNow().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #fetchNow(): Promise<Blob | null> {
    this.state = 'moving'
    this.progress = 0
    this.failure = null
    try {
      await this.#api.files.fetch(this.#id)
      const chunks: BlobPart[] = []
      for (let index = 0; ; index++) {
        const chunk = await this.#api.files.chunk(this.#id, index)
        if (chunk.length === 0) break
        chunks.push(chunk as Uint8Array<ArrayBuffer>)
      }
      this.state = 'here'
      return new Blob(chunks)
    } catch (error) {
      this.failure = error
      this.state = 'failed'
      return null
    }
  }
}

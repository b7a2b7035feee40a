/**
 * An upload that begins while its file is still being encrypted, before there is a message. It ends like any first attempt:
 * the queue of uploads takes its outcome, and goes on where it broke off.
 */
import type { ObjectNode } from '../objects/signed-requests.ts'

export class EarlyUpload {
  readonly node: ObjectNode
  readonly #controller = new AbortController()
  readonly #ended: Promise<unknown>
  #doneBytes = 0
  #onProgress: ((doneBytes: number) => void) | undefined

  /** @param run - hands the object to the node. */
  constructor(node: ObjectNode, run: (signal: AbortSignal, onProgress: (doneBytes: number) => void) => Promise<void>) {
    this.node = node
    const told = (doneBytes: number): void => {
      this.#doneBytes = doneBytes
      this.#onProgress?.(doneBytes)
    }
    // A failure is a result: who stops it early never asks.
    this.#ended = run(this.#controller.signal, told).then(
      () => undefined,
      (error: unknown) => error ?? new Error('the upload failed')
    )
  }

  /**
   * Waits for the end.
   * @throws what the upload failed with.
   */
  async end(signal: AbortSignal, onProgress: (doneBytes: number) => void): Promise<void> {
    this.#onProgress = onProgress
    if (this.#doneBytes > 0) onProgress(this.#doneBytes)
    const stop = (): void => this.stop()
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const failure = await this.#ended
    signal.removeEventListener('abort', stop)
    if (failure !== undefined) throw failure
  }

  stop(): void {
    this.#controller.abort()
  }
}

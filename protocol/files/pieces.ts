/** Cuts a stream of bytes, which comes in pieces of any length, into pieces of the lengths that are asked for. */
import { concatBytes } from '../bytes.ts'

/** Bytes as they come. */
export type ByteStream = AsyncIterable<Uint8Array>

export class PieceReader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Uint8Array = new Uint8Array(0)

  constructor(source: ByteStream) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The next `length` bytes, fewer only where the stream ends; of one piece of the source where they lie in one. */
  async read(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      if (this.#held.length === 0) {
        const { done, value } = await this.#source.next()
        if (done === true) break
        this.#held = value
        continue
      }
      const part = this.#held.subarray(0, missing)
      this.#held = this.#held.subarray(part.length)
      missing -= part.length
      parts.push(part)
    }
    return parts.length === 1 ? parts[0]! : concatBytes(...parts)
  }

  /** Whether every byte was read. */
  async isAtEnd(): Promise<boolean> {
    const next = await this.read(1)
    return next.length === 0
  }

  /** Tells the source that nothing more is read. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }
}

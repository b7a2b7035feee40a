/** A local object that grows: what is there can be read already, and sent on. */
import type { LocalObjects } from '../ports.ts'

/** Newest pieces that are kept in memory: who sends them on at once need not read them back. */
const KEPT_PIECES = 6

interface Piece {
  start: number
  bytes: Uint8Array
}

export class ObjectInMaking {
  /** Among the local objects. */
  readonly localName: string
  /** Bytes that it will have. */
  readonly size: number
  readonly #objects: LocalObjects
  readonly #whole = Promise.withResolvers<Uint8Array>()
  #there = 0
  readonly #pieces: Piece[] = []
  #grown = Promise.withResolvers<void>()

  constructor(objects: LocalObjects, { localName, size }: { localName: string; size: number }) {
    this.#objects = objects
    this.localName = localName
    this.size = size
    // Readers hear of a failure; often there is none of them.
    this.#whole.promise.catch(() => undefined)
    this.#grown.promise.catch(() => undefined)
  }

  /** The hash of the object, once it is whole. */
  get hash(): Promise<Uint8Array> {
    return this.#whole.promise
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#objects.append(this.localName, bytes)
    this.#pieces.push({ start: this.#there, bytes })
    if (this.#pieces.length > KEPT_PIECES) this.#pieces.shift()
    this.#there += bytes.length
    this.#grown.resolve()
    this.#grown = Promise.withResolvers()
    this.#grown.promise.catch(() => undefined)
  }

  end(hash: Uint8Array): void {
    this.#whole.resolve(hash)
  }

  /** Nothing more will come: readers that wait fail. */
  fail(reason: unknown): void {
    this.#whole.reject(reason)
    this.#grown.reject(reason)
  }

  /** Waits for bytes that are not there yet. */
  async read(start: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    while (this.#there < Math.min(start + length, this.size)) await this.#grown.promise
    const end = Math.min(start + length, this.#there)
    if (start < (this.#pieces[0]?.start ?? this.#there)) {
      return this.#objects.read(this.localName, start, length, into)
    }
    const bytes = into && into.length >= end - start ? into.subarray(0, end - start) : new Uint8Array(end - start)
    for (const piece of this.#pieces) {
      const [from, to] = [Math.max(start, piece.start), Math.min(end, piece.start + piece.bytes.length)]
      if (from < to) bytes.set(piece.bytes.subarray(from - piece.start, to - piece.start), from - start)
    }
    return bytes
  }
}

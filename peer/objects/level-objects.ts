import { concatBytes } from '../../protocol/bytes.ts'
import type { KeyValueStore, LocalObjects } from '../ports.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'

/** After every digit of a key. */
const LAST = '~'
/** Pieces that are removed in one batch: a range reads what it finds. */
const REMOVED_AT_ONCE = 4

/** Objects as entries of a key-value store, one for each piece that was appended: in browsers. */
export class LevelObjects implements LocalObjects {
  readonly #store: KeyValueStore
  readonly #writes = new SerialQueue()

  /** @param store - of its own: pieces are large, and are stored as they come. */
  constructor(store: KeyValueStore) {
    this.#store = store
  }

  async size(name: string): Promise<number> {
    const [last] = await this.#store.range({ ...this.#pieces(name), reverse: true, limit: 1 })
    return last ? startOf(last[0]) + last[1].length : 0
  }

  async read(name: string, start: number, length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    let at = start
    while (at < start + length) {
      const { gte } = this.#pieces(name)
      // The piece that holds the byte begins at it, or is the last one that begins before it.
      const [piece] = await this.#store.range({ gte, lt: `${pieceKey(name, at)}${LAST}`, reverse: true, limit: 1 })
      const offset = piece ? at - startOf(piece[0]) : 0
      if (!piece || offset >= piece[1].length) break
      const part = piece[1].subarray(offset, offset + start + length - at)
      parts.push(part)
      at += part.length
    }
    return concatBytes(...parts)
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#writes.run(async () => {
      const piece = { key: pieceKey(name, await this.size(name)), value: bytes }
      await this.#store.batch([{ key: `name/${name}`, value: new Uint8Array() }, piece], { durable: false })
    })
  }

  truncate(name: string, size: number): Promise<void> {
    return this.#writes.run(async () => {
      for (;;) {
        const [last] = await this.#store.range({ ...this.#pieces(name), reverse: true, limit: 1 })
        if (!last || startOf(last[0]) + last[1].length <= size) return
        const [key, piece] = last
        const kept = Math.max(0, size - startOf(key))
        await this.#store.batch([{ key, value: kept > 0 ? piece.slice(0, kept) : null }], { durable: false })
      }
    })
  }

  async flush(): Promise<void> {
    await this.#store.flush()
  }

  remove(name: string): Promise<void> {
    return this.#writes.run(async () => {
      for (;;) {
        const pieces = await this.#store.range({ ...this.#pieces(name), limit: REMOVED_AT_ONCE })
        if (pieces.length === 0) break
        await this.#store.batch(
          pieces.map(([key]) => ({ key, value: null })),
          { durable: false }
        )
      }
      await this.#store.batch([{ key: `name/${name}`, value: null }], { durable: false })
    })
  }

  async names(): Promise<string[]> {
    const entries = await this.#store.range({ gte: 'name/', lt: `name/${LAST}` })
    return entries.map(([key]) => key.slice('name/'.length))
  }

  async close(): Promise<void> {
    await this.#writes.idle()
    await this.#store.close()
  }

  #pieces(name: string): { gte: string; lt: string } {
    return { gte: `piece/${name}/`, lt: `piece/${name}/${LAST}` }
  }
}

const pieceKey = (name: string, start: number): string => `piece/${name}/${start.toString(16).padStart(12, '0')}`

const startOf = (key: string): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16)

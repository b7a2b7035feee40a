/** Keys of a block that is full; it is cut in two. */
const MAX_BLOCK = 512

/** A map that also knows the order of its keys: a range costs what it holds, not what the whole map holds. */
export class SortedEntries extends Map<string, Uint8Array> {
  /** Keys in order, in blocks that are small enough to be changed in the middle. */
  #blocks: string[][] = [[]]

  override set(key: string, value: Uint8Array): this {
    if (!this.has(key)) this.#insert(key)
    return super.set(key, value)
  }

  override delete(key: string): boolean {
    if (!super.delete(key)) return false
    const at = this.#blockOf(key)
    const block = this.#blocks[at]!
    block.splice(placeIn(block, key), 1)
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1)
    return true
  }

  override clear(): void {
    super.clear()
    this.#blocks = [[]]
  }

  /** Entries from `gte` up to, not including, `lt`, in the order of their keys or against it. */
  range({ gte, lt, reverse = false, limit = Infinity }: RangeOptions): [string, Uint8Array][] {
    const found: [string, Uint8Array][] = []
    const step = reverse ? -1 : 1
    for (let at = this.#blockOf(reverse ? lt : gte); at >= 0 && at < this.#blocks.length; at += step) {
      const block = this.#blocks[at]!
      const [from, to] = [placeIn(block, gte), placeIn(block, lt)]
      const keys = block.slice(from, to)
      for (const key of reverse ? keys.reverse() : keys) {
        if (found.length === limit) return found
        found.push([key, this.get(key)!])
      }
      // The rest is out of the range.
      if (reverse ? from > 0 : to < block.length) break
    }
    return found
  }

  #insert(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#blocks[at]!
    block.splice(placeIn(block, key), 0, key)
    if (block.length > MAX_BLOCK) this.#blocks.splice(at, 1, block.slice(0, MAX_BLOCK / 2), block.slice(MAX_BLOCK / 2))
  }

  /** The block that holds a key, or would. */
  #blockOf(key: string): number {
    let [low, high] = [0, this.#blocks.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#blocks[middle]![0]! <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

interface RangeOptions {
  gte: string
  lt: string
  reverse?: boolean
  limit?: number | undefined
}

/** How many keys of a block come before `key`. */
function placeIn(block: readonly string[], key: string): number {
  let [low, high] = [0, block.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (block[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Byte cells in a few large buffers: a million small values cost what their bytes do, and the garbage collector sees
 * none of them. A cell is named by a number above 0.
 */

/** Cells begin at multiples of this, so that a 32-bit number names any of 32 GiB. */
const UNIT_BYTES = 8
const CHUNK_UNITS_LOG2 = 17
const CHUNK_UNITS = 1 << CHUNK_UNITS_LOG2
/** The first chunk begins this small and doubles: most directories hold a few accounts. */
const FIRST_CHUNK_UNITS = 128
/** Sizes in units; the next is an eighth larger, so what a growing value leaves behind fits one that grows after it. */
const SIZES: number[] = []
for (let units = 1; units < 1 << 26; units += Math.max(1, units >> 3)) SIZES.push(units)

export class CellStore {
  readonly #chunks: Uint8Array[] = []
  /** Units in use of the last chunk. Unit 0 of the first one is never given out: 0 names no cell. */
  #used = 1
  /** Cells of each size that were given back. */
  readonly #free = new Map<number, number[]>()

  /** Bytes of memory that are taken, free cells included. */
  get byteLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  /** Writes bytes into a cell of their own. @param bytes - fewer than 512 MiB. */
  add(bytes: Uint8Array): number {
    const size = sizeFor(bytes.length)
    const cell = this.#free.get(size)?.pop() ?? this.#allocate(SIZES[size]!)
    this.#write(cell, size, bytes)
    return cell
  }

  /** Writes other bytes in the place of a cell's. @returns the cell that holds them now. */
  replace(cell: number, bytes: Uint8Array): number {
    const { chunk, offset } = this.#locate(cell)
    const size = sizeFor(bytes.length)
    if (chunk[offset] === size) {
      this.#write(cell, size, bytes)
      return cell
    }
    this.free(cell)
    return this.add(bytes)
  }

  /** Gives a cell back. */
  free(cell: number): void {
    const { chunk, offset } = this.#locate(cell)
    const size = chunk[offset]!
    const known = this.#free.get(size)
    if (known) known.push(cell)
    else this.#free.set(size, [cell])
  }

  /**
   * A copy, because the cell may be overwritten while the value is in use.
   * @param length - how many bytes; without it all, followed by what fills the cell up.
   */
  copy(cell: number, length?: number): Uint8Array {
    const { chunk, offset } = this.#locate(cell)
    return chunk.slice(
      offset + 1,
      length === undefined ? offset + SIZES[chunk[offset]!]! * UNIT_BYTES : offset + 1 + length
    )
  }

  /** Whether the bytes of a cell begin with those of a `bytesKey`. */
  beginsWith(cell: number, key: string): boolean {
    const { chunk, offset } = this.#locate(cell)
    for (let i = 0; i < key.length; i++) if (chunk[offset + 1 + i] !== key.charCodeAt(i)) return false
    return true
  }

  #write(cell: number, size: number, bytes: Uint8Array): void {
    const { chunk, offset } = this.#locate(cell)
    chunk[offset] = size
    chunk.set(bytes, offset + 1)
  }

  #locate(cell: number): { chunk: Uint8Array; offset: number } {
    return { chunk: this.#chunks[cell >>> CHUNK_UNITS_LOG2]!, offset: (cell & (CHUNK_UNITS - 1)) * UNIT_BYTES }
  }

  #allocate(units: number): number {
    const last = this.#chunks.length - 1
    const isInLast = last >= 0 && this.#used + units <= CHUNK_UNITS
    if (isInLast) {
      this.#grow(last, this.#used + units)
      const cell = last * CHUNK_UNITS + this.#used
      this.#used += units
      return cell
    }
    // What is larger than a chunk has one to itself.
    const first = last < 0 ? 1 : 0
    const isFirstSmall = last < 0 && units < FIRST_CHUNK_UNITS
    this.#chunks.push(
      new Uint8Array(UNIT_BYTES * (isFirstSmall ? FIRST_CHUNK_UNITS : Math.max(CHUNK_UNITS, units + first)))
    )
    this.#used = first + units
    return (last + 1) * CHUNK_UNITS + first
  }

  #grow(index: number, units: number): void {
    const chunk = this.#chunks[index]!
    if (units * UNIT_BYTES <= chunk.length) return
    const length = Math.min(CHUNK_UNITS * UNIT_BYTES, Math.max(2 * chunk.length, units * UNIT_BYTES))
    const grown = new Uint8Array(length)
    grown.set(chunk)
    this.#chunks[index] = grown
  }
}

/** Index in {@link SIZES} of the smallest cell for so many bytes and the byte that names its size. */
function sizeFor(length: number): number {
  const units = Math.ceil((length + 1) / UNIT_BYTES)
  let low = 0
  let high = SIZES.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (SIZES[middle]! < units) low = middle + 1
    else high = middle
  }
  return low
}

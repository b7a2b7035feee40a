/**
 * How the tables of the directory write values into memory. Not a format: no other program reads these bytes, so there are no
 * checks and no versions, and a writer and its reader must only agree with each other.
 */

const FLOAT = 0xff

/** Writes one value into a buffer that grows. */
export class PackWriter {
  #bytes = new Uint8Array(512)
  #length = 0

  /** What was written; a view, good until more is written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** @param value - 0 to 255. */
  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** Any number: small whole ones take few bytes. */
  number(value: number): void {
    this.#reserve(9)
    const bytes = this.#bytes
    if (!Number.isSafeInteger(value) || value < 0) {
      bytes[this.#length++] = FLOAT
      new DataView(bytes.buffer).setFloat64(this.#length, value)
      this.#length += 8
      return
    }
    const head = this.#length++
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes[this.#length++] = rest % 256
    bytes[head] = this.#length - head - 1
  }

  /** Bytes of a length that the reader knows. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Text of one byte a character. */
  text(value: string): void {
    this.number(value.length)
    for (let i = 0; i < value.length; i++) this.byte(value.charCodeAt(i))
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(2 * (this.#length + count))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

/** Reads what {@link PackWriter} wrote. Byte strings are views of what it is given. */
export class PackReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
  }

  byte(): number {
    return this.#bytes[this.#offset++]!
  }

  number(): number {
    const bytes = this.#bytes
    const count = bytes[this.#offset++]!
    if (count === FLOAT) {
      const value = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(this.#offset)
      this.#offset += 8
      return value
    }
    let value = 0
    for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[this.#offset + i]!
    this.#offset += count
    return value
  }

  bytes(length: number): Uint8Array {
    return this.#bytes.subarray(this.#offset, (this.#offset += length))
  }

  text(): string {
    const length = this.number()
    return String.fromCharCode.apply(null, this.bytes(length) as unknown as number[])
  }

  /** As many values as were written, each read by `read`. */
  list<T>(read: (reader: PackReader) => T): T[] {
    const count = this.number()
    const values: T[] = []
    for (let i = 0; i < count; i++) values.push(read(this))
    return values
  }
}

/** How a table writes its values, and reads them again. */
export interface Packing<V> {
  write(writer: PackWriter, value: V): void
  /** @param key - the key bytes of the value, its own copy. */
  read(reader: PackReader, key: Uint8Array): V
}

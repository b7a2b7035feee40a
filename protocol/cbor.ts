import { ProtocolError } from './errors.ts'
import { readUtf8, utf8Length, writeUtf8 } from './utf8.ts'

/** What canonical CBOR of ours may hold: no maps, no floats, no tags, no undefined. */
export type Cbor = number | bigint | string | boolean | null | Uint8Array | Cbor[]

/** Bounds of what is decoded. */
export interface CborLimits {
  /** Longest input, in bytes. */
  maxBytes: number
  /** Deepest nesting of arrays; 1 is a flat array. */
  maxDepth?: number
  /** Most items (of all kinds, at all depths). */
  maxItems?: number
}

const DEFAULT_MAX_DEPTH = 8
const DEFAULT_MAX_ITEMS = 100_000

/** Major types of RFC 8949, section 3.1. */
const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const SIMPLE = 7

const FALSE = 20
const TRUE = 21
const NULL = 22

/**
 * Canonical CBOR: definite lengths, shortest integers (RFC 8949, section 4.2.1).
 * @throws {@link ProtocolError} `MALFORMED` for what is not {@link Cbor}, such as a fraction or `undefined`.
 */
export function encodeCbor(value: Cbor): Uint8Array {
  const target = new Uint8Array(sizeOf(value))
  write(value, target, 0)
  return target
}

const unencodable = (value: unknown): never => {
  throw new ProtocolError(
    'MALFORMED',
    `${typeof value === 'number' ? 'this number' : typeof value} has no CBOR of ours`
  )
}

function sizeOf(value: Cbor): number {
  if (typeof value === 'number') return headSize(value < 0 ? -1 - value : value)
  if (value instanceof Uint8Array) return headSize(value.length) + value.length
  if (Array.isArray(value)) {
    let size = headSize(value.length)
    for (const item of value) size += sizeOf(item)
    return size
  }
  if (typeof value === 'string') {
    const length = utf8Length(value)
    return headSize(length) + length
  }
  if (value === null || typeof value === 'boolean') return 1
  return typeof value === 'bigint' ? headSize(value < 0n ? -1n - value : value) : unencodable(value)
}

const headSize = (argument: number | bigint): number =>
  argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x1_0000 ? 3 : argument < 0x1_0000_0000 ? 5 : 9

/** @returns where the item ends. */
function write(value: Cbor, target: Uint8Array, offset: number): number {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) unencodable(value)
    return value < 0 ? writeHead(NEGATIVE, -1 - value, target, offset) : writeHead(UNSIGNED, value, target, offset)
  }
  if (value instanceof Uint8Array) {
    const at = writeHead(BYTES, value.length, target, offset)
    target.set(value, at)
    return at + value.length
  }
  if (Array.isArray(value)) {
    let at = writeHead(ARRAY, value.length, target, offset)
    for (const item of value) at = write(item, target, at)
    return at
  }
  if (typeof value === 'string') {
    return writeUtf8(value, target, writeHead(TEXT, utf8Length(value), target, offset))
  }
  if (typeof value === 'bigint') {
    return value < 0n ? writeBig(NEGATIVE, -1n - value, target, offset) : writeBig(UNSIGNED, value, target, offset)
  }
  target[offset] = (SIMPLE << 5) | (value === null ? NULL : value ? TRUE : FALSE)
  return offset + 1
}

function writeHead(major: number, argument: number, target: Uint8Array, offset: number): number {
  const size = headSize(argument)
  target[offset] = (major << 5) | (size === 1 ? argument : size === 2 ? 24 : size === 3 ? 25 : size === 5 ? 26 : 27)
  for (let at = offset + size - 1, left = argument; at > offset; at--) {
    target[at] = left % 256
    left = Math.floor(left / 256)
  }
  return offset + size
}

function writeBig(major: number, argument: bigint, target: Uint8Array, offset: number): number {
  if (argument <= Number.MAX_SAFE_INTEGER) return writeHead(major, Number(argument), target, offset)
  if (argument >= 1n << 64n) unencodable(argument)
  target[offset] = (major << 5) | 27
  for (let at = offset + 8, left = argument; at > offset; at--) {
    target[at] = Number(left & 0xffn)
    left >>= 8n
  }
  return offset + 9
}

/**
 * Decodes canonical CBOR in one pass. Every value has exactly one spelling that is accepted, because a signature must
 * cover exactly one: an argument in a longer form than it needs is refused where it is read, and so is whatever
 * {@link encodeCbor} would not write. Bounds come before content: no length is believed that the input cannot hold.
 *
 * @returns the value; its byte strings are views of the input.
 * @throws {@link ProtocolError} `TOO_LARGE` past a limit, `MALFORMED` for anything not canonical or not of {@link Cbor}.
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): Cbor {
  if (bytes.length > limits.maxBytes) {
    throw new ProtocolError('TOO_LARGE', `at most ${limits.maxBytes} bytes are accepted, got ${bytes.length}`)
  }
  const reader = new Reader(bytes, limits)
  const value = reader.item(0)
  if (reader.offset !== bytes.length) throw malformed('bytes after the end')
  return value
}

const malformed = (message: string): ProtocolError => new ProtocolError('MALFORMED', message)
const endsEarly = (): ProtocolError => malformed('CBOR ends early')

class Reader {
  offset = 0
  readonly #bytes: Uint8Array
  readonly #maxDepth: number
  readonly #maxItems: number
  #items = 0

  constructor(bytes: Uint8Array, { maxDepth = DEFAULT_MAX_DEPTH, maxItems = DEFAULT_MAX_ITEMS }: CborLimits) {
    this.#bytes = bytes
    this.#maxDepth = maxDepth
    this.#maxItems = maxItems
  }

  /** @param depth - arrays around this item. */
  item(depth: number): Cbor {
    if (++this.#items > this.#maxItems) throw new ProtocolError('TOO_LARGE', `more than ${this.#maxItems} items`)
    const initial = this.#bytes[this.offset++]
    if (initial === undefined) throw endsEarly()
    const info = initial & 31
    switch (initial >> 5) {
      case UNSIGNED:
        return info === 27 ? this.#argument64() : this.#argument(info)
      case NEGATIVE: {
        const argument = info === 27 ? this.#argument64() : this.#argument(info)
        // 2^53 - 1 makes a number that is not exact.
        return argument < Number.MAX_SAFE_INTEGER ? -1 - Number(argument) : -1n - BigInt(argument)
      }
      case BYTES: {
        const start = this.#skip(this.#argument(info))
        // Not `subarray`, which gives a Buffer for a Buffer.
        return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, this.offset - start)
      }
      case TEXT: {
        const start = this.#skip(this.#argument(info))
        const text = readUtf8(this.#bytes, start, this.offset)
        if (text === undefined) throw malformed('text is not UTF-8')
        return text
      }
      case ARRAY:
        return this.#array(this.#argument(info), depth)
      case SIMPLE:
        if (info === FALSE) return false
        if (info === TRUE) return true
        if (info === NULL) return null
        throw malformed('only true, false and null are accepted')
      default:
        throw malformed('maps and tags are not used here')
    }
  }

  #array(length: number, depth: number): Cbor[] {
    const items: Cbor[] = []
    if (length === 0) return items
    if (depth >= this.#maxDepth) throw new ProtocolError('TOO_LARGE', `nested deeper than ${this.#maxDepth}`)
    if (length > this.#bytes.length - this.offset) throw malformed('array longer than its bytes')
    for (let i = 0; i < length; i++) items.push(this.item(depth + 1))
    return items
  }

  /** Steps over content. @returns where it starts. */
  #skip(length: number): number {
    const start = this.offset
    if (length > this.#bytes.length - start) throw endsEarly()
    this.offset = start + length
    return start
  }

  /** Argument of an item whose initial byte was read: a length, or an integer below 2^32. */
  #argument(info: number): number {
    if (info < 24) return info
    // No input of ours is 4 GiB long.
    if (info > 26) throw malformed(info === 27 ? 'a length of 64 bits' : 'indefinite or reserved length')
    const size = 1 << (info - 24)
    let argument = 0
    for (const end = this.offset + size; this.offset < end; this.offset++) {
      const byte = this.#bytes[this.offset]
      if (byte === undefined) throw endsEarly()
      argument = argument * 256 + byte
    }
    if (argument < (size === 1 ? 24 : size === 2 ? 0x100 : 0x1_0000)) throw malformed('a head longer than needed')
    return argument
  }

  /** Argument of eight bytes of an integer; a number where that is exact. */
  #argument64(): number | bigint {
    const start = this.#skip(8)
    const high = this.#uint32(start)
    const low = this.#uint32(start + 4)
    if (high === 0) throw malformed('a head longer than needed')
    // Times are in milliseconds: most integers of eight bytes are far below 2^53.
    return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) + BigInt(low)
  }

  #uint32(at: number): number {
    const bytes = this.#bytes
    return bytes[at]! * 0x100_0000 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!
  }
}

import { decode as decodeCborg, encode as encodeCborg, Tokenizer, type Token } from 'cborg'
import { equalBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'

/** What canonical CBOR of ours may hold: no maps, no floats, no tags, no undefined. */
export type Cbor = number | bigint | string | boolean | null | Uint8Array | Cbor[]

/** Bounds checked before a byte is decoded. */
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

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  allowBigInt: true,
  retainStringBytes: true
}

/** cborg drops a byte order mark at the start of text, which would make a message that begins with one unreadable. */
class MarkKeepingTokenizer extends Tokenizer {
  override next(): Token {
    const token = super.next()
    const bytes = token.byteValue
    if (bytes?.[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) token.value = `\ufeff${token.value as string}`
    return token
  }
}

/** Canonical CBOR: definite lengths, shortest integers (RFC 8949, section 4.2.1). */
export function encodeCbor(value: Cbor): Uint8Array {
  const encoded = encodeCborg(value)
  // Node's Buffer in a plain array's clothes: its `slice` would be a view, and it compares unequal in tests.
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.length)
}

/**
 * Decodes canonical CBOR: bounds first, then content, then a comparison with the re-encoding, because
 * decoders accept more than one spelling of a value and a signature must cover exactly one.
 *
 * @throws {@link ProtocolError} `TOO_LARGE` past a limit, `MALFORMED` for anything not canonical or not of {@link Cbor}.
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): Cbor {
  scan(bytes, limits)
  let value: unknown
  try {
    value = decodeCborg(bytes, { ...DECODE_OPTIONS, tokenizer: new MarkKeepingTokenizer(bytes, DECODE_OPTIONS) })
  } catch (cause) {
    throw new ProtocolError('MALFORMED', 'not canonical CBOR', { cause })
  }
  if (!equalBytes(encodeCborg(value), bytes)) throw new ProtocolError('MALFORMED', 'CBOR is not canonical')
  return value as Cbor
}

/**
 * Walks the headers without building anything, so that a short hostile input can neither nest deeply nor claim a
 * huge length. Refuses maps, tags, floats, `undefined` and indefinite lengths: nothing of ours has them.
 */
function scan(bytes: Uint8Array, limits: CborLimits): void {
  const { maxBytes, maxDepth = DEFAULT_MAX_DEPTH, maxItems = DEFAULT_MAX_ITEMS } = limits
  if (bytes.length > maxBytes) {
    throw new ProtocolError('TOO_LARGE', `at most ${maxBytes} bytes are accepted, got ${bytes.length}`)
  }
  const remaining: number[] = []
  let offset = 0
  let items = 0
  do {
    if (++items > maxItems) throw new ProtocolError('TOO_LARGE', `more than ${maxItems} items`)
    const initial = bytes[offset++]
    if (initial === undefined) throw new ProtocolError('MALFORMED', 'CBOR ends early')
    const major = initial >> 5
    const info = initial & 31
    if (major === 5 || major === 6) throw new ProtocolError('MALFORMED', 'maps and tags are not used here')
    if (major === 7) {
      if (info < 20 || info > 22) throw new ProtocolError('MALFORMED', 'only true, false and null are accepted')
    } else {
      let argument = info
      if (info > 27) throw new ProtocolError('MALFORMED', 'indefinite or reserved length')
      if (info > 23) {
        const size = 1 << (info - 24)
        argument = 0
        for (let i = 0; i < size; i++) {
          const byte = bytes[offset++]
          if (byte === undefined) throw new ProtocolError('MALFORMED', 'CBOR ends early')
          argument = argument * 256 + byte
        }
      }
      if (major === 2 || major === 3) {
        offset += argument
        if (offset > bytes.length) throw new ProtocolError('MALFORMED', 'CBOR ends early')
      } else if (major === 4 && argument > 0) {
        if (remaining.length >= maxDepth) throw new ProtocolError('TOO_LARGE', `nested deeper than ${maxDepth}`)
        if (argument > bytes.length - offset) throw new ProtocolError('MALFORMED', 'array longer than its bytes')
        remaining.push(argument)
        continue
      }
    }
    while (remaining.length > 0 && --remaining[remaining.length - 1]! === 0) remaining.pop()
  } while (remaining.length > 0)
  if (offset !== bytes.length) throw new ProtocolError('MALFORMED', 'bytes after the end')
}

/**
 * Finds its way through CBOR that others wrote, such as raw Cardano transactions, without building any of it: maps, tags,
 * floats and indefinite lengths are walked over. Nothing recurses, so nesting costs no stack.
 */
import { ProtocolError } from '../errors.ts'

/** Major types of RFC 8949, section 3.1, as are the next ones. */
export const UNSIGNED = 0
export const BYTES = 2
export const TEXT = 3
export const ARRAY = 4
export const MAP = 5
export const TAG = 6
export const SIMPLE = 7

/** The head of an item. */
export interface CborHead {
  major: number
  /** Value, length, count or tag. Exact up to 2^53 - 1, and above that at least 2^53. -1 for an indefinite length or a break. */
  argument: number
  /** Where the content begins. */
  next: number
}

const INDEFINITE = -1

const malformed = (message: string): ProtocolError => new ProtocolError('MALFORMED', message)

/** @throws ProtocolError `MALFORMED` if the input ends early or the head is reserved. */
export function readHead(bytes: Uint8Array, offset: number): CborHead {
  const initial = bytes[offset]
  if (initial === undefined) throw malformed('CBOR ends early')
  const major = initial >> 5
  const info = initial & 31
  if (info < 24) return { major, argument: info, next: offset + 1 }
  if (info === 31) {
    if (major === UNSIGNED || major === 1 || major === TAG) throw malformed('this CBOR item has no indefinite form')
    return { major, argument: INDEFINITE, next: offset + 1 }
  }
  if (info > 27) throw malformed('reserved CBOR length')
  const size = 1 << (info - 24)
  if (offset + 1 + size > bytes.length) throw malformed('CBOR ends early')
  let argument = 0
  for (let i = 1; i <= size; i++) argument = argument * 256 + bytes[offset + i]!
  return { major, argument, next: offset + 1 + size }
}

/**
 * {@link skipItem} for an item without indefinite lengths, which is nearly every one: it needs to count items only.
 * @returns -1 if the item has an indefinite length somewhere.
 */
function skipDefiniteItem(bytes: Uint8Array, offset: number): number {
  let next = offset
  for (let pending = 1; pending > 0; pending--) {
    const initial = bytes[next]
    if (initial === undefined) throw malformed('CBOR ends early')
    const major = initial >> 5
    let argument = initial & 31
    if (argument < 24) next++
    else if (argument === 31) return -1
    else ({ argument, next } = readHead(bytes, next))
    if (major === TAG) pending++
    if (major < BYTES || major >= TAG) continue
    if (argument > bytes.length - next) throw malformed('CBOR item longer than its bytes')
    if (major === BYTES || major === TEXT) next += argument
    else pending += major === MAP ? 2 * argument : argument
  }
  return next
}

/** An open array, map or chunked string on the way through an item. */
interface Frame {
  major: number
  /** Items still to come; {@link INDEFINITE} until a break. */
  remaining: number
  /** Items seen so far, kept for indefinite maps, which must hold pairs. */
  seen: number
}

/** @returns the offset after the item that begins at `offset`. @throws ProtocolError `MALFORMED`. */
export function skipItem(bytes: Uint8Array, offset: number): number {
  const end = skipDefiniteItem(bytes, offset)
  if (end >= 0) return end
  const open: Frame[] = []
  let next = offset
  do {
    const frame = open.at(-1)
    const head = readHead(bytes, next)
    next = head.next
    if (head.major === SIMPLE && head.argument === INDEFINITE) {
      if (frame?.remaining !== INDEFINITE || (frame.major === MAP && frame.seen % 2 !== 0)) {
        throw malformed('misplaced CBOR break')
      }
      open.pop()
    } else {
      if (frame) {
        const inString = frame.major === BYTES || frame.major === TEXT
        if (inString && (head.major !== frame.major || head.argument === INDEFINITE)) {
          throw malformed('a chunked string holds something else')
        }
        if (frame.remaining !== INDEFINITE) frame.remaining--
        frame.seen++
      }
      next = enter(bytes, head, open)
    }
    while (open.at(-1)?.remaining === 0) open.pop()
  } while (open.length > 0)
  return next
}

/** Steps over a string, or opens what the head announces. */
function enter(bytes: Uint8Array, { major, argument, next }: CborHead, open: Frame[]): number {
  if (major === TAG) open.push({ major, remaining: 1, seen: 0 })
  if (major < BYTES || major >= TAG) return next
  if (argument === INDEFINITE) open.push({ major, remaining: INDEFINITE, seen: 0 })
  else if (argument > bytes.length - next) throw malformed('CBOR item longer than its bytes')
  else if (major === BYTES || major === TEXT) return next + argument
  else open.push({ major, remaining: major === MAP ? 2 * argument : argument, seen: 0 })
  return next
}

/** Start and end of an item in the input. */
export interface Span {
  start: number
  end: number
}

/** The items of an array, or keys and values of a map in turn, definite or indefinite; nothing inside is decoded. */
export function itemSpans(bytes: Uint8Array, offset: number, major: typeof ARRAY | typeof MAP): Span[] {
  const head = readHead(bytes, offset)
  if (head.major !== major) throw malformed(major === MAP ? 'expected a map' : 'expected an array')
  const count = head.argument === INDEFINITE ? Infinity : head.argument * (major === MAP ? 2 : 1)
  const spans: Span[] = []
  let start = head.next
  while (spans.length < count) {
    if (count === Infinity && bytes[start] === 0xff) break
    const end = skipItem(bytes, start)
    spans.push({ start, end })
    start = end
  }
  if (major === MAP && spans.length % 2 !== 0) throw malformed('a map ends within a pair')
  return spans
}

/**
 * The value under an unsigned key of a map.
 *
 * @returns `undefined` if the key is not there.
 * @throws ProtocolError `MALFORMED` for a key that is there twice: readers would differ on which one counts.
 */
export function valueSpan(bytes: Uint8Array, mapOffset: number, key: number): Span | undefined {
  const spans = itemSpans(bytes, mapOffset, MAP)
  let found: Span | undefined
  for (let i = 0; i < spans.length; i += 2) {
    const head = readHead(bytes, spans[i]!.start)
    if (head.major !== UNSIGNED || head.argument !== key) continue
    if (found) throw malformed(`key ${key} is there twice`)
    found = spans[i + 1]!
  }
  return found
}

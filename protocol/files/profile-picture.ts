/**
 * Pictures of people. A picture comes from anywhere and is shown to many, so it is taken apart here: what a browser does not
 * need to draw it (place, camera, comments, colour profile, a second picture inside) is left out, and a file that is something else, moves,
 * or would unfold to a huge drawing is refused. The pixels themselves are the browser's to decode.
 */
import { concatBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { sniffMediaType } from './media-type.ts'

/** Longest picture, in bytes. */
export const MAX_PICTURE_BYTES = 256 * 1024
/** Widest and highest, in pixels: a drawing of 64 MiB in memory. */
export const MAX_PICTURE_SIDE = 4_096

export type ProfilePictureType = 'image/jpeg' | 'image/png' | 'image/webp'

/** A picture without anything beside it. */
export interface ProfilePicture {
  type: ProfilePictureType
  width: number
  height: number
  content: Uint8Array
}

/** What stays of a file, and how large its drawing is. */
interface Kept {
  width: number
  height: number
  parts: Uint8Array[]
}

const READERS: Record<ProfilePictureType, (bytes: Uint8Array) => Kept> = {
  'image/jpeg': jpegParts,
  'image/png': pngParts,
  'image/webp': webpParts
}

/**
 * @param bytes - a JPEG, PNG or WebP file of at most {@link MAX_PICTURE_BYTES}.
 * @returns the same picture without what is written beside it. A clean picture comes out as it is.
 * @throws ProtocolError `TOO_LARGE` for too many bytes or pixels, `MALFORMED` for what is not such a file, or breaks off, or moves.
 */
export function cleanPicture(bytes: Uint8Array): ProfilePicture {
  if (bytes.length > MAX_PICTURE_BYTES) {
    throw new ProtocolError('TOO_LARGE', `a picture has at most ${MAX_PICTURE_BYTES} bytes, got ${bytes.length}`)
  }
  const type = sniffMediaType(bytes)
  if (!Object.hasOwn(READERS, type)) throw malformed('a picture is a JPEG, PNG or WebP file')
  const { width, height, parts } = READERS[type as ProfilePictureType](bytes)
  if (width < 1 || height < 1) throw malformed('the picture is empty')
  if (width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE) {
    throw new ProtocolError('TOO_LARGE', `a picture has at most ${MAX_PICTURE_SIDE} pixels a side`)
  }
  return { type: type as ProfilePictureType, width, height, content: concatBytes(...parts) }
}

const malformed = (what: string): ProtocolError => new ProtocolError('MALFORMED', what)

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!
const uint16LE = (bytes: Uint8Array, at: number): number => (bytes[at + 1]! << 8) | bytes[at]!
const uint24LE = (bytes: Uint8Array, at: number): number => (bytes[at + 2]! << 16) | uint16LE(bytes, at)
const uint32 = (bytes: Uint8Array, at: number): number => ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0
const uint32LE = (bytes: Uint8Array, at: number): number =>
  ((uint16LE(bytes, at + 2) << 16) | uint16LE(bytes, at)) >>> 0
const latin1 = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length))

/** A piece of a file. @throws ProtocolError where the file ends before it. */
function piece(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) throw malformed('the picture breaks off')
  return bytes.subarray(at, at + length)
}

/** Chunks that a PNG is drawn from (PNG, third edition, 11): no texts, times, EXIF, colour profiles, and no animation. */
const PNG_CHUNKS: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'cHRM', 'sRGB'])

function pngParts(bytes: Uint8Array): Kept {
  const parts: Uint8Array[] = [piece(bytes, 0, 8)]
  const size = { width: 0, height: 0 }
  for (let at = 8; ;) {
    const length = uint32(piece(bytes, at, 8), 0)
    const name = latin1(bytes, at + 4, 4)
    const chunk = piece(bytes, at, length + 12)
    if ((at === 8) !== (name === 'IHDR')) throw malformed('the header of the picture is at another place')
    if (name === 'IHDR') {
      if (length !== 13) throw malformed('the header of the picture has another length')
      Object.assign(size, { width: uint32(chunk, 8), height: uint32(chunk, 12) })
    }
    if (PNG_CHUNKS.has(name)) parts.push(chunk)
    if (name === 'IEND') return { ...size, parts }
    at += chunk.length
  }
}

/** Markers of JPEG (ITU-T T.81, table B.1). */
const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const TABLES: ReadonlySet<number> = new Set([0xc4, 0xcc, 0xdb, 0xdd])
/** Says how the colours are meant; everything else of an application is left out. */
const ADOBE = 0xee
/** Frames, but for the hierarchical and lossless ones, which no browser draws. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2])

function jpegParts(bytes: Uint8Array): Kept {
  const parts: Uint8Array[] = [Uint8Array.of(0xff, SOI)]
  const size = { width: 0, height: 0 }
  for (let at = 2; ;) {
    if (piece(bytes, at, 2)[0] !== 0xff) throw malformed('the picture has bytes between its parts')
    const marker = bytes[at + 1]!
    // Any number of these may stand before a marker.
    if (marker === 0xff) at++
    else if (marker === EOI) return { ...size, parts: [...parts, Uint8Array.of(0xff, EOI)] }
    else {
      const length = uint16(piece(bytes, at + 2, 2), 0)
      const segment = piece(bytes, at, length + 2)
      if (length < 2) throw malformed('a part of the picture is too short')
      if (FRAMES.has(marker)) {
        if (length < 8 || size.width > 0) throw malformed('the picture has another frame')
        Object.assign(size, { width: uint16(segment, 7), height: uint16(segment, 5) })
      }
      const isAdobe = marker === ADOBE && length === 14 && latin1(segment, 4, 5) === 'Adobe'
      if (FRAMES.has(marker) || TABLES.has(marker) || isAdobe) parts.push(segment)
      at += segment.length
      if (marker === SOS) {
        const end = endOfScan(bytes, at)
        parts.push(segment, bytes.subarray(at, end))
        at = end
      }
    }
  }
}

/** Where the pixels of a scan end: at the first marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Uint8Array, start: number): number {
  for (let at = start; at + 1 < bytes.length; at++) {
    const next = bytes[at + 1]!
    if (bytes[at] === 0xff && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at
  }
  throw malformed('the picture breaks off')
}

/** Flags of VP8X (WebP container, "Extended File Format"). */
const WEBP_ALPHA = 0x10
const WEBP_MOVES = 0x02

function webpParts(bytes: Uint8Array): Kept {
  const end = Math.min(8 + uint32LE(piece(bytes, 0, 12), 4), bytes.length)
  const chunks: Uint8Array[] = []
  const sizes: { width: number; height: number }[] = []
  for (let at = 12; at < end;) {
    const length = uint32LE(piece(bytes, at, 8), 4)
    const name = latin1(bytes, at, 4)
    const chunk = piece(bytes, at, 8 + length)
    const size = webpSize(name, chunk.subarray(8))
    if (size) sizes.push(size)
    if (size || name === 'ALPH') {
      const kept = name === 'VP8X' ? stillFrame(chunk) : chunk
      chunks.push(kept, new Uint8Array(length % 2))
    }
    at += 8 + length + (length % 2)
  }
  const length = 4 + chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const header = Uint8Array.from(bytes.subarray(0, 12))
  new DataView(header.buffer).setUint32(4, length, true)
  const width = Math.max(0, ...sizes.map(size => size.width))
  const height = Math.max(0, ...sizes.map(size => size.height))
  return { width, height, parts: [header, ...chunks] }
}

/** What a chunk says about the size; undefined for chunks without pixels. */
function webpSize(name: string, data: Uint8Array): { width: number; height: number } | undefined {
  if (name === 'VP8X') {
    if (data.length !== 10) throw malformed('the header of the picture has another length')
    return { width: uint24LE(data, 4) + 1, height: uint24LE(data, 7) + 1 }
  }
  if (name === 'VP8L') {
    const packed = uint32LE(piece(data, 0, 5), 1)
    return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 }
  }
  if (name === 'VP8 ') {
    const head = piece(data, 0, 10)
    return { width: uint16LE(head, 6) & 0x3fff, height: uint16LE(head, 8) & 0x3fff }
  }
  if (name === 'ANIM' || name === 'ANMF') throw malformed('the picture moves')
  return undefined
}

/** The header, which no longer announces what was left out. @throws ProtocolError for a picture that moves. */
function stillFrame(chunk: Uint8Array): Uint8Array {
  const still = Uint8Array.from(chunk)
  if (still[8]! & WEBP_MOVES) throw malformed('the picture moves')
  still[8]! &= WEBP_ALPHA
  return still
}

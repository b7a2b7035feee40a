import { readFile, stat } from 'node:fs/promises'
import { inflateSync } from 'node:zlib'
import { commandError } from './errors.ts'

/** Largest picture that is read. */
const MAX_FILE_BYTES = 8 * 1024 * 1024
const MAX_PIXELS = 16_000_000
const SIGNATURE = '89504e470d0a1a0a'
/** Bytes of a pixel by the colour type of a PNG; palettes and 16 bits are not read. */
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 4: 2, 6: 4 }

/**
 * Reads the QR code in a PNG of eight bits a channel, as screenshots are.
 * @throws CommandError `file-not-read`, `no-qr-code`.
 */
export async function readQrPicture(file: string): Promise<string> {
  const { default: decodeQR } = await import('qr/decode.js')
  const bytes = await readPicture(file)
  try {
    return decodeQR(pixelsOf(bytes))
  } catch (cause) {
    throw commandError('no-qr-code', { file }, { cause })
  }
}

async function readPicture(file: string): Promise<Buffer> {
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES) throw new Error('it is too large')
    return await readFile(file)
  } catch (error) {
    throw commandError('file-not-read', { file, detail: String((error as NodeJS.ErrnoException).code ?? error) })
  }
}

/** The pixels of a PNG as RGB. @throws Error for what is no PNG of the kinds that are read. */
function pixelsOf(png: Buffer): { width: number; height: number; data: Uint8Array } {
  if (png.subarray(0, 8).toString('hex') !== SIGNATURE) throw new Error('this is no PNG')
  const width = png.readUInt32BE(16)
  const height = png.readUInt32BE(20)
  const channels = CHANNELS[png[25]!]
  if (!channels || png[24] !== 8 || png[28] !== 0 || width * height > MAX_PIXELS) throw new Error('not read')
  const rowBytes = width * channels
  const raw = inflateSync(imageData(png), { maxOutputLength: (rowBytes + 1) * height })
  const data = new Uint8Array(width * height * 3)
  let above = new Uint8Array(rowBytes)
  for (let y = 0; y < height; y++) {
    const at = y * (rowBytes + 1)
    const row = unfiltered(raw[at]!, raw.subarray(at + 1, at + 1 + rowBytes), above, channels)
    const green = channels > 2 ? 1 : 0
    for (let x = 0; x < width; x++) {
      const from = x * channels
      data.set([row[from]!, row[from + green]!, row[from + 2 * green]!], (y * width + x) * 3)
    }
    above = row
  }
  return { width, height, data }
}

function imageData(png: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 8; at + 8 <= png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  return Buffer.concat(parts)
}

/** Undoes the filter of one row (PNG, section 9). */
function unfiltered(filter: number, row: Uint8Array, above: Uint8Array, channels: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(row.length)
  for (let i = 0; i < row.length; i++) {
    const left = i < channels ? 0 : out[i - channels]!
    const upperLeft = i < channels ? 0 : above[i - channels]!
    out[i] = row[i]! + predicted(filter, left, above[i]!, upperLeft)
  }
  return out
}

function predicted(filter: number, left: number, up: number, upperLeft: number): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  return filter === 4 ? paeth(left, up, upperLeft) : 0
}

function paeth(left: number, up: number, upperLeft: number): number {
  const estimate = left + up - upperLeft
  const [toLeft, toUp, toUpperLeft] = [left, up, upperLeft].map(value => Math.abs(estimate - value))
  if (toLeft! <= toUp! && toLeft! <= toUpperLeft!) return left
  return toUp! <= toUpperLeft! ? up : upperLeft
}

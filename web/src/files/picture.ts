/**
 * Pictures on their way out. A picture is drawn anew before it is sent: what a camera writes beside it (place, time, serial number)
 * stays here. The same gives its size and a small picture for the message.
 */
import { PICTURE_TYPES, sniffMediaType, SNIFFED_BYTES } from '../../../protocol/files/media-type.ts'

/** Longest side of a picture that is sent; what is larger is made smaller. */
const MAX_SIDE = 4096
/** Longest side of the small picture. */
const THUMBNAIL_SIDE = 320
/** Largest small picture, in bytes; see `MAX_THUMBNAIL_BYTES` of the protocol. */
const MAX_THUMBNAIL_BYTES = 8 * 1024
const QUALITIES = [0.7, 0.5, 0.35, 0.2]

/** What is sent for a chosen file. */
export interface PreparedFile {
  content: Blob
  name: string
  width?: number
  height?: number
  thumbnail?: Uint8Array
}

/** Kinds in which cameras write where and when. */
const OF_CAMERAS = /^(?!image\/(gif|svg))(image|video)\//

/** What a blob is, by its first bytes. */
export async function typeOf(content: Blob, name: string): Promise<string> {
  return sniffMediaType(new Uint8Array(await content.slice(0, SNIFFED_BYTES).arrayBuffer()), name)
}

/**
 * Prepares a file that the user chose. A picture is drawn anew; a GIF, a picture that this browser cannot draw, a video and any
 * other file are sent as they are.
 * @returns `keepsNotes` is for the user: what goes out may tell where it was taken.
 */
export async function prepareFile(file: File): Promise<{ prepared: PreparedFile; keepsNotes: boolean }> {
  const type = await typeOf(file, file.name)
  const asItIs = { prepared: { content: file, name: file.name }, keepsNotes: OF_CAMERAS.test(type) }
  if (!PICTURE_TYPES.includes(type)) return asItIs
  try {
    return { prepared: await redrawn(file, type), keepsNotes: false }
  } catch {
    return asItIs
  }
}

async function redrawn(file: File, type: string): Promise<PreparedFile> {
  // Turned as the camera was held, which is written in what is left behind.
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  try {
    const thumbnail = await smallPicture(bitmap)
    const { width, height } = bitmap
    // A GIF may move; it has no place for a camera's notes.
    if (type === 'image/gif') return { content: file, name: file.name, width, height, thumbnail }
    const scale = Math.min(1, MAX_SIDE / Math.max(width, height))
    const size = { width: Math.round(width * scale), height: Math.round(height * scale) }
    const keepsClear = type === 'image/png' || type === 'image/webp' || type === 'image/avif'
    const target = keepsClear ? 'image/png' : 'image/jpeg'
    const content = await drawn(bitmap, size, target, 0.9)
    return { content, name: renamed(file.name, content.type), ...size, thumbnail }
  } finally {
    bitmap.close()
  }
}

async function drawn(
  bitmap: ImageBitmap,
  { width, height }: { width: number; height: number },
  type: string,
  quality: number
): Promise<Blob> {
  const canvas = new OffscreenCanvas(Math.max(1, width), Math.max(1, height))
  const context = canvas.getContext('2d')
  if (!context) throw new Error('nothing can be drawn')
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return canvas.convertToBlob({ type, quality })
}

/** A small picture that fits into a message. */
async function smallPicture(bitmap: ImageBitmap): Promise<Uint8Array> {
  for (let side = THUMBNAIL_SIDE; ; side = Math.round(side * 0.7)) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height))
    const size = { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) }
    for (const quality of QUALITIES) {
      const blob = await drawn(bitmap, size, 'image/webp', quality)
      if (blob.size <= MAX_THUMBNAIL_BYTES) return new Uint8Array(await blob.arrayBuffer())
    }
  }
}

const ENDINGS: Readonly<Record<string, string>> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' }

/** The name with the ending of what it has become. */
function renamed(name: string, type: string): string {
  const ending = ENDINGS[type]
  if (ending === undefined || new RegExp(`\\.${ending === 'jpg' ? 'jpe?g' : ending}$`, 'i').test(name)) return name
  return `${name.replace(/\.[^.]{1,5}$/, '')}.${ending}`
}

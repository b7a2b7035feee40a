/** Reads QR codes in pictures and in frames of a camera. The decoder is loaded when it is needed first. */
import type { DecodeOpts } from 'qr/decode.js'

/** What is looked at is drawn no larger than this on its longer side, in pixels: a code needs no more. */
const MAX_SIDE = 1280
/** A picture is worth a longer look than one of many frames. */
const PICTURE_EFFORT: DecodeOpts = { effort: Infinity, timeLimit: 3_000 }

/** Something to read a code in, with its size in pixels. */
interface Sight {
  source: CanvasImageSource
  width: number
  height: number
}

/** The text of the QR code in a picture; null if none can be read, or the file is no picture. */
export async function readPicture(file: Blob): Promise<string | null> {
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (!bitmap) return null
  try {
    return await read({ source: bitmap, width: bitmap.width, height: bitmap.height }, PICTURE_EFFORT)
  } finally {
    bitmap.close()
  }
}

/** The text of the QR code that a camera sees; null if there is none in this frame. */
export async function readFrame(video: HTMLVideoElement): Promise<string | null> {
  const { videoWidth: width, videoHeight: height } = video
  return width === 0 ? null : read({ source: video, width, height })
}

async function read({ source, width, height }: Sight, options?: DecodeOpts): Promise<string | null> {
  const { decodeQR } = await import('qr/decode.js')
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height))
  const size = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))] as const
  const context = new OffscreenCanvas(...size).getContext('2d', { willReadFrequently: true })
  if (!context) return null
  context.drawImage(source, 0, 0, ...size)
  const { data } = context.getImageData(0, 0, ...size)
  try {
    return decodeQR({ width: size[0], height: size[1], data }, options)
  } catch {
    // The decoder throws where it finds nothing.
    return null
  }
}

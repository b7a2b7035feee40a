/** The picture of a profile: the middle of what the user chose, drawn again, so that nothing else of the file leaves the device. */

/** Width and height. Twice the largest place where it is shown. */
const SIDE = 512
/** See `MAX_PICTURE_BYTES` of the protocol. */
const MAX_BYTES = 256 * 1024
const QUALITIES = [0.88, 0.7, 0.5, 0.3]

/** @throws Error if this browser cannot draw the file. */
export async function squarePicture(file: Blob): Promise<Uint8Array> {
  // Turned as the camera was held, which is written in what is left behind.
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  try {
    const side = Math.min(bitmap.width, bitmap.height)
    const target = Math.min(SIDE, side)
    const canvas = new OffscreenCanvas(target, target)
    const context = canvas.getContext('2d')
    if (!context) throw new Error('nothing can be drawn')
    // A JPEG has no clear parts; they would turn black.
    context.fillStyle = '#fff'
    context.fillRect(0, 0, target, target)
    const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2]
    context.drawImage(bitmap, left, top, side, side, 0, 0, target, target)
    return await encoded(canvas)
  } finally {
    bitmap.close()
  }
}

async function encoded(canvas: OffscreenCanvas): Promise<Uint8Array> {
  for (const quality of QUALITIES) {
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality })
    if (blob.size <= MAX_BYTES) return new Uint8Array(await blob.arrayBuffer())
  }
  throw new Error('the picture does not get small enough')
}

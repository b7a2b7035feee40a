/** White around the code, in modules: less of it, and some cameras find nothing (ISO/IEC 18004). */
const BORDER = 4
/** Pixels of a module. The page scales the picture. */
const SCALE = 4

/** A picture of a text as a QR code, as a `data:` address. What draws it is loaded when it is needed. */
export async function qrPicture(text: string): Promise<string> {
  const { encodeQR } = await import('qr')
  return encodeQR(text, 'data-url', { scale: SCALE, border: BORDER })
}

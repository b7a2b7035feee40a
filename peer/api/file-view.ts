/** The file of a message, as far as the message tells. */
export interface FileView {
  /** Safe to show, and as the name of a file. */
  name: string
  bytes: number
  /** Media type as the sender says: look at the content before drawing it. */
  type: string
  width: number | null
  height: number | null
  /** A small picture, of any format: look at it before drawing it. */
  thumbnail: Uint8Array | null
  voice: { durationMs: number; waveform: Uint8Array } | null
}

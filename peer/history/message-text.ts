import { MAX_TEXT_UNITS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'

/** Never cuts: the writer decides what to leave out. @throws PeerError `message-too-long`. */
export function requireLength({ length }: string, limit: number): void {
  if (length > limit) throw new PeerError('message-too-long', { length, limit })
}

/**
 * A text as the receiver will have it: half a surrogate pair cannot be encoded.
 * @throws PeerError `message-empty`, `message-too-long`.
 */
export function writtenText(written: string): string {
  if (written.trim() === '') throw new PeerError('message-empty')
  requireLength(written, MAX_TEXT_UNITS)
  return written.toWellFormed()
}

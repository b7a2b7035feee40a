/**
 * How many bytes of a file are where. The stored form is a version byte, then chunks; docs/file-format.md has the whole format.
 */
import { AEAD_TAG_BYTES } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_ATTACHMENT_BYTES } from '../limits.ts'

/** First byte of each stored file. */
export const FILE_VERSION = 1
/** Bytes before the first chunk: the version. */
export const FILE_HEAD_BYTES = 1
/** Bytes of one chunk before encryption; the last may be shorter. */
export const FILE_CHUNK_BYTES = 1024 * 1024
/** Bytes of one chunk after encryption. */
export const STORED_CHUNK_BYTES = FILE_CHUNK_BYTES + AEAD_TAG_BYTES
/** Shortest padded file: small files all look alike. */
export const MIN_PADDED_FILE_BYTES = 4096

/** The sizes that follow from the size of a file. */
export interface FileLayout {
  /** Bytes of content. */
  size: number
  /** Bytes of content and padding. */
  paddedBytes: number
  chunks: number
  /** Bytes of the stored form. */
  storedBytes: number
}

/**
 * The length that a file is padded to: Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019),
 * which adds at most 12 %, less for larger files, and lets a length tell O(log log size) bits.
 */
export function paddedFileBytes(size: number): number {
  if (size <= MIN_PADDED_FILE_BYTES) return MIN_PADDED_FILE_BYTES
  const exponent = Math.floor(Math.log2(size))
  const kept = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** (exponent - kept)
  return Math.ceil(size / step) * step
}

/** @throws ProtocolError `TOO_LARGE` past {@link MAX_ATTACHMENT_BYTES}, `INVALID` for what is no size. */
export function fileLayout(size: number): FileLayout {
  if (!Number.isSafeInteger(size) || size < 0) throw new ProtocolError('INVALID', `${size} is not a size`)
  if (size > MAX_ATTACHMENT_BYTES) {
    throw new ProtocolError('TOO_LARGE', `a file has at most ${MAX_ATTACHMENT_BYTES} bytes, got ${size}`)
  }
  const paddedBytes = paddedFileBytes(size)
  const chunks = Math.ceil(paddedBytes / FILE_CHUNK_BYTES)
  return { size, paddedBytes, chunks, storedBytes: FILE_HEAD_BYTES + paddedBytes + chunks * AEAD_TAG_BYTES }
}

/** Bytes of one chunk before encryption. */
export function chunkBytes({ paddedBytes, chunks }: FileLayout, index: number): number {
  return index < chunks - 1 ? FILE_CHUNK_BYTES : paddedBytes - (chunks - 1) * FILE_CHUNK_BYTES
}

/** Where one chunk is in the stored form. */
export function storedChunk(layout: FileLayout, index: number): { start: number; length: number } {
  const start = FILE_HEAD_BYTES + index * STORED_CHUNK_BYTES
  return { start, length: chunkBytes(layout, index) + AEAD_TAG_BYTES }
}

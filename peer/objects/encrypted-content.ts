/** Reads encrypted files from nodes without keeping them: chunk by chunk, each opened before it is handed out. */
import { concatBytes, equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Sha256 } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { decryptChunk } from '../../protocol/files/decrypt-file.ts'
import type { FilePointer } from '../../protocol/files/encrypt-file.ts'
import type { FileEnvironment } from '../../protocol/files/chunk-cipher.ts'
import { FILE_VERSION, fileLayout, storedChunk, type FileLayout } from '../../protocol/files/file-layout.ts'
import { ObjectDamaged, type ObjectReader } from './object-reader.ts'

/** Chunks that are asked for at once: so many MiB are in memory, twice where the next are on their way. */
export const CHUNKS_ASKED = 4

/** Where some chunks are in the stored form; the version goes with the first. */
export function storedRange(layout: FileLayout, first: number, count: number): { start: number; length: number } {
  const start = first === 0 ? 0 : storedChunk(layout, first).start
  const last = storedChunk(layout, first + count - 1)
  return { start, length: last.start + last.length - start }
}

/**
 * Opens what a node sent for some chunks.
 * @returns their content, one after the other.
 * @throws ProtocolError for bytes that are not those of the file.
 */
export async function openChunks(
  env: FileEnvironment,
  file: Pick<FilePointer, 'size' | 'key'>,
  first: number,
  count: number,
  bytes: Uint8Array
): Promise<Uint8Array[]> {
  const layout = fileLayout(file.size)
  const { start, length } = storedRange(layout, first, count)
  if (bytes.length !== length) throw new ProtocolError('MALFORMED', 'the node sent another number of bytes')
  if (start === 0 && bytes[0] !== FILE_VERSION) throw new ProtocolError('UNSUPPORTED_VERSION', 'not a stored file')
  const contents: Uint8Array[] = []
  for (let index = first; index < first + count; index++) {
    const chunk = storedChunk(layout, index)
    const stored = bytes.subarray(chunk.start - start, chunk.start - start + chunk.length)
    contents.push(await decryptChunk(env, file, index, stored))
  }
  return contents
}

/** The whole content of a file that is not large. @throws as {@link ObjectReader.read}; {@link ObjectDamaged}. */
export async function readWhole(
  env: FileEnvironment,
  reader: ObjectReader,
  file: FilePointer,
  signal: AbortSignal
): Promise<Uint8Array> {
  const layout = fileLayout(file.size)
  const hash: Sha256 = env.crypto.createSha256()
  const parts: Uint8Array[] = []
  for (let index = 0; index < layout.chunks; index += CHUNKS_ASKED) {
    const count = Math.min(CHUNKS_ASKED, layout.chunks - index)
    const { stored, contents } = await reader.read(storedRange(layout, index, count), signal, async bytes => {
      return { stored: bytes, contents: await openChunks(env, file, index, count, bytes) }
    })
    hash.update(stored)
    parts.push(...contents)
  }
  if (!equalBytes(hash.digest(), file.hash)) throw new ObjectDamaged(`${toHex(file.hash)} has another hash`)
  return concatBytes(...parts)
}

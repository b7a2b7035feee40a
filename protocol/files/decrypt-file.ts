import { equalBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { ChunkCipher, type FileEnvironment } from './chunk-cipher.ts'
import type { FilePointer } from './encrypt-file.ts'
import {
  FILE_CHUNK_BYTES,
  FILE_HEAD_BYTES,
  FILE_VERSION,
  fileLayout,
  storedChunk,
  type FileLayout
} from './file-layout.ts'
import { PieceReader, type ByteStream } from './pieces.ts'

/**
 * Decrypts a file as it arrives. Each piece that comes out is authenticated; that the file is whole is certain only when the
 * iteration ends without an error, so a caller keeps the pieces apart until then.
 *
 * @throws ProtocolError `UNSUPPORTED_VERSION`; `TOO_LARGE` for a pointer past the limit; `MALFORMED` for a stored form that is
 * too short, too long or not padded as it must be; `DECRYPT_FAILED`; `INVALID` if the hash is another.
 */
export async function* decryptFile(env: FileEnvironment, pointer: FilePointer, stored: ByteStream): ByteStream {
  const layout = fileLayout(pointer.size)
  const cipher = new ChunkCipher(env, layout, pointer.key)
  const reader = new PieceReader(stored)
  const hash = env.crypto.createSha256()
  const next = async (length: number): Promise<Uint8Array> => {
    const bytes = await reader.read(length)
    if (bytes.length !== length) throw new ProtocolError('MALFORMED', 'the stored file is cut off')
    hash.update(bytes)
    return bytes
  }
  try {
    requireVersion(await next(FILE_HEAD_BYTES))
    for (let index = 0; index < layout.chunks; index++) {
      const chunk = await cipher.open(index, await next(storedChunk(layout, index).length))
      yield withoutPadding(layout, index, chunk)
    }
    if (!(await reader.isAtEnd())) throw new ProtocolError('MALFORMED', 'the stored file has bytes after its end')
    if (!equalBytes(hash.digest(), pointer.hash)) throw new ProtocolError('INVALID', 'the stored file is another one')
  } finally {
    cipher.wipe()
    await reader.close()
  }
}

/**
 * Decrypts one chunk, for reading from the middle of a file. Where the chunk is says {@link storedChunk}; the hash of the whole
 * file is not checked here.
 *
 * @param stored - exactly the bytes of that chunk.
 * @throws ProtocolError `INVALID` for an index outside of the file, `DECRYPT_FAILED`, `MALFORMED`.
 */
export async function decryptChunk(
  env: FileEnvironment,
  pointer: Pick<FilePointer, 'size' | 'key'>,
  index: number,
  stored: Uint8Array
): Promise<Uint8Array> {
  const layout = fileLayout(pointer.size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= layout.chunks) {
    throw new ProtocolError('INVALID', `a file of ${layout.chunks} chunks has none with the index ${index}`)
  }
  if (stored.length !== storedChunk(layout, index).length) {
    throw new ProtocolError('MALFORMED', 'the chunk has another length')
  }
  const cipher = new ChunkCipher(env, layout, pointer.key)
  try {
    return withoutPadding(layout, index, await cipher.open(index, stored))
  } finally {
    cipher.wipe()
  }
}

function requireVersion(head: Uint8Array): void {
  if (head[0] === FILE_VERSION) return
  throw new ProtocolError('UNSUPPORTED_VERSION', `a stored file of version ${head[0]} is not known`)
}

/** Padding is zeros and nothing else: a sender cannot hide other bytes behind a file. */
function withoutPadding({ size }: FileLayout, index: number, chunk: Uint8Array): Uint8Array {
  const contentBytes = Math.min(Math.max(0, size - index * FILE_CHUNK_BYTES), chunk.length)
  if (chunk.subarray(contentBytes).some(byte => byte !== 0)) {
    throw new ProtocolError('MALFORMED', 'the padding of a file has bytes other than zero')
  }
  return chunk.subarray(0, contentBytes)
}

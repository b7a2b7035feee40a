/** The content of a file that is chosen here: read piece by piece, never whole. */
import { FILE_CHUNK_BYTES } from '../../protocol/files/file-layout.ts'
import type { ByteStream } from '../../protocol/files/pieces.ts'
import { PeerError } from '../errors.ts'

/**
 * The bytes of a Blob, a chunk at a time: a stream of it comes in pieces of 64 KiB, each of which is copied once more. The next chunk is
 * read while the caller works on one. A file that changes meanwhile ends it. @throws PeerError `file-unreadable`.
 */
export async function* contentOf(blob: Blob): ByteStream {
  const begin = (start: number): Promise<Uint8Array> | undefined => {
    if (start >= blob.size) return undefined
    const reading = read(blob.slice(start, start + FILE_CHUNK_BYTES))
    // Awaited below, or the caller has stopped.
    reading.catch(() => undefined)
    return reading
  }
  let next = begin(0)
  for (let start = FILE_CHUNK_BYTES; next; start += FILE_CHUNK_BYTES) {
    const chunk = await next
    next = begin(start)
    yield chunk
  }
}

async function read(slice: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await slice.arrayBuffer())
  } catch (cause) {
    throw new PeerError('file-unreadable', {}, { cause })
  }
}

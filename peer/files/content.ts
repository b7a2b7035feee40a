/** The content of a file that is chosen here: read piece by piece, never whole. */
import { FILE_CHUNK_BYTES } from '../../protocol/files/file-layout.ts'
import type { ByteStream } from '../../protocol/files/pieces.ts'
import { PeerError } from '../errors.ts'

/**
 * The bytes of a Blob, a chunk at a time: a stream of it comes in pieces of 64 KiB, each of which is copied once more.
 * A file that changes meanwhile ends it. @throws PeerError `file-unreadable`.
 */
export async function* contentOf(blob: Blob): ByteStream {
  for (let start = 0; start < blob.size; start += FILE_CHUNK_BYTES) {
    yield await read(blob.slice(start, start + FILE_CHUNK_BYTES))
  }
}

async function read(slice: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await slice.arrayBuffer())
  } catch (cause) {
    throw new PeerError('file-unreadable', {}, { cause })
  }
}

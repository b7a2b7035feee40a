/** The content of a file that is chosen here: read as a stream, never whole. */
import type { ByteStream } from '../../protocol/files/pieces.ts'
import { PeerError } from '../errors.ts'

/** The bytes of a Blob in pieces. A file that changes meanwhile ends the stream. @throws PeerError `file-unreadable`. */
export async function* contentOf(blob: Blob): ByteStream {
  // Not every browser iterates over a stream.
  const reader = blob.stream().getReader()
  try {
    for (;;) {
      const { done, value } = await read(reader)
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read()
  } catch (cause) {
    throw new PeerError('file-unreadable', {}, { cause })
  }
}

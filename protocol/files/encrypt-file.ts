import { concatBytes, equalBytes } from '../bytes.ts'
import { KEY_BYTES } from '../crypto/crypto.ts'
import type { Environment } from '../environment.ts'
import { ProtocolError } from '../errors.ts'
import { ChunkCipher } from './chunk-cipher.ts'
import { chunkBytes, FILE_VERSION, fileLayout } from './file-layout.ts'
import { PieceReader, type ByteStream } from './pieces.ts'

/** All that a device needs to find and to open a file; it travels inside a message. */
export interface FilePointer {
  /** SHA-256 of the stored form, 32 bytes: the name of the file at a storage. */
  hash: Uint8Array
  /** Bytes of content. */
  size: number
  /** 32 bytes, of this file alone. */
  key: Uint8Array
}

/**
 * Encrypts a file under a key that it draws. Nobody can give the key: a key that is used for two contents gives both away.
 * For the same reason an upload that breaks off goes on with the bytes that were written here, never with a second encryption.
 *
 * @param size - exact bytes of `content`.
 * @param write - takes the stored form piece by piece, one after the other; the next chunk is encrypted meanwhile.
 * @throws ProtocolError `TOO_LARGE`; `INVALID` if the content has another size; whatever `content` or `write` throws.
 */
export async function encryptFile(
  env: Pick<Environment, 'crypto' | 'network' | 'random'>,
  size: number,
  content: ByteStream,
  write: (stored: Uint8Array) => void | Promise<void>
): Promise<FilePointer> {
  return encryptUnder(env, env.random(KEY_BYTES), size, content, write)
}

/**
 * Makes the stored form of a file once more, byte for byte, from its own content: for a node that lost it.
 * @throws ProtocolError `INVALID` if the content is not that of the file.
 */
export async function encryptAgain(
  env: Pick<Environment, 'crypto' | 'network'>,
  file: FilePointer,
  content: Uint8Array
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  const stream = (async function* () {
    yield content
  })()
  const { hash } = await encryptUnder(env, file.key, file.size, stream, stored => void pieces.push(stored))
  // Another content under this key would give both away: it must not leave this function.
  if (!equalBytes(hash, file.hash)) throw new ProtocolError('INVALID', 'the content is not that of the file')
  return concatBytes(...pieces)
}

async function encryptUnder(
  env: Pick<Environment, 'crypto' | 'network'>,
  key: Uint8Array,
  size: number,
  content: ByteStream,
  write: (stored: Uint8Array) => void | Promise<void>
): Promise<FilePointer> {
  const layout = fileLayout(size)
  const cipher = new ChunkCipher(env, layout, key)
  const reader = new PieceReader(content)
  const hash = env.crypto.createSha256()
  let writing: Promise<void> = Promise.resolve()
  const add = async (stored: Uint8Array): Promise<void> => {
    hash.update(stored)
    await writing
    writing = (async () => write(stored))()
    // Awaited before the next piece, and at the end.
    writing.catch(() => undefined)
  }
  try {
    await add(Uint8Array.of(FILE_VERSION))
    let left = size
    for (let index = 0; index < layout.chunks; index++) {
      const length = chunkBytes(layout, index)
      const wanted = Math.min(left, length)
      const bytes = await reader.read(wanted)
      if (bytes.length !== wanted) throw wrongSize(size)
      left -= wanted
      await add(await cipher.seal(index, padded(bytes, length)))
    }
    if (!(await reader.isAtEnd())) throw wrongSize(size)
    await writing
    return { hash: hash.digest(), size, key }
  } finally {
    await writing.catch(() => undefined)
    cipher.wipe()
    await reader.close()
  }
}

function wrongSize(size: number): ProtocolError {
  return new ProtocolError('INVALID', `the file does not have ${size} bytes any more`)
}

/** Zeros behind the bytes, up to a length. */
function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes
  const chunk = new Uint8Array(length)
  chunk.set(bytes)
  return chunk
}

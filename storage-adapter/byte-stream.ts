/** Streams of bytes that are checked while they pass. */
import { createHash } from 'node:crypto'
import { equalBytes } from '../protocol/bytes.ts'
import { StorageError } from './errors.ts'
import type { ByteStream, NewObject } from './storage-adapter.ts'

/**
 * Passes the content on and fails at the end, or at the first byte too many, if it is not what was announced. The last piece
 * is held back until the hash is known: a receiver that counts bytes never sees a complete object that is wrong.
 */
export async function* verifiedContent({ size, sha256, content }: NewObject, signal?: AbortSignal): ByteStream {
  const hash = createHash('sha256')
  let count = 0
  let held: Uint8Array | undefined
  for await (const bytes of content()) {
    signal?.throwIfAborted()
    count += bytes.length
    if (count > size) throw new StorageError('corrupt', `the content has more than the announced ${size} bytes`)
    hash.update(bytes)
    if (held) yield held
    held = bytes
  }
  if (count !== size) throw new StorageError('corrupt', `the content has ${count} bytes, announced were ${size}`)
  if (!equalBytes(hash.digest(), sha256))
    throw new StorageError('corrupt', 'the content has another hash than announced')
  if (held) yield held
}

/** Passes `length` bytes on. @throws StorageError `corrupt` in the stream if it ends early; what is too much is not read. */
export async function* exactly(stream: ByteStream, length: number): ByteStream {
  let left = length
  if (left > 0) {
    for await (const bytes of stream) {
      const part = bytes.length > left ? bytes.subarray(0, left) : bytes
      left -= part.length
      yield part
      if (left === 0) return
    }
  }
  if (left > 0) throw new StorageError('corrupt', `the object ends ${left} bytes early`)
}

/** Drops the first `count` bytes. */
export async function* skipping(stream: ByteStream, count: number): ByteStream {
  let left = count
  for await (const bytes of stream) {
    const dropped = Math.min(left, bytes.length)
    left -= dropped
    if (dropped < bytes.length) yield bytes.subarray(dropped)
  }
}

/** @throws StorageError `too-large` for a size that the adapter does not take, `invalid` for one that is none. */
export function requireSize(size: number, maxObjectBytes: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new StorageError('invalid', `${size} is not a size`)
  if (size > maxObjectBytes) {
    throw new StorageError('too-large', `an object has at most ${maxObjectBytes} bytes here, got ${size}`)
  }
}

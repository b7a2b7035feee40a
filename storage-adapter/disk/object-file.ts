/**
 * The file of one object: a head, then blocks, each followed by its checksum. LevelDB and file systems give flipped bits back as
 * good data; a checksum for each block lets a range be checked without reading the whole file.
 */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { equalBytes, utf8 } from '../../protocol/bytes.ts'
import { StorageError } from '../errors.ts'
import type { ByteStream } from '../storage-adapter.ts'

/** First bytes of each file; the digit is the version of this format. */
const HEAD = utf8('volo-object-1\n')
/** Bytes under one checksum. */
export const BLOCK_BYTES = 64 * 1024
/** First bytes of a SHA-256: against flipped bits, not against people, who may write the folder anyway. */
const CHECKSUM_BYTES = 8
const STORED_BLOCK_BYTES = BLOCK_BYTES + CHECKSUM_BYTES

/** The index is under the checksum, so that two blocks that changed places are noticed. */
function checksum(index: number, block: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(8)
  new DataView(prefix.buffer).setBigUint64(0, BigInt(index))
  return createHash('sha256').update(prefix).update(block).digest().subarray(0, CHECKSUM_BYTES)
}

/** Writes an object of any size; the caller syncs and renames. */
export async function writeObject(file: FileHandle, content: ByteStream): Promise<void> {
  await file.write(HEAD)
  const block = new Uint8Array(BLOCK_BYTES)
  let used = 0
  let index = 0
  const flush = async (): Promise<void> => {
    const full = block.subarray(0, used)
    await file.writev([full, checksum(index, full)])
    index++
    used = 0
  }
  for await (const bytes of content) {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + BLOCK_BYTES - used)
      block.set(part, used)
      used += part.length
      at += part.length
      if (used === BLOCK_BYTES) await flush()
    }
  }
  if (used > 0) await flush()
}

/**
 * Bytes of the object in a file of `fileBytes`.
 * @throws StorageError `corrupt` for a length that {@link writeObject} never makes.
 */
export function objectSize(fileBytes: number): number {
  const stored = fileBytes - HEAD.length
  const whole = Math.floor(stored / STORED_BLOCK_BYTES)
  const rest = stored % STORED_BLOCK_BYTES
  if (stored < 0 || (rest > 0 && rest <= CHECKSUM_BYTES)) throw new StorageError('corrupt', 'the file is cut off')
  return whole * BLOCK_BYTES + Math.max(0, rest - CHECKSUM_BYTES)
}

/**
 * Reads part of an object, checked block by block; a block that is wrong is never handed out.
 * @param size - of the object, as {@link objectSize} says.
 */
export async function* readObject(file: FileHandle, size: number, start: number, length: number): ByteStream {
  const head = await readExactly(file, HEAD.length, 0)
  if (!equalBytes(head, HEAD)) throw new StorageError('corrupt', 'the file has another format')
  const end = start + length
  for (let index = Math.floor(start / BLOCK_BYTES); index * BLOCK_BYTES < end; index++) {
    const first = index * BLOCK_BYTES
    const block = await readBlock(file, index, Math.min(BLOCK_BYTES, size - first))
    yield block.subarray(Math.max(0, start - first), Math.min(block.length, end - first))
  }
}

async function readBlock(file: FileHandle, index: number, blockBytes: number): Promise<Uint8Array> {
  const stored = await readExactly(file, blockBytes + CHECKSUM_BYTES, HEAD.length + index * STORED_BLOCK_BYTES)
  const block = stored.subarray(0, blockBytes)
  if (equalBytes(stored.subarray(blockBytes), checksum(index, block))) return block
  throw new StorageError('corrupt', `block ${index} has another checksum than written`)
}

async function readExactly(file: FileHandle, length: number, position: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  if (bytesRead !== length) throw new StorageError('corrupt', 'the file is cut off')
  return bytes
}

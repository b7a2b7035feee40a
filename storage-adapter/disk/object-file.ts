/**
 * The file of one object: a head, then blocks, each followed by its checksum. LevelDB and file systems give flipped bits back as
 * good data; a checksum for each block lets a range be checked without reading the whole file, and parts be written in any order.
 */
import { crc32 } from 'node:zlib'
import type { FileHandle } from 'node:fs/promises'
import { concatBytes, equalBytes, utf8 } from '../../protocol/bytes.ts'
import { StorageError } from '../errors.ts'
import type { ByteStream } from '../storage-adapter.ts'

/** First bytes of each file; the digit is the version of this format. */
const HEAD = utf8('volo-object-2\n')
/** Bytes under one checksum. */
export const BLOCK_BYTES = 64 * 1024
/** CRC-32: against flipped bits, not against people, who may write the folder anyway. What a reader trusts is the hash of the object. */
const CHECKSUM_BYTES = 4
const STORED_BLOCK_BYTES = BLOCK_BYTES + CHECKSUM_BYTES
/** Blocks that are read at once: a system call for each block costs more than the block. */
const BLOCKS_READ = 16

/** The index is under the checksum, so that two blocks that changed places are noticed. */
function checksum(index: number, block: Uint8Array): Uint8Array {
  return checksumBytes(crc32(block, checksumOfIndex(index)))
}

function checksumOfIndex(index: number): number {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(index))
  return crc32(bytes)
}

function checksumBytes(sum: number): Uint8Array {
  const bytes = new Uint8Array(CHECKSUM_BYTES)
  new DataView(bytes.buffer).setUint32(0, sum)
  return bytes
}

/**
 * Writes whole blocks, or the end of an object, at their place: parts of an object may be written in any order. The head goes with
 * the first block, so the file is that of an object once every block is there.
 *
 * @param first - index of the first block in `pieces`.
 * @param pieces - the bytes as they came, cut anywhere.
 */
export async function writeBlocks(file: FileHandle, first: number, pieces: readonly Uint8Array[]): Promise<void> {
  const parts: Uint8Array[] = first === 0 ? [HEAD] : []
  let [index, filled, sum] = [first, 0, checksumOfIndex(first)]
  const end = (): void => {
    parts.push(checksumBytes(sum))
    filled = 0
    sum = checksumOfIndex(++index)
  }
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + BLOCK_BYTES - filled)
      parts.push(part)
      sum = crc32(part, sum)
      at += part.length
      filled += part.length
      if (filled === BLOCK_BYTES) end()
    }
  }
  if (filled > 0) end()
  await writeAll(file, parts, first === 0 ? 0 : HEAD.length + first * STORED_BLOCK_BYTES)
}

/**
 * Whether blocks are in a file that is being written: a hole, and what a power cut spoilt, has another checksum.
 * @param size - of the whole object.
 */
export async function hasBlocks(file: FileHandle, size: number, first: number, count: number): Promise<boolean> {
  try {
    await readBlocks(file, size, first, count)
    return true
  } catch (error) {
    if (error instanceof StorageError && error.code === 'corrupt') return false
    throw error
  }
}

/** Writes an object of any size; the caller syncs and renames. */
export async function writeObject(file: FileHandle, content: ByteStream): Promise<void> {
  await file.write(HEAD)
  let index = 0
  let rest: Uint8Array = new Uint8Array(0)
  for await (const bytes of content) {
    const blocks: Uint8Array[] = []
    let at = 0
    while (rest.length + bytes.length - at >= BLOCK_BYTES) {
      const part = bytes.subarray(at, at + BLOCK_BYTES - rest.length)
      const block = rest.length > 0 ? concatBytes(rest, part) : part
      at += part.length
      rest = new Uint8Array(0)
      blocks.push(block, checksum(index++, block))
    }
    // A copy: the source may use its buffer again.
    rest = concatBytes(rest, bytes.subarray(at))
    if (blocks.length > 0) await writeAll(file, blocks)
  }
  if (rest.length > 0) await writeAll(file, [rest, checksum(index, rest)])
}

/** @param position - default: where the file ends so far. */
async function writeAll(file: FileHandle, parts: Uint8Array[], position?: number): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const { bytesWritten } = await file.writev(parts, position)
  if (bytesWritten === length) return
  // A full disk takes the beginning of it; the rest names the reason.
  const rest = concatBytes(...parts).subarray(bytesWritten)
  for (let at = 0; at < rest.length;) {
    const place = position === undefined ? null : position + bytesWritten + at
    at += (await file.write(rest, at, rest.length - at, place)).bytesWritten
  }
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
  const firstOf = (index: number): number => index * BLOCK_BYTES
  for (let index = Math.floor(start / BLOCK_BYTES); firstOf(index) < end;) {
    const count = Math.min(BLOCKS_READ, Math.ceil((end - firstOf(index)) / BLOCK_BYTES))
    for (const block of await readBlocks(file, size, index, count)) {
      const first = firstOf(index++)
      yield block.subarray(Math.max(0, start - first), Math.min(block.length, end - first))
    }
  }
}

/** @returns blocks whose checksums are right. */
async function readBlocks(file: FileHandle, size: number, first: number, count: number): Promise<Uint8Array[]> {
  const contentBytes = Math.min(count * BLOCK_BYTES, size - first * BLOCK_BYTES)
  const stored = await readExactly(
    file,
    contentBytes + count * CHECKSUM_BYTES,
    HEAD.length + first * STORED_BLOCK_BYTES
  )
  return Array.from({ length: count }, (_, i) => {
    const block = stored.subarray(i * STORED_BLOCK_BYTES, Math.min((i + 1) * STORED_BLOCK_BYTES, stored.length))
    const content = block.subarray(0, -CHECKSUM_BYTES)
    if (equalBytes(block.subarray(-CHECKSUM_BYTES), checksum(first + i, content))) return content
    throw new StorageError('corrupt', `block ${first + i} has another checksum than written`)
  })
}

async function readExactly(file: FileHandle, length: number, position: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  if (bytesRead !== length) throw new StorageError('corrupt', 'the file is cut off')
  return bytes
}

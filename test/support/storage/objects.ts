import { createHash, randomBytes } from 'node:crypto'
import {
  parseObjectName,
  type ByteStream,
  type NewObject,
  type StorageAdapter,
  type StoredObject
} from '../../../storage-adapter/storage-adapter.ts'

/** An object of random bytes, with the bytes. */
export function randomObject(name: string, size: number): NewObject & { bytes: Buffer } {
  const bytes = randomBytes(size)
  const sha256 = Uint8Array.from(createHash('sha256').update(bytes).digest())
  return { name: parseObjectName(name), size, sha256, bytes, content: () => inPieces(bytes, 50_000) }
}

/** Bytes as a stream of pieces. */
export async function* inPieces(bytes: Uint8Array, pieceBytes: number): ByteStream {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** All bytes of a stream. */
export async function collect(stream: ByteStream): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

/** Everything that an adapter lists. */
export async function listed(adapter: StorageAdapter, prefix = ''): Promise<StoredObject[]> {
  const objects: StoredObject[] = []
  for await (const object of adapter.list(prefix)) objects.push(object)
  return objects.sort((a, b) => a.name.localeCompare(b.name))
}

/**
 * What a backup holds, and how a running node sends it to the command that writes it: one stream, so that all stores are
 * of the same moment. A part is a kind (1 byte), a length (4 bytes, big-endian) and so many bytes.
 */
import { APP_STORE_VERSION } from '../../app-database.ts'
import { BLOCK_STORE_VERSION } from '../../../chain/devnet/block-store.ts'
import { DumpError, type StoreSnapshot } from '../../../chain/store/store-dump.ts'
import { KEY_STORE_VERSION } from '../../key-directory/key-store.ts'
import { PENDING_STORE_VERSION } from '../../pending-messages/pending-database.ts'

/** The stores of a data folder: where each lies, and the newest layout that this program reads. */
export const STORES = {
  app: { folder: 'app', version: APP_STORE_VERSION },
  keys: { folder: 'keys', version: KEY_STORE_VERSION },
  messages: { folder: 'messages/db', version: PENDING_STORE_VERSION },
  devnet: { folder: 'devnet', version: BLOCK_STORE_VERSION }
} as const
export type StoreName = keyof typeof STORES
export const STORE_NAMES = Object.keys(STORES) as StoreName[]

/** Files of the data folder that a backup takes as they are; those that are not there are left out. */
export const KEPT_FILES = ['node.key', 'operator.key', 'wallet.key', 'network.json'] as const

/** Opens a snapshot; undefined for a store that this node does not have. */
export type SnapshotOpener = () => Promise<StoreSnapshot> | undefined

/** The beginning of a store, some of its dump, or the end of everything. */
export type BackupPart =
  { kind: 'store'; name: StoreName; version: number } | { kind: 'data'; bytes: Buffer } | { kind: 'end' }

const KINDS = ['store', 'data', 'end'] as const
const HEADER_BYTES = 5
const MAX_PART_BYTES = 80 * 1024 * 1024

/** All stores, of one moment: every snapshot is taken before the first is read. */
export async function* backupParts(openers: Record<StoreName, SnapshotOpener>): AsyncGenerator<BackupPart> {
  const opening = STORE_NAMES.map(async name => ({ name, snapshot: await openers[name]() }))
  const settled = await Promise.allSettled(opening)
  const opened = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  try {
    for (const result of settled) if (result.status === 'rejected') throw result.reason
    for (const { name, snapshot } of opened) {
      if (snapshot === undefined) continue
      yield { kind: 'store', name, version: snapshot.version }
      for await (const bytes of snapshot.chunks()) yield { kind: 'data', bytes }
    }
    yield { kind: 'end' }
  } finally {
    for (const { snapshot } of opened) await snapshot?.release()
  }
}

/** Parts as bytes. */
export async function* encodeParts(parts: AsyncIterable<BackupPart>): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    const bytes = part.kind === 'data' ? part.bytes : Buffer.from(JSON.stringify(part))
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt8(KINDS.indexOf(part.kind), 0)
    header.writeUInt32BE(bytes.length, 1)
    yield header
    yield bytes
  }
}

/** @throws DumpError if the stream ends before its last part. */
export async function* decodeParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<BackupPart> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(1)
      if (length > MAX_PART_BYTES) throw new DumpError('a part is too large')
      if (rest.length < HEADER_BYTES + length) break
      const bytes = rest.subarray(HEADER_BYTES, HEADER_BYTES + length)
      const kind = KINDS[rest.readUInt8(0)]
      rest = rest.subarray(HEADER_BYTES + length)
      if (kind === 'end') return yield { kind }
      // Only our own node, asked with its own secret, answers here.
      yield kind === 'data' ? { kind, bytes } : (JSON.parse(bytes.toString('utf8')) as BackupPart)
    }
  }
  throw new DumpError('it is cut short')
}

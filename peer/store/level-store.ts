import type { ClassicLevel } from 'classic-level'
import { Level } from 'level'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import type { KeyValueStore, StoreChange } from '../ports.ts'
import { openFailure, writeFailure } from './store-fault.ts'

/** A write to this key makes everything before it reach the disk. Its value is empty, and not sealed. */
export const FLUSH_KEY = 'flushed'

/**
 * LevelDB in Node, IndexedDB in browsers.
 *
 * @param location - a folder in Node, a database name in browsers.
 * @param onClosed - told when a browser has closed it by itself.
 * @throws PeerError `store` if another process has it open, or it cannot be read; its `batch` rejects with {@link writeFailure}.
 */
export async function openLevelStore(location: string, onClosed?: () => void): Promise<KeyValueStore> {
  const db = new Level<string, Uint8Array>(location, { keyEncoding: 'utf8', valueEncoding: 'view' })
  try {
    await db.open()
  } catch (error) {
    throw openFailure(location, error)
  }
  const queue = new SerialQueue()
  const isSynchronous = (db.supports as { getSync?: boolean }).getSync === true
  const inBrowser = (db as { db?: IDBDatabase }).db
  inBrowser?.addEventListener('close', () => onClosed?.())
  const batch: KeyValueStore['batch'] = async (changes, { durable = true } = {}) => {
    const writes = changes.map(({ key, value }) =>
      value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value }
    )
    const written = inBrowser
      ? writeIndexed(inBrowser, location, changes, durable)
      : // LevelDB writes on a pool of threads: two batches at once would land in either order.
        queue.run(() => db.batch(writes, { sync: durable } as object))
    await written.catch((error: unknown) => {
      throw writeFailure(location, error)
    })
  }
  return {
    // Synchronous where the platform can: a state is small and mostly in memory, and asking another thread takes longer.
    get: async key => (isSynchronous ? db.getSync(key) : db.get(key)),
    batch,
    flush: () => batch([{ key: FLUSH_KEY, value: new Uint8Array() }]),
    range: options => db.iterator(options).all(),
    ...(!inBrowser && { compact: (from, to) => compactLevel(db as unknown as ClassicLevel, from, to) }),
    close: () => queue.run(() => db.close())
  }
}

/**
 * LevelDB writes what is in memory to a file with the values that were replaced, and goes through files only where a later
 * one lies over them. So a second pass follows, with a mark at each end that lies over all; nothing has these keys.
 */
async function compactLevel(db: ClassicLevel, from: string, to: string): Promise<void> {
  await db.compactRange(from, to)
  await db.batch([
    { type: 'del', key: from },
    { type: 'del', key: to }
  ])
  await db.compactRange(from, to)
}

// `level` cannot ask a browser for a durable transaction, and without that the browser reports success before anything is on
// the disk: after a power cut a session would use a message key twice, and acknowledged messages would be lost.
async function writeIndexed(db: IDBDatabase, name: string, changes: StoreChange[], durable: boolean): Promise<void> {
  const transaction = db.transaction(name, 'readwrite', { durability: durable ? 'strict' : 'relaxed' })
  const entries = transaction.objectStore(name)
  const encoder = new TextEncoder()
  try {
    for (const { key, value } of changes) {
      // Keys as `level` reads them there.
      if (value === null) entries.delete(encoder.encode(key))
      else entries.put(value, encoder.encode(key))
    }
  } catch (error) {
    // Without this, the browser commits the changes before the failed one.
    transaction.abort()
    throw error
  }
  transaction.commit()
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('the browser gave the write up'))
  })
}

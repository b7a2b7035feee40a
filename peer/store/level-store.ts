import { Level } from 'level'
import { PeerError } from '../peer-api.ts'
import type { KeyValueStore } from '../ports.ts'

/** Written to have what came before it synced. */
const FLUSH_KEY = 'flushed'

/**
 * LevelDB in Node, IndexedDB in browsers.
 *
 * @param location - a folder in Node, a database name in browsers.
 * @throws PeerError `store` if another process has it open, or it cannot be read.
 */
export async function openLevelStore(location: string): Promise<KeyValueStore> {
  const db = new Level<string, Uint8Array>(location, { keyEncoding: 'utf8', valueEncoding: 'view' })
  try {
    await db.open()
  } catch (error) {
    throw openFailure(location, error)
  }
  const isSynchronous = (db.supports as { getSync?: boolean }).getSync === true
  return {
    // Where it can be had at once: a state is small and mostly in memory, another thread takes longer to be asked.
    get: async key => (isSynchronous ? db.getSync(key) : db.get(key)),
    async batch(changes, { durable = true } = {}) {
      const options = { sync: durable } as object
      await db.batch(
        changes.map(({ key, value }) => (value === null ? { type: 'del', key } : { type: 'put', key, value })),
        options
      )
    },
    flush: () => db.put(FLUSH_KEY, new Uint8Array(), { sync: true } as object),
    range: options => db.iterator(options).all(),
    close: () => db.close()
  }
}

function openFailure(location: string, error: unknown): PeerError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  if (cause?.code === 'LEVEL_LOCKED') {
    return new PeerError(
      'store',
      `${location} is in use by another process; stop it, or choose another data directory`,
      {
        cause: error
      }
    )
  }
  return new PeerError('store', `${location} cannot be opened: ${cause?.message ?? String(error)}`, { cause: error })
}

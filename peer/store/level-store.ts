import { Level } from 'level'
import { PeerError } from '../peer-api.ts'
import type { KeyValueStore } from '../ports.ts'

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
  return {
    get: key => db.get(key),
    async batch(changes) {
      // A message is acknowledged to the network after this resolves: it has to be on disk by then.
      const options = { sync: true } as object
      await db.batch(
        changes.map(({ key, value }) => (value === null ? { type: 'del', key } : { type: 'put', key, value })),
        options
      )
    },
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

/**
 * Brings a store to the layout that this program reads. The store carries the version of its layout; a store without one
 * has version 1, the layout before there were versions. Steps run in order, and the changes of each are one synced batch
 * with the version that it leads to: a process that ends between two steps, or during one, finds a store of a known version.
 *
 * To change a layout: keep a copy of a store of today (`test/fixtures/node-stores`), add a step, and test it from the copy.
 * A released step never changes; it keeps with itself what it needs of an old layout.
 */
import { StoreError } from './store-error.ts'

/** Version of a store that carries none. */
const FIRST_VERSION = 1
/** Key under which a store keeps its version. No store has a key of its own that begins so. */
export const VERSION_KEY = 'store-version'
const AS_TEXT = { keyEncoding: 'utf8', valueEncoding: 'utf8' } as const
const VERSION_TEXT = /^[1-9]\d{0,8}$/

/** What a step returns: puts and deletions, with sublevels or encodings of their own where the store has them. */
export type StoreChange = ({ type: 'put'; value: unknown } | { type: 'del' }) & {
  key: unknown
  keyEncoding?: string
  valueEncoding?: string
  sublevel?: object
}

/** Reads a store of one version and returns the changes that lead to the next. It writes nothing itself. */
export type MigrationStep<D> = (database: D) => Promise<StoreChange[]>

/**
 * Runs the steps that a store has not had yet.
 *
 * @param steps - step `i` leads from version `i + 1` to `i + 2`.
 * @throws StoreError `newer` if the store has a version that no step leads to; nothing is changed then.
 */
export async function migrate<D extends { location: string }>(
  database: D,
  steps: readonly MigrationStep<D>[]
): Promise<void> {
  const store = database as unknown as {
    get(key: string, options: object): Promise<string | undefined>
    batch(changes: object[], options: object): Promise<void>
  }
  const newest = FIRST_VERSION + steps.length
  const stored = await store.get(VERSION_KEY, AS_TEXT)
  const found = stored === undefined ? undefined : parseVersion(stored)
  if (found === undefined ? stored !== undefined : found > newest) throw newerStore(database.location, stored!, newest)
  const putVersion = (version: number): object => ({
    type: 'put',
    key: VERSION_KEY,
    value: String(version),
    ...AS_TEXT
  })
  if (found === undefined && newest === FIRST_VERSION) return store.batch([putVersion(newest)], { sync: true })
  for (let version = found ?? FIRST_VERSION; version < newest; version++) {
    const changes = await steps[version - FIRST_VERSION]!(database)
    await store.batch([...changes, putVersion(version + 1)], { sync: true })
  }
}

function parseVersion(text: string): number | undefined {
  return VERSION_TEXT.test(text) ? Number(text) : undefined
}

/** Older code would misread newer entries, and could write over what it does not know. */
function newerStore(location: string, found: string, known: number): StoreError {
  const message = `The store ${location} has version ${found.slice(0, 20)} and this program reads up to ${known}: start the version of the program that wrote it.`
  return new StoreError('newer', message)
}

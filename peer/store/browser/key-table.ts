/** Where a browser profile keeps its keys: an IndexedDB of its own, because LevelDB's takes bytes only and keys are objects. */
import { openFailure, writeFailure } from '../store-fault.ts'

/** Objects by name, outside the store. */
export interface KeyTable {
  /** Where they are, for messages. */
  readonly location: string
  /** @returns undefined if there is none. */
  get(name: string): Promise<unknown>
  /** Those whose names begin with `prefix`, in the order of their names. */
  all(prefix: string): Promise<unknown[]>
  /** All changes or none, on the disk when it resolves; `undefined` deletes. */
  write(changes: KeyChange[]): Promise<void>
  close(): void
}

export interface KeyChange {
  name: string
  value: unknown
}

const TABLE = 'keys'

/**
 * @param name - of the database.
 * @param onClosed - told when the browser has closed it by itself.
 * @throws PeerError `store` if the browser's storage cannot be used.
 */
export async function openKeyTable(name: string, onClosed: () => void): Promise<KeyTable> {
  const db = await openDatabase(name)
  db.addEventListener('close', onClosed)
  const reading = (): IDBObjectStore => db.transaction(TABLE, 'readonly').objectStore(TABLE)
  return {
    location: name,
    get: key => settled(reading().get(key)),
    all: prefix => settled(reading().getAll(IDBKeyRange.bound(prefix, `${prefix}~`))),
    write: changes => write(db, changes),
    close: () => db.close()
  }
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  try {
    // Where settings forbid storage, some browsers have no IndexedDB, some throw, some refuse the request.
    if (typeof indexedDB === 'undefined') throw new DOMException('there is no IndexedDB', 'SecurityError')
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => void request.result.createObjectStore(TABLE)
    return await settled(request)
  } catch (error) {
    throw openFailure(name, error)
  }
}

async function write(db: IDBDatabase, changes: KeyChange[]): Promise<void> {
  // A device that loses its key has lost its account: the write has to reach the disk.
  const transaction = db.transaction(TABLE, 'readwrite', { durability: 'strict' })
  const keys = transaction.objectStore(TABLE)
  for (const { name, value } of changes) {
    if (value === undefined) keys.delete(name)
    else keys.put(value, name)
  }
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () =>
      reject(writeFailure(db.name, transaction.error ?? new Error('a key could not be stored')))
  })
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'))
  })
}

/** One step of an atomic write. */
export type StoreOperation = { type: 'put'; key: string; value: string } | { type: 'del'; key: string }

/** Keys of an iteration, in byte order. */
export interface KeyRange {
  gte: string
  lt: string
  reverse?: boolean
  limit?: number
}

/** Values as bytes instead of text. */
export interface BytesEncoding {
  valueEncoding: 'view'
}

/**
 * A LevelDB, or a sublevel of one, that belongs to one part alone: the part of it that this folder uses. Keys and values are text
 * unless said otherwise; opened and closed by its owner.
 */
export interface ChainStore {
  get(key: string): Promise<string | undefined>
  get(key: string, options: BytesEncoding): Promise<Uint8Array | undefined>
  put(key: string, value: string, options: object): Promise<void>
  put(key: string, value: Uint8Array, options: BytesEncoding): Promise<void>
  batch(operations: StoreOperation[], options: object): Promise<void>
  clear(range: KeyRange): Promise<void>
  iterator(range: KeyRange): AsyncIterable<[string, string]>
}

/** A write that is on disk once its promise resolves; LevelDB only promises the operating system otherwise. */
export const SYNCED = { sync: true }

/** Fixed-width decimal, so that numbers sort as text. @param value - 0 to 2^53 - 1. */
export function sortableNumber(value: number): string {
  return String(value).padStart(16, '0')
}

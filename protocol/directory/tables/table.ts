/** One table of the directory: values by `bytesKey` of what they are asked for. */
export interface Table<V> {
  /** Number of entries. */
  readonly size: number
  /** Rises with every change, so that a fork notices when what it rests on has moved. */
  readonly version: number
  get(key: string): V | undefined
  has(key: string): boolean
  set(key: string, value: V): void
  delete(key: string): void
  /** Entries in no order that means anything. */
  entries(): IterableIterator<[string, V]>
  values(): IterableIterator<V>
  /** A table that reads through to this one and keeps its own changes; this one must not move meanwhile. */
  fork(): Table<V>
}

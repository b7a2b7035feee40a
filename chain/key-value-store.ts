import type { AbstractBatchOptions, AbstractLevel } from 'abstract-level'

/** A LevelDB, or a sublevel of one, that belongs to one part alone. Keys are text; opened and closed by its owner. */
export type KeyValueStore = AbstractLevel<string | Buffer | Uint8Array, string, string>

/** A write that is on disk once its promise resolves; LevelDB only promises the operating system otherwise. */
export const SYNCED = { sync: true } as AbstractBatchOptions<string, string>

/** Fixed-width decimal, so that numbers sort as text. @param value - 0 to 2^53 - 1. */
export function sortableNumber(value: number): string {
  return String(value).padStart(16, '0')
}

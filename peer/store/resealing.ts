import type { KeyValueStore } from '../ports.ts'
import type { RotatingCipher } from './rotating-cipher.ts'

/** Entries sealed again in one batch: others who write wait for one of these at most. */
const RESEALED_AT_ONCE = 64

/**
 * Seals a few entries of a range under the newest key of a cipher, where another one seals them. Call it in a turn with the
 * writers of the store.
 *
 * @param range - `gte` and `lt` are keys.
 * @param isOurs - which entries the cipher seals; all of them by default.
 * @returns how many entries were looked at, and the key to go on with: undefined at the end.
 */
export async function resealSome(
  { store, cipher }: { store: KeyValueStore; cipher: RotatingCipher },
  range: { gte: string; lt: string },
  isOurs: (key: string) => boolean = () => true
): Promise<{ seen: number; next: string | undefined }> {
  const entries = await store.range({ ...range, limit: RESEALED_AT_ONCE })
  const old = entries.filter(([key, sealed]) => isOurs(key) && !cipher.isCurrent(sealed))
  const changes = await Promise.all(
    old.map(async ([key, sealed]) => ({ key, value: await cipher.seal(key, await cipher.open(key, sealed)) }))
  )
  if (changes.length > 0) await store.batch(changes)
  const isEnd = entries.length < RESEALED_AT_ONCE
  return { seen: entries.length, next: isEnd ? undefined : `${entries.at(-1)![0]}\0` }
}

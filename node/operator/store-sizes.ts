import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { STORE_NAMES, STORES, type StoreName } from './backup/backup-parts.ts'

/** What the stores take of the disk, in bytes. */
export interface StoreSizes {
  stores: Record<StoreName, number>
  total: number
  /** Left on the disk for this user. */
  free: number
}

/** Measures the files of a data folder; a store that is not there has 0 bytes. */
export async function storeSizes(dataDir: string): Promise<StoreSizes> {
  const sizes = STORE_NAMES.map(async name => [name, await sizeOf(join(dataDir, STORES[name].folder))] as const)
  const stores = Object.fromEntries(await Promise.all(sizes)) as Record<StoreName, number>
  const { bavail, bsize } = await statfs(dataDir)
  return { stores, total: Object.values(stores).reduce((sum, size) => sum + size, 0), free: bavail * bsize }
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  // LevelDB removes files at any time.
  const sizes = await Promise.all(
    names.map(name =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0
      )
    )
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Opening the pending store's LevelDB, and repairing its files when they were found broken. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { openLevel } from '../open-level.ts'
import type { Logger } from '../ports.ts'
import type { PendingDatabase } from './store-transaction.ts'

/** File that asks for a repair of the database at the next start. */
const REPAIR_MARK = 'needs-repair'

/** Newest layout that this program reads, see `migrate.ts`. */
export const PENDING_STORE_VERSION = 1

/**
 * Opens the database, repairing it first if its files were found broken.
 * @throws if it is locked or unreadable.
 */
export async function openPendingDatabase(directory: string, log: Logger): Promise<PendingDatabase> {
  await mkdir(directory, { recursive: true })
  const mark = join(directory, REPAIR_MARK)
  const asked = await stat(mark).then(
    () => true,
    () => false
  )
  if (asked) await repair(directory, log)
  const database = await open(directory).catch(async (error: unknown) => {
    if (!isCorruption(error)) throw error
    await repair(directory, log)
    return open(directory)
  })
  await rm(mark, { force: true })
  return database
}

/** Leaves word that the files need a repair, for the next start. */
export function askForRepair(directory: string, log: Logger): void {
  writeFile(join(directory, REPAIR_MARK), '').catch(() => log.error('no mark for repair could be left'))
}

/** Whether an error, or what caused it, says that the files are broken. */
export function isCorruption(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: unknown }
  return code === 'LEVEL_CORRUPTION' || (cause !== undefined && isCorruption(cause))
}

/** The store's own queue of writes reports failures, see `group-commit.ts`. */
function open(directory: string): Promise<PendingDatabase> {
  return openLevel<Buffer, Uint8Array>(join(directory, 'db'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    // Ciphertext does not get smaller.
    compression: false,
    writeBufferSize: 16 * 1024 * 1024,
    cacheSize: 16 * 1024 * 1024
  })
}

async function repair(directory: string, log: Logger): Promise<void> {
  log.error('repairing the files of the pending store')
  await ClassicLevel.repair(join(directory, 'db'))
}

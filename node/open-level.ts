import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Level } from 'level'
import { ConfigError } from './config/config.ts'

/**
 * Opens a LevelDB with text keys, making its folder.
 * @throws ConfigError with one sentence if another process holds it, or the folder cannot be made or written.
 */
export async function openLevel<V>(folder: string, valueEncoding: 'json' | 'utf8' | 'view'): Promise<Level<string, V>> {
  const database = new Level<string, V>(folder, { valueEncoding })
  try {
    mkdirSync(dirname(folder), { recursive: true })
    await database.open()
    return database
  } catch (error) {
    throw explain(folder, error)
  }
}

function explain(folder: string, error: unknown): Error {
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException }
  if (cause?.code === 'LEVEL_LOCKED') {
    return new ConfigError(
      `Another node uses ${dirname(folder)}: stop it, or choose another folder with VOLO_DATA_DIR.`,
      { cause: error }
    )
  }
  const reason = code?.startsWith('LEVEL_') ? (cause?.message ?? code) : (code ?? String(error))
  return new ConfigError(
    `Cannot write to the data folder ${dirname(folder)} (${reason}): check its path, permissions and free space, or choose another with VOLO_DATA_DIR.`,
    { cause: error }
  )
}

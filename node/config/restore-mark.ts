import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from './config-error.ts'

/** File in the data folder while a backup is put into it. */
export const RESTORE_MARK = 'restore-unfinished'

/** @throws ConfigError if a restore into the folder was cut short: what is there is half of a node. */
export function requireNoHalfRestore(dataDir: string): void {
  if (!existsSync(join(dataDir, RESTORE_MARK))) return
  const message = `A restore into ${dataDir} was cut short: empty the folder, then run "volo-node restore" again.`
  throw new ConfigError(message)
}

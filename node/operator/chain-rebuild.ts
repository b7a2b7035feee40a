/**
 * `volo-node chain rebuild`: forgets what was read of the chain, so that the next start reads all of it again. The way out
 * when what is final here contradicts the chain, and after a chain source was replaced that had left something out.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppDatabase } from '../app-database.ts'
import { ConfigError } from '../config/config-error.ts'
import { readConfig } from '../config/config.ts'
import { UsageError } from './usage-error.ts'

/**
 * Runs the command on the data folder of a node that does not run.
 *
 * @param args - the command and all after it.
 * @returns what it did, for people or with `--json` for programs.
 * @throws UsageError; ConfigError if there is no such folder or a node uses it.
 */
export async function runChainCommand(args: string[], env: Record<string, string | undefined>): Promise<string> {
  const [, subcommand, ...rest] = args
  if (subcommand !== 'rebuild') throw new UsageError('write "volo-node chain rebuild [settings]"')
  const isJson = rest.includes('--json')
  const { dataDir } = readConfig(
    rest.filter(flag => flag !== '--json'),
    env
  )
  const folder = join(dataDir, 'app')
  if (!existsSync(folder)) {
    throw new ConfigError(`No node has run with the data folder ${dataDir}: there is nothing to rebuild.`)
  }
  const forgotten = await forget(folder)
  if (isJson) return JSON.stringify({ forgotten }, null, 2)
  return `${forgotten} entries of the chain are forgotten. The next start reads the chain again from its beginning.`
}

async function forget(folder: string): Promise<number> {
  const database = new AppDatabase(folder)
  await database.open()
  try {
    return await database.forgetChain()
  } finally {
    await database.close()
  }
}

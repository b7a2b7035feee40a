/** `volo-node backup` and `restore`. What they do: `backup/`. */
import { resolve } from 'node:path'
import type { NodeConfig } from '../config/config.ts'
import { decodeParts } from './backup/backup-parts.ts'
import { restoreBackup } from './backup/restore-backup.ts'
import { stoppedParts, writeBackup, type BackupReport } from './backup/write-backup.ts'
import type { CommandArguments, Outcome } from './command-arguments.ts'
import { RunningNode } from './running-node.ts'

/** `volo-node backup --out DIR`: from the running node if one answers, otherwise from its files. */
export async function runBackup({ config, own }: CommandArguments, version: string): Promise<Outcome> {
  const report = await makeBackup(config, resolve(own['--out']!), version)
  const { folder, stores, files, objects, elsewhere, node } = report
  const bytes = [...stores, ...files, objects].reduce((sum, file) => sum + file.bytes, 0)
  const lines = [
    `Node ${node} is backed up in ${folder}: ${stores.length} stores, ${files.length} files and ${objects.count} objects of people, ${bytes} bytes${report.running ? ', while it ran' : ''}.`,
    'It holds secret keys: keep it as safe as the node.',
    ...elsewhere.map(file => `Not in it, because a setting names it elsewhere: ${file}`)
  ]
  return { text: lines.join('\n'), json: { ...report, bytes } }
}

/** `volo-node restore --from DIR`. */
export async function runRestore({ config, own }: CommandArguments): Promise<Outcome> {
  const report = await restoreBackup(config, resolve(own['--from']!))
  const lines = [
    `Node ${report.node} of ${report.made} is restored into ${report.dataDir}. Start it, and never again the node that it is a copy of.`,
    ...report.elsewhere.map(file => `Not in the backup, because a setting named it elsewhere: ${file}`)
  ]
  return { text: lines.join('\n'), json: report }
}

async function makeBackup(
  config: NodeConfig,
  out: string,
  version: string
): Promise<BackupReport & { running: boolean }> {
  const node = await RunningNode.find(config)
  const parts = async () => (node ? decodeParts(await node.backup()) : stoppedParts(config.dataDir))
  return { ...(await writeBackup(config, out, version, parts)), running: node !== undefined }
}

/**
 * `volo-node restore`: puts a backup into an empty data folder. Everything is verified before the first byte is written; a
 * mark keeps a node from starting on half of it.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { loadDump, readDump } from '../../../chain/store/store-dump.ts'
import { ConfigError } from '../../config/config-error.ts'
import type { NodeConfig } from '../../config/config.ts'
import { RESTORE_MARK } from '../../config/restore-mark.ts'
import { hashOfFile, makeEmptyFolder, syncFolder } from './backup-folder.ts'
import { KEPT_FILES, STORES } from './backup-parts.ts'
import { damaged, MANIFEST_FILE, parseManifest, type Manifest } from './manifest.ts'
import { copyObjects, countObjects, OBJECTS_FOLDER, STORED_OBJECTS } from './object-files.ts'

const MAX_MANIFEST_BYTES = 64 * 1024
const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

/** What was restored. */
export interface RestoreReport extends Pick<Manifest, 'network' | 'node' | 'made' | 'elsewhere' | 'objects'> {
  dataDir: string
  stores: string[]
  files: string[]
}

/**
 * Restores a backup.
 * @throws ConfigError with one sentence if the data folder is full, or the backup is not whole, not ours, or newer.
 */
export async function restoreBackup({ dataDir }: Pick<NodeConfig, 'dataDir'>, from: string): Promise<RestoreReport> {
  const manifest = readManifest(from)
  await verify(from, manifest)
  const full = `The data folder ${dataDir} is not empty: restore into an empty one. Nothing was restored.`
  await makeEmptyFolder(dataDir, full)
  chmodSync(dataDir, OWNER_ONLY_FOLDER)
  try {
    await copy(from, manifest, dataDir)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    const message = `The backup could not be restored (${reason}): empty the data folder ${dataDir}, then try again.`
    throw new ConfigError(message, { cause })
  }
  const { network, node, made, elsewhere, objects, stores, files } = manifest
  const names = { stores: stores.map(({ store }) => store), files: files.map(({ name }) => name) }
  return { dataDir, network, node, made, elsewhere, objects, ...names }
}

function readManifest(from: string): Manifest {
  const file = join(from, MANIFEST_FILE)
  if (!existsSync(file)) {
    const message = `${from} holds no finished backup (no ${MANIFEST_FILE}): name the folder that "volo-node backup --out" wrote.`
    throw new ConfigError(message)
  }
  if (statSync(file).size > MAX_MANIFEST_BYTES) throw damaged(from, 'its manifest is too large')
  return parseManifest(readFileSync(file, 'utf8'), from)
}

async function verify(from: string, { stores, files, objects }: Manifest): Promise<void> {
  for (const { name, bytes, sha256 } of [...stores, ...files]) {
    const found = await hashOfFile(join(from, name))
    if (found === undefined) throw damaged(from, `${name} is missing`)
    if (found.bytes !== bytes) throw damaged(from, `${name} has ${found.bytes} bytes instead of ${bytes}`)
    if (found.sha256 !== sha256) throw damaged(from, `${name} was changed`)
  }
  const unknown = files.find(({ name }) => !(KEPT_FILES as readonly string[]).includes(name))
  if (unknown) throw damaged(from, `${unknown.name} is no file of a node`)
  for (const { name } of stores) await requireWhole(from, name)
  const found = await countObjects(join(from, OBJECTS_FOLDER))
  if (found.count !== objects.count) throw damaged(from, `${found.count} of ${objects.count} objects are there`)
  if (found.bytes !== objects.bytes)
    throw damaged(from, `its objects have ${found.bytes} bytes instead of ${objects.bytes}`)
}

async function requireWhole(from: string, name: string): Promise<void> {
  try {
    for await (const _entry of readDump(createReadStream(join(from, name)))) continue
  } catch (error) {
    throw damaged(from, `${name}: ${(error as Error).message}`)
  }
}

async function copy(from: string, { stores, files }: Manifest, dataDir: string): Promise<void> {
  const mark = join(dataDir, RESTORE_MARK)
  writeFileSync(mark, '', { flag: 'wx', mode: OWNER_ONLY_FILE })
  await syncFolder(dataDir)
  for (const { name, store } of stores) {
    const folder = join(dataDir, STORES[store].folder)
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
    await loadDump(createReadStream(join(from, name)), folder)
    await syncFolder(folder)
  }
  for (const { name } of files) await copyDurably(join(from, name), join(dataDir, name))
  await copyObjects(join(from, OBJECTS_FOLDER), join(dataDir, STORED_OBJECTS))
  await syncFolder(dataDir)
  rmSync(mark)
  await syncFolder(dataDir)
}

async function copyDurably(from: string, to: string): Promise<void> {
  copyFileSync(from, to)
  chmodSync(to, OWNER_ONLY_FILE)
  const handle = await open(to, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

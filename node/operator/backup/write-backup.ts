/**
 * `volo-node backup`: copies the stores, key files and the network file of a data folder into another folder, from the running
 * node or from its files. The order is its subject: everything is on the disk before the manifest gets its name.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openForDump } from '../../../chain/store/store-dump.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { networkIdOf } from '../../../protocol/network.ts'
import { ConfigError } from '../../config/config-error.ts'
import type { NodeConfig } from '../../config/config.ts'
import { readKeyFile } from '../../config/key-file.ts'
import { nodeKeyFile } from '../../config/load-network.ts'
import { readNetworkFile } from '../../config/network-file.ts'
import { HashedFile, makeEmptyFolder, removeFiles, renameDurably, syncFolder, writeHashed } from './backup-folder.ts'
import {
  backupParts,
  KEPT_FILES,
  STORE_NAMES,
  STORES,
  type BackupPart,
  type SnapshotOpener,
  type StoreName
} from './backup-parts.ts'
import { MANIFEST_FILE, manifestText, type BackupFile, type BackupStore } from './manifest.ts'
import { copyObjects, OBJECTS_FOLDER, STORED_OBJECTS, type ObjectSum } from './object-files.ts'

const NEXT_MANIFEST = `${MANIFEST_FILE}.next`

/** What a backup was made of. */
export interface BackupReport {
  folder: string
  network: string
  node: string
  stores: BackupStore[]
  files: BackupFile[]
  /** Files and backups of people, where the storage is the node's own disk. */
  objects: ObjectSum
  /** Files that settings name outside the data folder: not in the backup. */
  elsewhere: string[]
}

/**
 * Makes a backup.
 * @param out - folder that does not exist, or is empty.
 * @param program - version of this program.
 * @param source - the stores, of a node that runs or of one that does not.
 * @throws ConfigError with one sentence; what was written is removed.
 */
export async function writeBackup(
  config: NodeConfig,
  out: string,
  program: string,
  source: () => Promise<AsyncIterable<BackupPart>>
): Promise<BackupReport> {
  const { dataDir } = config
  if (!existsSync(join(dataDir, STORES.app.folder))) {
    throw new ConfigError(`No node has run with the data folder ${dataDir}: there is nothing to back up.`)
  }
  requireOwnUser(dataDir)
  const identity = await identityOf(config)
  const parts = await source()
  await makeEmptyFolder(out, `${out} is not empty: choose a folder of its own for each backup.`)
  try {
    const stores = await writeStores(out, parts)
    const files = await copyFiles(dataDir, out)
    // After the stores: what they name was there by then.
    const objects = await copyObjects(join(dataDir, STORED_OBJECTS), join(out, OBJECTS_FOLDER))
    const elsewhere = filesElsewhere(config)
    const facts = { program, made: new Date().toISOString(), ...identity, stores, files, objects, elsewhere }
    await writeHashed(out, NEXT_MANIFEST, Buffer.from(manifestText(facts)))
    await syncFolder(out)
    await renameDurably(out, NEXT_MANIFEST, MANIFEST_FILE)
    return { folder: out, ...identity, stores, files, objects, elsewhere }
  } catch (error) {
    await removeFiles(out, [MANIFEST_FILE, NEXT_MANIFEST, ...STORE_NAMES.map(fileOf), ...KEPT_FILES, OBJECTS_FOLDER])
    if (error instanceof ConfigError) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new ConfigError(`The backup could not be made (${reason}): nothing is left of it in ${out}.`, {
      cause: error
    })
  }
}

/** The stores of a node that does not run; while they are open, it cannot start. */
export function stoppedParts(dataDir: string): AsyncIterable<BackupPart> {
  return backupParts(openersOf(dataDir))
}

function openersOf(dataDir: string): Record<StoreName, SnapshotOpener> {
  const opener = (name: StoreName): SnapshotOpener => {
    const folder = join(dataDir, STORES[name].folder)
    return () => (existsSync(folder) ? openStopped(folder, dataDir) : undefined)
  }
  return Object.fromEntries(STORE_NAMES.map(name => [name, opener(name)])) as Record<StoreName, SnapshotOpener>
}

async function openStopped(folder: string, dataDir: string): ReturnType<typeof openForDump> {
  try {
    return await openForDump(folder)
  } catch (cause) {
    const locked = (cause as { cause?: { code?: string } }).cause?.code === 'LEVEL_LOCKED'
    const message = locked
      ? `A process uses ${dataDir}, but no node answers on its administration port: is the node starting or stopping? Try again.`
      : `Cannot open the store ${folder} (${(cause as Error).message}): start the node once, so that it repairs it.`
    throw new ConfigError(message, { cause })
  }
}

async function writeStores(out: string, parts: AsyncIterable<BackupPart>): Promise<BackupStore[]> {
  const stores: BackupStore[] = []
  let current: { file: HashedFile; store: StoreName; storeVersion: number } | undefined
  try {
    for await (const part of parts) {
      if (part.kind === 'data') {
        await current!.file.write(part.bytes)
        continue
      }
      if (current) stores.push({ ...(await current.file.finish()), ...namesOf(current) })
      current = undefined
      if (part.kind === 'end') continue
      const file = await HashedFile.create(out, fileOf(part.name))
      current = { file, store: part.name, storeVersion: part.version }
    }
    return stores
  } catch (error) {
    await current?.file.abandon()
    throw error
  }
}

function namesOf({ store, storeVersion }: { store: StoreName; storeVersion: number }) {
  return { store, storeVersion }
}

function fileOf(store: StoreName): string {
  return `${store}.store`
}

async function copyFiles(dataDir: string, out: string): Promise<BackupFile[]> {
  const files: BackupFile[] = []
  for (const name of KEPT_FILES) {
    const path = join(dataDir, name)
    if (existsSync(path)) files.push(await writeHashed(out, name, readFileSync(path)))
  }
  return files
}

async function identityOf(config: NodeConfig): Promise<{ network: string; node: string }> {
  const crypto = createNodeCrypto()
  const { genesis } = readNetworkFile(config.networkFile ?? join(config.dataDir, 'network.json'))
  const seed = readKeyFile(nodeKeyFile(config))
  if (seed === undefined)
    throw new ConfigError(`The node's key is not at ${nodeKeyFile(config)}: set VOLO_NODE_KEY_FILE.`)
  const { publicKey } = await crypto.signingKeyFromSeed(seed)
  return { network: toHex(networkIdOf(crypto, genesis)), node: toHex(publicKey) }
}

function filesElsewhere(config: NodeConfig): string[] {
  const { networkFile, nodeKeyFile: key, operatorKeyFile, walletKeyFile, chainProjectIdFile } = config
  const named = [networkFile, key, operatorKeyFile, walletKeyFile, chainProjectIdFile, config.signInProvidersFile]
  const kept = new Set<string>(KEPT_FILES.map(name => join(config.dataDir, name)))
  return named.filter(file => file !== undefined).filter(file => !kept.has(file))
}

/** Another user would leave files in the stores that the node cannot use any more. */
export function requireOwnUser(dataDir: string): void {
  const { uid } = statSync(dataDir)
  if (process.geteuid === undefined || uid === process.geteuid()) return
  throw new ConfigError(`The data folder ${dataDir} belongs to another user (${uid}): run this command as that user.`)
}

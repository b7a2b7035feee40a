/** `manifest.json` of a backup: written last, so that a folder without it is no backup. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ConfigError } from '../../config/config-error.ts'
import { STORE_NAMES, STORES, type StoreName } from './backup-parts.ts'

export const MANIFEST_FILE = 'manifest.json'
/** Raise this with every change that an older `restore` would misread. */
const BACKUP_VERSION = 1
const MAX_FILES = 32

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const fileSchema = z.object({
  /** Name in the backup's folder. */
  name: z.string().regex(/^[a-z][a-z.-]{0,40}$/),
  bytes: z.number().int().nonnegative(),
  sha256: hash
})
const manifestSchema = z.object({
  format: z.literal('volo-node-backup'),
  version: z.literal(BACKUP_VERSION),
  /** Of the program that wrote it. */
  program: z.string().max(64),
  /** When it was made, ISO 8601. */
  made: z.iso.datetime(),
  network: hash,
  /** Public key of the node. */
  node: hash,
  stores: z
    .array(fileSchema.extend({ store: z.enum(STORE_NAMES), storeVersion: z.number().int().positive() }))
    .max(STORE_NAMES.length),
  files: z.array(fileSchema).max(MAX_FILES),
  /** Files and backups of people, in a folder of their own. Each carries its own checksums. */
  objects: z.object({ count: z.number().int().nonnegative(), bytes: z.number().int().nonnegative() }),
  /** Files outside the data folder that settings name: the operator needs them for a restore, too. */
  elsewhere: z.array(z.string()).max(MAX_FILES)
})

/** A file of a backup. */
export type BackupFile = z.output<typeof fileSchema>
/** The dump of a store in a backup. */
export type BackupStore = Manifest['stores'][number]
/** All that a manifest says, but its own checksum. */
export type Manifest = z.output<typeof manifestSchema>

/** A manifest to write, without what never differs. */
export type ManifestFacts = Omit<Manifest, 'format' | 'version'>

/** The manifest as text. Its last line is the hash of the rest: it finds damage, not a forger. */
export function manifestText(facts: ManifestFacts): string {
  const manifest: Manifest = { format: 'volo-node-backup', version: BACKUP_VERSION, ...facts }
  return textOf({ ...manifest, checksum: checksumOf(manifest) })
}

/** @throws ConfigError with a sentence for what is no manifest, damaged, or of a newer program. */
export function parseManifest(text: string, folder: string): Manifest {
  const json = parseObject(text)
  if (json?.['format'] !== 'volo-node-backup') throw damaged(folder, 'its manifest is not readable')
  const version = Number(json['version'])
  if (version > BACKUP_VERSION) {
    const message = `The backup in ${folder} has format ${version} and this program reads up to ${BACKUP_VERSION}: restore it with the version of volo-node that wrote it, or a newer one.`
    throw new ConfigError(message)
  }
  const { checksum, ...rest } = json
  if (checksum !== checksumOf(rest) || text !== textOf(json)) throw damaged(folder, 'its manifest was changed')
  const result = manifestSchema.safeParse(rest)
  if (!result.success) throw damaged(folder, 'its manifest is not complete')
  for (const { store, storeVersion } of result.data.stores) requireKnown(folder, store, storeVersion)
  return result.data
}

function requireKnown(folder: string, store: StoreName, version: number): void {
  const newest = STORES[store].version
  if (version <= newest) return
  const message = `The store "${store}" of the backup in ${folder} has version ${version} and this program reads up to ${newest}: restore it with the version of volo-node that wrote it, or a newer one.`
  throw new ConfigError(message)
}

/** What `restore` says of a backup that it does not take. */
export function damaged(folder: string, what: string): ConfigError {
  return new ConfigError(`The backup in ${folder} is damaged (${what}): take another one. Nothing was restored.`)
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function textOf(manifest: object): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function checksumOf(manifest: object): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
}

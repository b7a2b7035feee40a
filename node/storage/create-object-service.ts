import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import { IagonStorageAdapter } from '../../storage-adapter/iagon/iagon-storage-adapter.ts'
import { openStorage, type StorageSettings } from '../../storage-adapter/open-storage.ts'
import type { AppDatabase } from '../app-database.ts'
import { ConfigError } from '../config/config-error.ts'
import type { NodeConfig } from '../config/config.ts'
import type { Logger } from '../ports.ts'
import { ObjectRecords } from './object-records.ts'
import { ObjectService } from './object-service.ts'
import { UploadParts } from './upload-parts.ts'

const MIB = 1024 * 1024

type StorageConfig = Pick<
  NodeConfig,
  | 'dataDir'
  | 'storage'
  | 'storageCapacityMib'
  | 'storageQuotaMib'
  | 'storageUrl'
  | 'storageRegion'
  | 'storageBucket'
  | 'storageAccessKeyId'
  | 'storageKeyFile'
>

/** Opens the storage that the configuration names. A storage on the network is not asked at the start: messages go on without it. */
export async function createObjectService(
  components: { clock: Clock; logger: Logger; database: AppDatabase },
  config: StorageConfig
): Promise<ObjectService> {
  const folder = join(config.dataDir, 'storage')
  return new ObjectService(
    {
      ...components,
      storage: await openStorage(storageSettings(config, folder)),
      records: new ObjectRecords(components.database.storeFor('objects')),
      parts: new UploadParts(join(folder, 'uploads')),
      ownStorage: apiKey =>
        new IagonStorageAdapter({ apiKey, url: config.storage === 'iagon' ? config.storageUrl : undefined })
    },
    { quotaBytes: config.storageQuotaMib * MIB }
  )
}

/** @throws ConfigError for a setting that this kind of storage needs. */
function storageSettings(config: StorageConfig, folder: string): StorageSettings {
  const { storage, storageUrl: url } = config
  if (storage === 'disk') {
    return { kind: 'disk', directory: folder, capacityBytes: config.storageCapacityMib * MIB }
  }
  const key = readKey(config)
  if (storage === 'iagon') return { kind: 'iagon', apiKey: key, url }
  return {
    kind: 's3',
    url: required(url, 'VOLO_STORAGE_URL'),
    region: config.storageRegion,
    bucket: required(config.storageBucket, 'VOLO_STORAGE_BUCKET'),
    accessKeyId: required(config.storageAccessKeyId, 'VOLO_STORAGE_ACCESS_KEY_ID'),
    secretAccessKey: key
  }
}

function readKey({ storageKeyFile }: StorageConfig): string {
  const file = required(storageKeyFile, 'VOLO_STORAGE_KEY_FILE')
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new ConfigError(`The key of the storage cannot be read from ${file}.`, { cause })
  }
  if (!/^[\x21-\x7e]{1,4096}$/.test(key)) throw new ConfigError(`The file ${file} does not hold a key.`)
  return key
}

function required(value: string | undefined, variable: string): string {
  if (value !== undefined) return value
  throw new ConfigError(`This kind of storage needs ${variable}.`)
}

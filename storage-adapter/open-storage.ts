import { DiskStorageAdapter, type DiskStorageInit } from './disk/disk-storage-adapter.ts'
import { IagonStorageAdapter, type IagonStorageInit } from './iagon/iagon-storage-adapter.ts'
import { S3StorageAdapter, type S3StorageInit } from './s3/s3-storage-adapter.ts'
import type { StorageAdapter } from './storage-adapter.ts'

/** Which storage, and what it needs. */
export type StorageSettings =
  ({ kind: 'disk' } & DiskStorageInit) | ({ kind: 'iagon' } & IagonStorageInit) | ({ kind: 's3' } & S3StorageInit)

/** Opens a storage. A service on the network is not asked yet: see {@link StorageAdapter.health}. */
export async function openStorage(settings: StorageSettings): Promise<StorageAdapter> {
  if (settings.kind === 'disk') return DiskStorageAdapter.open(settings)
  return settings.kind === 'iagon' ? new IagonStorageAdapter(settings) : new S3StorageAdapter(settings)
}

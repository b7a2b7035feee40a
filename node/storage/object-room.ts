import { fileLayout } from '../../protocol/files/file-layout.ts'
import { MAX_PICTURE_BYTES } from '../../protocol/files/profile-picture.ts'
import type { StorageAdapter } from '../../storage-adapter/storage-adapter.ts'
import { NodeError } from '../errors.ts'
import type { AccountHex, ObjectPurpose, ObjectRecords } from './object-records.ts'

/** Uploads of one account at once. */
const MAX_UPLOADS_PER_ACCOUNT = 32
/** Objects of one account: bounds a listing and the node's records. */
const MAX_OBJECTS_PER_ACCOUNT = 10_000
/** Largest object of a profile: an encrypted picture. */
export const MAX_PROFILE_OBJECT_BYTES = fileLayout(MAX_PICTURE_BYTES).storedBytes

/** What an account uses, and may use, in bytes. */
export interface StorageUse {
  usedBytes: number
  quotaBytes: number
}

/** How much an account may keep at this node. */
export class ObjectRoom {
  readonly #records: ObjectRecords
  readonly #storage: StorageAdapter
  readonly #quotaBytes: number

  constructor(
    { records, storage }: { records: ObjectRecords; storage: StorageAdapter },
    { quotaBytes }: { quotaBytes: number }
  ) {
    this.#records = records
    this.#storage = storage
    this.#quotaBytes = quotaBytes
  }

  /** @throws NodeError `too-large`, `busy`, `over-quota` for an object that the account may not keep. */
  async require(account: AccountHex, size: number, purpose: ObjectPurpose): Promise<void> {
    if (size > this.#storage.maxObjectBytes) {
      throw new NodeError('too-large', `An object has at most ${this.#storage.maxObjectBytes} bytes at this node.`)
    }
    const { usedBytes, objects, uploads } = await this.#counted(account)
    if (uploads >= MAX_UPLOADS_PER_ACCOUNT) throw new NodeError('busy', 'Too many uploads are under way.')
    if (objects >= MAX_OBJECTS_PER_ACCOUNT) {
      throw new NodeError('over-quota', `An account keeps at most ${MAX_OBJECTS_PER_ACCOUNT} objects here.`)
    }
    if (purpose === 'profile') return
    if (usedBytes + size > this.#quotaBytes) {
      throw new NodeError('over-quota', `An account keeps at most ${this.#quotaBytes} bytes at this node.`)
    }
  }

  async use(account: AccountHex): Promise<StorageUse> {
    return { usedBytes: (await this.#counted(account)).usedBytes, quotaBytes: this.#quotaBytes }
  }

  /** Uploads count whole from their beginning: many at once must not pass the quota together. */
  async #counted(account: AccountHex): Promise<{ usedBytes: number; objects: number; uploads: number }> {
    const uploads = (await this.#records.uploads(account)).map(([, upload]) => upload)
    const owned = await this.#records.ownedBy(account)
    const here = owned.filter(({ ownReference }) => ownReference === undefined)
    const counted = [...here, ...uploads].filter(({ purpose }) => purpose !== 'profile')
    const usedBytes = counted.reduce((sum, { size }) => sum + size, 0)
    return { usedBytes, objects: owned.length, uploads: uploads.length }
  }
}

/** @throws NodeError `too-large`. */
export function requireProfileSize(size: number): void {
  if (size <= MAX_PROFILE_OBJECT_BYTES) return
  throw new NodeError('too-large', `An object of a profile has at most ${MAX_PROFILE_OBJECT_BYTES} bytes.`)
}

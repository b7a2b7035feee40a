import { fromHex } from '../../protocol/bytes.ts'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import { fileLayout } from '../../protocol/files/file-layout.ts'
import { MAX_PICTURE_BYTES } from '../../protocol/files/profile-picture.ts'
import { FILE_LIFE_MS } from '../../protocol/limits.ts'
import { StorageError } from '../../storage-adapter/errors.ts'
import {
  parseObjectName,
  type ByteStream,
  type StorageAdapter,
  type StorageReference
} from '../../storage-adapter/storage-adapter.ts'
import { NodeError, type NodeErrorCode } from '../errors.ts'
import type { Logger } from '../ports.ts'
import { KeyedLock } from './keyed-lock.ts'
import type { AccountHex, ObjectHash, ObjectPurpose, ObjectRecords, OwnedObject } from './object-records.ts'
import { partCount, type UploadParts } from './upload-parts.ts'

/** An upload that did not end within this is removed. */
export const UPLOAD_TTL_MS = 24 * 60 * 60 * 1000
/**
 * A file is kept as long as a message waits, counted from the last time that its owner handed it in; a backup until its owner
 * removes it; an object of a profile until its owner removes it or hands in newer ones.
 */
export const FILE_TTL_MS = FILE_LIFE_MS
/** Uploads of one account at once. */
const MAX_UPLOADS_PER_ACCOUNT = 32
/** Objects of one account: bounds a listing and the node's records. */
const MAX_OBJECTS_PER_ACCOUNT = 10_000

/** Largest object of a profile: an encrypted picture. */
export const MAX_PROFILE_OBJECT_BYTES = fileLayout(MAX_PICTURE_BYTES).storedBytes
/** Objects of an account's profile, which count to no other quota: one in use, one that takes its place. A newer one removes the oldest. */
export const MAX_PROFILE_OBJECTS = 2

export interface ObjectServiceComponents {
  clock: Clock
  logger: Logger
  storage: StorageAdapter
  records: ObjectRecords
  parts: UploadParts
  /** Opens the storage of a person who has a key of their own: for one request, and kept nowhere. */
  ownStorage: (key: string) => StorageAdapter
}

/** An object that may be read. */
export interface OpenObject {
  size: number
  /** @param range - first byte and count; default: all. @throws NodeError `not-found`, `busy`, `storage-key`. */
  read(range?: { start: number; length: number }): Promise<ByteStream>
}

/** What an account uses, and may use, in bytes. */
export interface StorageUse {
  usedBytes: number
  quotaBytes: number
}

/**
 * Keeps encrypted objects for accounts: uploads in parts, quotas, expiry. It sees who owns an object and how large it is, never
 * what is in it.
 */
export class ObjectService {
  readonly #components: ObjectServiceComponents
  readonly #quotaBytes: number
  readonly #log: Logger
  readonly #lock = new KeyedLock()

  constructor(components: ObjectServiceComponents, init: { quotaBytes: number }) {
    this.#components = components
    this.#quotaBytes = init.quotaBytes
    this.#log = components.logger.forComponent('volo:objects')
  }

  /**
   * Begins an upload, or goes on with it.
   * @returns the parts that are here already; or that the object is stored.
   * @throws NodeError `too-large`, `over-quota`, `busy`.
   */
  async begin(
    account: AccountHex,
    hash: ObjectHash,
    size: number,
    purpose: ObjectPurpose
  ): Promise<{ stored: boolean; received: number[] }> {
    return this.#lock.run(account, async () => {
      const { records, parts, clock } = this.#components
      const owned = await records.owned(account, hash)
      if (purpose === 'profile') requireProfileSize(owned?.size ?? size)
      if (owned) {
        // Sent again: a receiver that gets it now has as long to fetch it as the first one.
        await records.renew(account, { ...owned, purpose: longer(purpose, owned.purpose), storedAt: clock() })
        await this.#trim(account, purpose)
        return { stored: true, received: [] }
      }
      const under = await records.upload(account, hash)
      if (under && under.size !== size) throw new NodeError('malformed', `The upload has ${under.size} bytes.`)
      if (!under) {
        await this.#requireRoom(account, size, purpose)
        await records.addUpload(account, { hash, size, purpose, startedAt: clock() })
      }
      return { stored: false, received: await parts.received(account, hash, size) }
    })
  }

  /** @throws NodeError `not-found` for an upload that was not begun, `malformed`. */
  async addPart(account: AccountHex, hash: ObjectHash, index: number, bytes: Uint8Array): Promise<void> {
    const { size } = await this.#upload(account, hash)
    await this.#components.parts.write(account, hash, size, index, bytes)
  }

  /**
   * Ends an upload: the object is stored once this resolves.
   * @throws NodeError `incomplete` while parts are missing; `malformed` if the parts do not have the hash, and must be sent again;
   * `busy` while the storage does not take it.
   * @param ownKey - puts what belongs to a backup into the person's own storage.
   */
  async complete(account: AccountHex, hash: ObjectHash, ownKey?: string): Promise<void> {
    const purpose = await this.#lock.run(hash, () => this.#finish(account, hash, ownKey))
    await this.#trim(account, purpose)
  }

  /** Ends an upload, unless an earlier call has. @returns what the object is kept for. */
  async #finish(account: AccountHex, hash: ObjectHash, ownKey: string | undefined): Promise<ObjectPurpose> {
    const { records, parts } = this.#components
    const owned = await records.owned(account, hash)
    if (owned) return owned.purpose
    const { size, purpose } = await this.#upload(account, hash)
    if ((await parts.received(account, hash, size)).length !== partCount(size)) {
      throw new NodeError('incomplete', 'Parts of the object are missing.')
    }
    await this.#keep(account, { hash, size, purpose }, () => parts.content(account, hash, size), ownKey)
    await parts.remove(account, hash)
    return purpose
  }

  /** Removes the oldest objects of a profile, if there are more than it needs. Outside of locks: each removal takes one. */
  async #trim(account: AccountHex, purpose: ObjectPurpose): Promise<void> {
    if (purpose !== 'profile') return
    const owned = await this.#components.records.ownedBy(account)
    const newest = owned.filter(({ purpose }) => purpose === 'profile').sort((a, b) => b.storedAt - a.storedAt)
    for (const { hash } of newest.slice(MAX_PROFILE_OBJECTS)) await this.remove(account, hash)
  }

  /**
   * Keeps an object whose bytes came with one request: it is stored once this resolves.
   * @throws NodeError as {@link begin} and {@link complete}.
   */
  async store(
    account: AccountHex,
    hash: ObjectHash,
    purpose: ObjectPurpose,
    bytes: Uint8Array,
    ownKey?: string
  ): Promise<void> {
    const { records } = this.#components
    const size = bytes.length
    // The upload counts to the quota until the object does.
    if ((await this.begin(account, hash, size, purpose)).stored) return
    await this.#lock.run(hash, async () => {
      if (await records.owned(account, hash)) return
      try {
        await this.#keep(account, { hash, size, purpose }, () => once(bytes), ownKey)
      } finally {
        await this.#components.parts.remove(account, hash)
        await records.removeUpload(account, hash)
      }
    })
    await this.#trim(account, purpose)
  }

  async #keep(
    account: AccountHex,
    about: Pick<OwnedObject, 'hash' | 'size' | 'purpose'>,
    content: () => ByteStream,
    ownKey: string | undefined
  ): Promise<void> {
    const { records, parts, storage, clock } = this.#components
    const { hash, size, purpose } = about
    const object = { name: parseObjectName(hash), size, sha256: fromHex(hash), content }
    const isOwn = ownKey !== undefined && purpose === 'backup'
    const target = isOwn ? this.#components.ownStorage(ownKey) : storage
    const { reference } = await target.put(object).catch(async (error: unknown) => {
      if (error instanceof StorageError && error.code === 'corrupt') await parts.remove(account, hash)
      throw this.#refusal(error, isOwn)
    })
    const stored = { ...about, storedAt: clock() }
    if (isOwn) await records.addElsewhere(account, { ...stored, ownReference: reference })
    else await records.add(account, stored, { reference, size })
  }

  /**
   * Opens an object for any device that knows its hash, which nobody can guess.
   * @param range - first byte and count; default: all.
   * @throws NodeError `not-found`, `busy`.
   */
  async read(hash: ObjectHash, range?: { start: number; length: number }): Promise<ByteStream> {
    const place = await this.#components.records.place(hash)
    if (place === undefined) throw new NodeError('not-found', 'This node does not keep such an object.')
    const { storage } = this.#components
    try {
      return await (range ? storage.range(place.reference, range.start, range.length) : storage.get(place.reference))
    } catch (error) {
      throw this.#refusal(error)
    }
  }

  /** For a reader who has shown the passphrase of a backup. @throws NodeError `not-found` for what does not belong to it. */
  async requireBackupOf(account: AccountHex, hash: ObjectHash): Promise<void> {
    const owned = await this.#components.records.owned(account, hash)
    if (owned?.purpose === 'backup') return
    throw new NodeError('not-found', 'This node does not keep such an object of the backup.')
  }

  /**
   * An object for one who may read it.
   * @param account - who asks: what it has in a storage of its own is read from there.
   * @throws NodeError `not-found`; `storage-key` where the key of that storage is missing.
   */
  async open(account: AccountHex, hash: ObjectHash, ownKey?: string): Promise<OpenObject> {
    const owned = await this.#components.records.owned(account, hash)
    if (owned?.ownReference !== undefined) return this.#openElsewhere(owned.ownReference, owned.size, ownKey)
    const place = await this.#components.records.place(hash)
    if (place === undefined) throw new NodeError('not-found', 'This node does not keep such an object.')
    return { size: place.size, read: range => this.read(hash, range) }
  }

  #openElsewhere(reference: StorageReference, size: number, ownKey: string | undefined): OpenObject {
    if (ownKey === undefined) throw new NodeError('storage-key', 'The object is in a storage whose key is needed.')
    const storage = this.#components.ownStorage(ownKey)
    const read: OpenObject['read'] = async range => {
      try {
        return await (range ? storage.range(reference, range.start, range.length) : storage.get(reference))
      } catch (error) {
        throw this.#refusal(error, true)
      }
    }
    return { size, read }
  }

  /** Own objects in the order of their hashes, and what the account uses. */
  async list(account: AccountHex, after: string, limit: number): Promise<StorageUse & { objects: OwnedObject[] }> {
    const objects = await this.#components.records.ownedBy(account, after, limit)
    return { objects, usedBytes: await this.#usedBytes(account), quotaBytes: this.#quotaBytes }
  }

  /** Removes an own object, or an own upload. What is not there counts as removed; what is in an own storage is forgotten without its key. */
  async remove(account: AccountHex, hash: ObjectHash, ownKey?: string): Promise<void> {
    await this.#lock.run(hash, async () => {
      const { records, parts } = this.#components
      const elsewhere = (await records.owned(account, hash))?.ownReference
      if (elsewhere !== undefined && ownKey !== undefined) await this.#removeElsewhere(elsewhere, ownKey)
      await records.removeUpload(account, hash)
      await parts.remove(account, hash)
      await records.removeOwner(account, hash)
      await this.#removeUnwanted(hash)
    })
  }

  async #removeElsewhere(reference: StorageReference, ownKey: string): Promise<void> {
    try {
      await this.#components.ownStorage(ownKey).delete(reference)
    } catch (error) {
      throw this.#refusal(error, true)
    }
  }

  /** Removes files and uploads whose time is over, and what they left at the storage. */
  async sweep(): Promise<void> {
    const { records, parts, clock } = this.#components
    const now = clock()
    for (const [account, { hash, startedAt }] of await records.uploads()) {
      if (startedAt + UPLOAD_TTL_MS <= now) await this.remove(account, hash)
    }
    // A crash may have come between the end of an upload and the removal of its parts.
    for (const [account, hash] of await parts.all()) {
      if (!(await records.upload(account, hash))) await parts.remove(account, hash)
    }
    for await (const [account, { hash, purpose, storedAt }] of records.all()) {
      if (purpose === 'file' && storedAt + FILE_TTL_MS <= now) await this.remove(account, hash)
    }
  }

  /** The object may be at the storage without a record, if the node was killed between the two: so it is looked for by name. */
  async #removeUnwanted(hash: ObjectHash): Promise<void> {
    const { records, storage } = this.#components
    if (await records.isWanted(hash)) return
    try {
      const place = await records.place(hash)
      if (place) await storage.delete(place.reference)
      else for await (const found of storage.list(hash)) await storage.delete(found.reference)
      await records.removePlace(hash)
    } catch (error) {
      throw this.#refusal(error)
    }
  }

  async #requireRoom(account: AccountHex, size: number, purpose: ObjectPurpose): Promise<void> {
    const { records, storage } = this.#components
    if (size > storage.maxObjectBytes) {
      throw new NodeError('too-large', `An object has at most ${storage.maxObjectBytes} bytes at this node.`)
    }
    const uploads = await records.uploads(account)
    if (uploads.length >= MAX_UPLOADS_PER_ACCOUNT) throw new NodeError('busy', 'Too many uploads are under way.')
    if ((await records.ownedBy(account)).length >= MAX_OBJECTS_PER_ACCOUNT) {
      throw new NodeError('over-quota', `An account keeps at most ${MAX_OBJECTS_PER_ACCOUNT} objects here.`)
    }
    if (purpose === 'profile') return
    if ((await this.#usedBytes(account)) + size > this.#quotaBytes) {
      throw new NodeError('over-quota', `An account keeps at most ${this.#quotaBytes} bytes at this node.`)
    }
  }

  /** Uploads count whole from their beginning: many at once must not pass the quota together. */
  async #usedBytes(account: AccountHex): Promise<number> {
    const { records } = this.#components
    const uploads = (await records.uploads(account)).map(([, upload]) => upload)
    const here = (await records.ownedBy(account)).filter(({ ownReference }) => ownReference === undefined)
    const counted = [...here, ...uploads].filter(({ purpose }) => purpose !== 'profile')
    return counted.reduce((sum, { size }) => sum + size, 0)
  }

  async #upload(account: AccountHex, hash: ObjectHash) {
    const upload = await this.#components.records.upload(account, hash)
    if (upload === undefined) throw new NodeError('not-found', 'No such upload was begun.')
    return upload
  }

  /** @param isOwn - whether the storage is the person's own: then they are told that its key is refused. */
  #refusal(error: unknown, isOwn = false): unknown {
    if (!(error instanceof StorageError)) return error
    if (isOwn && error.code === 'unauthorised') {
      return new NodeError('storage-key', 'The storage does not accept this key.', { cause: error })
    }
    const [code, message] = REFUSALS[error.code] ?? ['busy', 'The storage of this node does not answer; try again.']
    if (code === 'busy') this.#log.warn('the storage failed', { code: error.code, reason: error.message })
    return new NodeError(code, message, { cause: error })
  }
}

/** Of two purposes of one object the one that keeps it longer: what belongs to a backup stays until it is removed, whatever else it is. */
const longer = (one: ObjectPurpose, other: ObjectPurpose): ObjectPurpose =>
  (['backup', 'profile'] as const).find(purpose => one === purpose || other === purpose) ?? 'file'

/** @throws NodeError `too-large`. */
function requireProfileSize(size: number): void {
  if (size <= MAX_PROFILE_OBJECT_BYTES) return
  throw new NodeError('too-large', `An object of a profile has at most ${MAX_PROFILE_OBJECT_BYTES} bytes.`)
}

const REFUSALS: Partial<Record<StorageError['code'], [NodeErrorCode, string]>> = {
  'not-found': ['not-found', 'The storage of this node lost the object.'],
  'too-large': ['too-large', 'The object is too large for the storage of this node.'],
  quota: ['disk-full', 'The storage of this node is full.'],
  corrupt: ['malformed', 'The bytes do not have the hash that names the object.']
}

async function* once(bytes: Uint8Array): ByteStream {
  yield bytes
}

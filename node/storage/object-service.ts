import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import { FILE_LIFE_MS } from '../../protocol/limits.ts'
import {
  parseObjectName,
  type ByteStream,
  type StorageAdapter,
  type StorageReference
} from '../../storage-adapter/storage-adapter.ts'
import { NodeError } from '../errors.ts'
import type { Logger } from '../ports.ts'
import { KeyedLock } from './keyed-lock.ts'
import type {
  AccountHex,
  ObjectHash,
  ObjectPurpose,
  ObjectRecords,
  OwnedObject,
  Upload,
  UploadName
} from './object-records.ts'
import { ObjectRoom, requireProfileSize, type StorageUse } from './object-room.ts'
import { refusalOf } from './storage-refusal.ts'
import { lengthOf } from './upload-file.ts'
import type { UploadParts } from './upload-parts.ts'

/** An upload that did not end within this is removed. */
export const UPLOAD_TTL_MS = 24 * 60 * 60 * 1000
/**
 * A file is kept as long as a message waits, counted from the last time that its owner handed it in; a backup until its owner
 * removes it; an object of a profile until its owner removes it or hands in newer ones.
 */
export const FILE_TTL_MS = FILE_LIFE_MS
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

/**
 * Keeps encrypted objects for accounts: uploads in parts, quotas, expiry. It sees who owns an object and how large it is, never
 * what is in it.
 */
export class ObjectService {
  readonly #components: ObjectServiceComponents
  readonly #room: ObjectRoom
  readonly #log: Logger
  readonly #lock = new KeyedLock()

  constructor(components: ObjectServiceComponents, init: { quotaBytes: number }) {
    this.#components = components
    this.#room = new ObjectRoom(components, init)
    this.#log = components.logger.forComponent('volo:objects')
  }

  /**
   * Begins an upload, or goes on with it. An object that this node keeps for somebody else is not sent once more: who knows its hash may
   * read it in any case.
   * @param name - the hash of the object, or 32 random bytes: an upload may begin before its hash is known.
   * @param hash - of the object, if it is known and is not the name.
   * @param ownKey - says that it goes to the person's own storage, if it belongs to a backup.
   * @returns the parts that are here already; or that the object is stored.
   * @throws NodeError `too-large`, `over-quota`, `busy`.
   */
  async begin(
    account: AccountHex,
    name: UploadName,
    {
      size,
      purpose,
      hash,
      ownKey
    }: { size: number; purpose: ObjectPurpose; hash?: ObjectHash | undefined; ownKey?: string | undefined }
  ): Promise<{ stored: boolean; received: number[] }> {
    const upload = { name, size, purpose, startedAt: this.#components.clock(), ...(hash !== undefined && { hash }) }
    const begun = await this.#begin(account, upload, ownKey)
    if (begun.stored) await this.#trim(account, purpose)
    return begun
  }

  /** @param meanwhile - runs beside the noting of an upload that is new. */
  #begin(
    account: AccountHex,
    upload: Upload,
    ownKey: string | undefined,
    meanwhile: () => Promise<void> = async () => undefined
  ): Promise<{ stored: boolean; received: number[] }> {
    return this.#lock.run(account, async () => {
      const { records, parts } = this.#components
      const { name, size, purpose } = upload
      const isStored = { stored: true, received: [] }
      if (await this.#renewed(account, upload)) return isStored
      const under = await records.upload(account, name)
      if (under && under.size !== size) throw new NodeError('malformed', `The upload has ${under.size} bytes.`)
      if (!under) await this.#room.require(account, size, purpose)
      if (ownKey === undefined && (await this.#shared(account, upload))) return isStored
      if (!under) await Promise.all([records.addUpload(account, upload), meanwhile()])
      return { stored: false, received: await parts.file(account, name, size).received() }
    })
  }

  /** Sent again: a receiver that gets it now has as long to fetch it as the first one. @returns false if it is not the account's. */
  async #renewed(account: AccountHex, { name, hash = name, size, purpose, startedAt }: Upload): Promise<boolean> {
    const { records } = this.#components
    const owned = await records.owned(account, hash)
    if (purpose === 'profile') requireProfileSize(owned?.size ?? size)
    if (!owned) return false
    await records.renew(account, { ...owned, purpose: longer(purpose, owned.purpose), storedAt: startedAt })
    return true
  }

  /** What another account has stored becomes this one's too. @returns false if it is not here. */
  #shared(account: AccountHex, { name, hash = name, size, purpose, startedAt }: Upload): Promise<boolean> {
    const { records, parts } = this.#components
    return this.#lock.run(hash, async () => {
      const place = await records.place(hash)
      if (place?.size !== size) return false
      await records.add(account, { hash, size, purpose, storedAt: startedAt }, place, name)
      await parts.remove(account, name)
      return true
    })
  }

  /** @throws NodeError `not-found` for an upload that was not begun, `malformed`, `busy`. */
  async addPart(account: AccountHex, name: UploadName, index: number, pieces: readonly Uint8Array[]): Promise<void> {
    const { size } = await this.#upload(account, name)
    await this.#components.parts.file(account, name, size).write(index, pieces)
  }

  /**
   * Ends an upload: the object is stored once this resolves.
   * @param hash - of the object.
   * @throws NodeError `incomplete` while parts are missing; `malformed` if the parts do not have the hash, and must be sent again;
   * `busy` while the storage does not take it.
   * @param ownKey - puts what belongs to a backup into the person's own storage.
   */
  async complete(account: AccountHex, name: UploadName, hash: ObjectHash, ownKey?: string): Promise<void> {
    const purpose = await this.#lock.run(uploadLock(account, name), () => this.#finish(account, name, hash, ownKey))
    await this.#trim(account, purpose)
  }

  /** Ends an upload, unless an earlier call has. @returns what the object is kept for. */
  async #finish(
    account: AccountHex,
    name: UploadName,
    hash: ObjectHash,
    ownKey: string | undefined
  ): Promise<ObjectPurpose> {
    const { records, parts } = this.#components
    const upload = await records.upload(account, name)
    if (!upload) {
      const owned = await records.owned(account, hash)
      if (owned) return owned.purpose
      throw new NodeError('not-found', 'No such upload was begun.')
    }
    const digest = await parts.file(account, name, upload.size).end()
    if (!digest) throw new NodeError('incomplete', 'Parts of the object are missing.')
    if (toHex(digest) !== hash) {
      await parts.remove(account, name)
      throw new NodeError('malformed', 'The bytes do not have the hash that names the object.')
    }
    const isNoted = (upload.hash ?? name) === hash
    await this.#lock.run(hash, () => this.#keep(account, { ...upload, hash }, { isNoted, ownKey }))
    await parts.remove(account, name)
    return upload.purpose
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
    { purpose, ownKey }: { purpose: ObjectPurpose; ownKey?: string | undefined },
    pieces: readonly Uint8Array[]
  ): Promise<void> {
    const { parts, records, clock } = this.#components
    const size = lengthOf(pieces)
    const upload = { name: hash, size, purpose, startedAt: clock() }
    const file = parts.file(account, hash, size)
    const write = async (): Promise<void> => {
      if (size > 0) await file.write(0, pieces)
      if (this.#isAdopted(purpose, ownKey)) await file.sync()
    }
    // The upload counts to the quota until the object does.
    const { stored, received } = await this.#begin(account, upload, ownKey, write)
    if (!stored) {
      if (received.length === 0 && size > 0) await file.write(0, pieces)
      try {
        await this.complete(account, hash, hash, ownKey)
      } catch (error) {
        await records.removeUpload(account, hash)
        await parts.remove(account, hash)
        throw error
      }
    } else await this.#trim(account, purpose)
  }

  /** Whether the file of an upload becomes the object as it is. */
  #isAdopted(purpose: ObjectPurpose, ownKey: string | undefined): boolean {
    return this.#components.storage.adopt !== undefined && !(ownKey !== undefined && purpose === 'backup')
  }

  /** Moves what was uploaded to the storage. */
  async #keep(
    account: AccountHex,
    upload: Upload & Required<Pick<Upload, 'hash'>>,
    { isNoted, ownKey }: { isNoted: boolean; ownKey: string | undefined }
  ): Promise<void> {
    const { records, parts, storage, clock } = this.#components
    const { name, hash, size, purpose } = upload
    const file = parts.file(account, name, size)
    const isOwn = ownKey !== undefined && purpose === 'backup'
    const stored = { hash, size, purpose, storedAt: clock() }
    const object = { name: parseObjectName(hash), size, sha256: fromHex(hash), content: () => file.content() }
    // A crash may come between the storage and the record: then the object is found by its name.
    const noted = isNoted ? undefined : records.addUpload(account, upload)
    try {
      if (this.#isAdopted(purpose, ownKey)) {
        await Promise.all([noted, file.sync()])
        const { reference } = await storage.adopt!(object, file.path)
        return await records.add(account, stored, { reference, size }, name)
      }
      await noted
      const { reference } = await (isOwn ? this.#components.ownStorage(ownKey) : storage).put(object)
      if (isOwn) await records.addElsewhere(account, { ...stored, ownReference: reference }, name)
      else await records.add(account, stored, { reference, size }, name)
    } catch (error) {
      // The parts are tried again.
      file.reopen()
      throw refusalOf(error, this.#log, isOwn)
    }
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
      throw refusalOf(error, this.#log)
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
        throw refusalOf(error, this.#log, true)
      }
    }
    return { size, read }
  }

  /** Own objects in the order of their hashes, and what the account uses. */
  async list(account: AccountHex, after: string, limit: number): Promise<StorageUse & { objects: OwnedObject[] }> {
    const objects = await this.#components.records.ownedBy(account, after, limit)
    return { objects, ...(await this.#room.use(account)) }
  }

  /** Removes an own object, or an own upload. What is not there counts as removed; what is in an own storage is forgotten without its key. */
  async remove(account: AccountHex, hash: ObjectHash, ownKey?: string): Promise<void> {
    const { records } = this.#components
    const object = await this.#lock.run(uploadLock(account, hash), () => this.#removeUpload(account, hash))
    await this.#lock.run(hash, async () => {
      const elsewhere = (await records.owned(account, hash))?.ownReference
      if (elsewhere !== undefined && ownKey !== undefined) await this.#removeElsewhere(elsewhere, ownKey)
      await records.removeOwner(account, hash)
      await this.#removeUnwanted(hash)
    })
    if (object !== hash) await this.#lock.run(object, () => this.#removeUnwanted(object))
  }

  /** @returns the hash under which the upload may have left something at the storage. */
  async #removeUpload(account: AccountHex, name: UploadName): Promise<ObjectHash> {
    const { records, parts } = this.#components
    const upload = await records.upload(account, name)
    if (upload) await records.removeUpload(account, name)
    await parts.remove(account, name)
    return upload?.hash ?? name
  }

  async #removeElsewhere(reference: StorageReference, ownKey: string): Promise<void> {
    try {
      await this.#components.ownStorage(ownKey).delete(reference)
    } catch (error) {
      throw refusalOf(error, this.#log, true)
    }
  }

  /** Removes files and uploads whose time is over, and what they left at the storage. */
  async sweep(): Promise<void> {
    const { records, parts, clock } = this.#components
    const now = clock()
    for (const [account, { name, startedAt }] of await records.uploads()) {
      if (startedAt + UPLOAD_TTL_MS <= now) await this.remove(account, name)
    }
    // A crash may have come between the end of an upload and the removal of its parts.
    for (const [account, name] of await parts.all()) {
      await this.#lock.run(account, async () => {
        if (!(await records.upload(account, name))) await parts.remove(account, name)
      })
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
      throw refusalOf(error, this.#log)
    }
  }

  async #upload(account: AccountHex, name: UploadName): Promise<Upload> {
    const upload = await this.#components.records.upload(account, name)
    if (upload === undefined) throw new NodeError('not-found', 'No such upload was begun.')
    return upload
  }
}

/** Of two purposes of one object the one that keeps it longer: what belongs to a backup stays until it is removed, whatever else it is. */
const longer = (one: ObjectPurpose, other: ObjectPurpose): ObjectPurpose =>
  (['backup', 'profile'] as const).find(purpose => one === purpose || other === purpose) ?? 'file'

const uploadLock = (account: AccountHex, name: UploadName): string => `upload/${account}/${name}`

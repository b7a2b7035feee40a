import { SYNCED, type ChainStore } from '../../chain/chain-store.ts'
import type { StorageReference } from '../../storage-adapter/storage-adapter.ts'

/** Lower-case hex of an account id. */
export type AccountHex = string
/** Lower-case hex of the SHA-256 of an object: 64 characters. */
export type ObjectHash = string

/** What an upload is called, 64 characters of lower-case hex: the hash of its object, or drawn at random while that is not known. */
export type UploadName = string

/** Why an object is kept, which decides for how long. */
export const OBJECT_PURPOSES = ['file', 'backup', 'profile'] as const
export type ObjectPurpose = (typeof OBJECT_PURPOSES)[number]

/** An object as one of its owners has it. */
export interface OwnedObject {
  hash: ObjectHash
  size: number
  purpose: ObjectPurpose
  /** Milliseconds since 1970. */
  storedAt: number
  /** Where it is in a storage of the owner's own; left out for the storage of the node. */
  ownReference?: StorageReference
}

/** An upload that was begun: the manifest by which what a crash leaves behind is found. */
export interface Upload {
  name: UploadName
  /** Of the object, once the uploader has said it; before, it may be the name. */
  hash?: ObjectHash
  size: number
  purpose: ObjectPurpose
  startedAt: number
}

/** Where an object is. */
interface Place {
  reference: StorageReference
  size: number
}

/** After every hash, in byte order. */
const END = '~'

/**
 * Who owns which object, and where it is. An object that several accounts stored is kept once, until the last of them lets go.
 * Keys: `place/HASH`, `own/ACCOUNT/HASH`, `owner/HASH/ACCOUNT`, `upload/ACCOUNT/NAME`.
 */
export class ObjectRecords {
  readonly #store: ChainStore

  constructor(store: ChainStore) {
    this.#store = store
  }

  async place(hash: ObjectHash): Promise<Place | undefined> {
    return parsed<Place>(await this.#store.get(`place/${hash}`))
  }

  async owned(account: AccountHex, hash: ObjectHash): Promise<OwnedObject | undefined> {
    return parsed<OwnedObject>(await this.#store.get(`own/${account}/${hash}`))
  }

  /** In the order of their hashes. @param after - only what comes after this hash. */
  async ownedBy(account: AccountHex, after = '', limit = Number.POSITIVE_INFINITY): Promise<OwnedObject[]> {
    const found: OwnedObject[] = []
    const range = { gte: `own/${account}/${after}`, lt: `own/${account}/${END}` }
    for await (const [key, value] of this.#store.iterator(range)) {
      if (found.length >= limit) break
      if (after === '' || key !== range.gte) found.push(JSON.parse(value) as OwnedObject)
    }
    return found
  }

  /** Every owned object, with its owner. */
  async *all(): AsyncIterable<[AccountHex, OwnedObject]> {
    for await (const [key, value] of this.#store.iterator({ gte: 'own/', lt: `own/${END}` })) {
      yield [key.split('/')[1]!, JSON.parse(value) as OwnedObject]
    }
  }

  async upload(account: AccountHex, name: UploadName): Promise<Upload | undefined> {
    const stored = parsed<Omit<Upload, 'name'>>(await this.#store.get(`upload/${account}/${name}`))
    return stored && { ...stored, name }
  }

  /** Uploads under way, of one account or of all. */
  async uploads(account = ''): Promise<[AccountHex, Upload][]> {
    const found: [AccountHex, Upload][] = []
    const prefix = account === '' ? 'upload/' : `upload/${account}/`
    for await (const [key, value] of this.#store.iterator({ gte: prefix, lt: prefix + END })) {
      const [, owner, name] = key.split('/')
      found.push([owner!, { ...(JSON.parse(value) as Omit<Upload, 'name'>), name: name! }])
    }
    return found
  }

  /** On the disk before the storage has the first byte: what a crash leaves there is found by this entry. */
  async addUpload(account: AccountHex, { name, ...upload }: Upload): Promise<void> {
    await this.#store.put(`upload/${account}/${name}`, JSON.stringify(upload), SYNCED)
  }

  async removeUpload(account: AccountHex, name: UploadName): Promise<void> {
    await this.#store.batch([{ type: 'del', key: `upload/${account}/${name}` }], SYNCED)
  }

  /** The upload became an object, in one write. */
  async add(account: AccountHex, object: OwnedObject, place: Place, upload: UploadName): Promise<void> {
    const { hash } = object
    await this.#store.batch(
      [
        { type: 'put', key: `place/${hash}`, value: JSON.stringify(place) },
        { type: 'put', key: `own/${account}/${hash}`, value: JSON.stringify(object) },
        { type: 'put', key: `owner/${hash}/${account}`, value: '' },
        { type: 'del', key: `upload/${account}/${upload}` }
      ],
      SYNCED
    )
  }

  /** The upload became an object in a storage of the owner's own, in one write. */
  async addElsewhere(
    account: AccountHex,
    object: OwnedObject & Required<Pick<OwnedObject, 'ownReference'>>,
    upload: UploadName
  ): Promise<void> {
    const { hash } = object
    await this.#store.batch(
      [
        { type: 'put', key: `own/${account}/${hash}`, value: JSON.stringify(object) },
        { type: 'del', key: `upload/${account}/${upload}` }
      ],
      SYNCED
    )
  }

  /** The owner handed the object in once more. */
  async renew(account: AccountHex, object: OwnedObject): Promise<void> {
    await this.#store.put(`own/${account}/${object.hash}`, JSON.stringify(object), SYNCED)
  }

  async removeOwner(account: AccountHex, hash: ObjectHash): Promise<void> {
    const keys = [`own/${account}/${hash}`, `owner/${hash}/${account}`]
    await this.#store.batch(
      keys.map(key => ({ type: 'del', key })),
      SYNCED
    )
  }

  async removePlace(hash: ObjectHash): Promise<void> {
    await this.#store.batch([{ type: 'del', key: `place/${hash}` }], SYNCED)
  }

  /** Whether an account owns the object, or is about to. */
  async isWanted(hash: ObjectHash): Promise<boolean> {
    for await (const _owner of this.#store.iterator({ gte: `owner/${hash}/`, lt: `owner/${hash}/${END}`, limit: 1 })) {
      return true
    }
    return (await this.uploads()).some(([, { name, hash: object = name }]) => object === hash)
  }
}

function parsed<T>(value: string | undefined): T | undefined {
  return value === undefined ? undefined : (JSON.parse(value) as T)
}

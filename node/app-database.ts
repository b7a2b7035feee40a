import { createHmac, randomBytes } from 'node:crypto'
import type { AbstractLevel } from 'abstract-level'
import type { ChainStore } from '../chain/chain-store.ts'
import type { DurableLevel } from '../chain/store/durable-level.ts'
import type { MigrationStep } from '../chain/store/migrate.ts'
import { snapshotOf, type StoreSnapshot } from '../chain/store/store-dump.ts'
import type { StoreError } from '../chain/store/store-error.ts'
import { fromHex, toHex } from '../protocol/bytes.ts'
import type { RecordId } from '../protocol/identity/device.ts'
import { SerialQueue } from '../protocol/serial-queue.ts'
import { openLevel } from './open-level.ts'

/** The identities of a day, and what they are hashed with. */
const IDENTITY_KEY = 'identityKey'
const DAY_MS = 24 * 60 * 60 * 1000

/** A sublevel by what it does; its full type names its parents, which its users need not know. */
type Sublevel<V> = AbstractLevel<string | Buffer | Uint8Array, string, V>

/** A record that this node took from a device of its own, and has to bring to the chain. */
export interface OwnRecord {
  recordId: RecordId
  bytes: Uint8Array
  /** Milliseconds since 1970 when it was taken. */
  takenAt: number
}

interface StoredRecord {
  bytes: string
  takenAt: number
}

type Database = DurableLevel<string, unknown>

/** Version 1 kept a version of its own in its sublevel of facts; now every store carries one in the same place. */
const dropOwnVersion: MigrationStep<Database> = async database => [
  { type: 'del', key: 'version', sublevel: database.sublevel('meta', { valueEncoding: 'json' }) }
]

/** 2 to 3: lists of nodes have a seed for each node. They are made from the chain again. */
const forgetLists: MigrationStep<Database> = async database => {
  const lists = database.sublevel<string, string>('epochs', { valueEncoding: 'utf8' })
  return (await lists.keys().all()).map(key => ({ type: 'del', key, sublevel: lists }))
}

/** In order; a released step never changes. */
const STEPS: MigrationStep<Database>[] = [dropOwnVersion, forgetLists]
/** Newest layout that this program reads, see `migrate.ts`. */
export const APP_STORE_VERSION = 1 + STEPS.length

/**
 * What the node itself has to remember: records on their way to the chain, how often an identity registered, and the
 * stores of publisher and follower. Social ids are kept only as keyed hashes, and only for a day.
 */
export class AppDatabase {
  readonly #folder: string
  readonly #onFatal: ((error: StoreError) => void) | undefined
  #database: Database | undefined
  #identityKey: Uint8Array = new Uint8Array()
  /** Reading, changing and writing what is known of an identity must not interleave. */
  readonly #identityWrites = new SerialQueue()

  /**
   * @param folder - made if missing; one process at a time.
   * @param onFatal - called once a write has failed: nothing more is kept, so the process must end.
   */
  constructor(folder: string, onFatal?: (error: StoreError) => void) {
    this.#folder = folder
    this.#onFatal = onFatal
  }

  /** @throws ConfigError if the folder is in use, cannot be written, or a newer version wrote it. */
  async open(): Promise<void> {
    this.#database = await openLevel<string, unknown>(this.#folder, {
      valueEncoding: 'json',
      steps: STEPS,
      ...(this.#onFatal && { onFatal: this.#onFatal })
    })
    const meta = this.#sublevel<string>('meta')
    let identityKey = await meta.get(IDENTITY_KEY)
    if (identityKey === undefined) {
      identityKey = randomBytes(32).toString('hex')
      await meta.put(IDENTITY_KEY, identityKey)
    }
    this.#identityKey = fromHex(identityKey)
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await this.#identityWrites.idle()
    await this.#database?.close()
  }

  /** All of it at this moment, for a backup. */
  snapshot(): Promise<StoreSnapshot> {
    return snapshotOf(this.#database!)
  }

  /** A text store for one other part, inside this database. */
  storeFor(
    part:
      | 'publisher'
      | 'follower'
      | 'epochs'
      | 'objects'
      | 'invites'
      | 'backups'
      | 'complaints'
      | 'reports'
      | 'profiles'
      | 'verified-log'
  ): ChainStore {
    return this.#database!.sublevel<string, string>(part, { valueEncoding: 'utf8' }) as unknown as ChainStore
  }

  /**
   * Forgets all that was read of the chain: the follower's log, and the lists of nodes made from it. What waits to be
   * published stays. @returns how many entries there were.
   */
  async forgetChain(): Promise<number> {
    let count = 0
    for (const part of ['follower', 'epochs']) {
      const store = this.#sublevel(part)
      for await (const key of store.keys()) if (key) count++
      await store.clear()
    }
    return count
  }

  /** Own records, oldest first. */
  async ownRecords(): Promise<OwnRecord[]> {
    const records: OwnRecord[] = []
    for await (const [key, { bytes, takenAt }] of this.#sublevel<StoredRecord>('records').iterator()) {
      records.push({ recordId: fromHex(key) as RecordId, bytes: fromHex(bytes), takenAt })
    }
    return records.sort((a, b) => a.takenAt - b.takenAt)
  }

  /** Keeps own records, on disk once this resolves. */
  async addOwnRecords(records: OwnRecord[]): Promise<void> {
    const batch = records.map(({ recordId, bytes, takenAt }) => ({
      type: 'put' as const,
      key: toHex(recordId),
      value: { bytes: toHex(bytes), takenAt }
    }))
    await this.#sublevel<StoredRecord>('records').batch(batch)
  }

  /** Forgets records that are settled on the chain, or can never be. */
  async removeOwnRecords(recordIds: RecordId[]): Promise<void> {
    const batch = recordIds.map(id => ({ type: 'del' as const, key: toHex(id) }))
    await this.#sublevel<StoredRecord>('records').batch(batch)
  }

  /** Registrations of a social identity within a day before `now`. */
  async registrationsOf(provider: string, subject: string, now: number): Promise<number> {
    const times = (await this.#sublevel<number[]>('identities').get(this.#identityHash(provider, subject))) ?? []
    return times.filter(time => time > now - DAY_MS).length
  }

  /** Counts a registration of a social identity. */
  addRegistration(provider: string, subject: string, now: number): Promise<void> {
    const identities = this.#sublevel<number[]>('identities')
    const key = this.#identityHash(provider, subject)
    return this.#identityWrites.run(async () => {
      const times = ((await identities.get(key)) ?? []).filter(time => time > now - DAY_MS)
      await identities.put(key, [...times, now])
    })
  }

  /** Forgets identities whose registrations are more than a day old. */
  forgetIdentities(now: number): Promise<void> {
    const identities = this.#sublevel<number[]>('identities')
    return this.#identityWrites.run(async () => {
      for await (const [key, times] of identities.iterator()) {
        if (times.every(time => time <= now - DAY_MS)) await identities.del(key)
      }
    })
  }

  /** Ids of providers can be guessed; without this node's key their hashes say nothing. */
  #identityHash(provider: string, subject: string): string {
    return createHmac('sha256', this.#identityKey).update(`${provider}\0${subject}`).digest('hex')
  }

  #sublevel<V>(name: string): Sublevel<V> {
    return this.#database!.sublevel<string, V>(name, { valueEncoding: 'json' }) as unknown as Sublevel<V>
  }
}

import { createHmac, randomBytes } from 'node:crypto'
import type { AbstractLevel } from 'abstract-level'
import type { Level } from 'level'
import type { ChainStore } from '../chain/chain-store.ts'
import { fromHex, toHex } from '../protocol/bytes.ts'
import type { RecordId } from '../protocol/identity/device.ts'
import { openLevel } from './open-level.ts'

/** Version of what this database holds; another one is refused rather than guessed at. */
const SCHEMA_VERSION = 1
const SYNCED = { sync: true }
const DAY_MS = 24 * 60 * 60 * 1000

/** A sublevel by what it does: its full type names its parents, which are nobody's business. */
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

/**
 * What the node itself has to remember: records on their way to the chain, how often an identity registered, and the
 * stores of publisher and follower. Social ids are kept only as keyed hashes, and only for a day.
 */
export class AppDatabase {
  readonly #folder: string
  #database: Level<string, unknown> | undefined
  #identityKey: Uint8Array = new Uint8Array()

  /** @param folder - made if missing; one process at a time. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws ConfigError if the folder is in use or cannot be written. */
  async open(): Promise<void> {
    this.#database = await openLevel<unknown>(this.#folder, 'json')
    const meta = this.#sublevel<unknown>('meta')
    const version = await meta.get('version')
    if (version === undefined) {
      const batch: { type: 'put'; key: string; value: unknown }[] = [
        { type: 'put', key: 'version', value: SCHEMA_VERSION },
        { type: 'put', key: 'identityKey', value: randomBytes(32).toString('hex') }
      ]
      await meta.batch(batch, SYNCED as object)
    } else if (version !== SCHEMA_VERSION) {
      await this.close()
      throw new Error(`The app database is of version ${version}; this build reads version ${SCHEMA_VERSION}.`)
    }
    this.#identityKey = fromHex((await meta.get('identityKey')) as string)
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await this.#database?.close()
  }

  /** A text store for one other part, inside this database. */
  storeFor(part: 'publisher' | 'follower' | 'epochs'): ChainStore {
    return this.#database!.sublevel<string, string>(part, { valueEncoding: 'utf8' }) as unknown as ChainStore
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
    await this.#sublevel<StoredRecord>('records').batch(batch, SYNCED as object)
  }

  /** Lets go of records that are settled on the chain, or can never be. */
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
  async addRegistration(provider: string, subject: string, now: number): Promise<void> {
    const identities = this.#sublevel<number[]>('identities')
    const key = this.#identityHash(provider, subject)
    const times = ((await identities.get(key)) ?? []).filter(time => time > now - DAY_MS)
    await identities.put(key, [...times, now], SYNCED as object)
  }

  /** Forgets identities whose registrations are more than a day old. */
  async forgetIdentities(now: number): Promise<void> {
    const identities = this.#sublevel<number[]>('identities')
    for await (const [key, times] of identities.iterator()) {
      if (times.every(time => time <= now - DAY_MS)) await identities.del(key)
    }
  }

  /** Ids of providers can be guessed; without this node's key their hashes say nothing. */
  #identityHash(provider: string, subject: string): string {
    return createHmac('sha256', this.#identityKey).update(`${provider}\0${subject}`).digest('hex')
  }

  #sublevel<V>(name: string): Sublevel<V> {
    return this.#database!.sublevel<string, V>(name, { valueEncoding: 'json' }) as unknown as Sublevel<V>
  }
}

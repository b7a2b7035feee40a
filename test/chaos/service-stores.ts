/**
 * The stores of a node's services under faults: what each of them acknowledges has a name, and can be asked for afterwards.
 * Registrations, records of this node's own devices, the publisher's queue, keys of devices, and the FINAL log.
 */
import { join } from 'node:path'
import { FollowerStore } from '../../chain/follow/follower-store.ts'
import { PublisherStore } from '../../chain/publish/publisher-store.ts'
import { parseBlockHash, parseTransactionId } from '../../chain/source/chain-source.ts'
import { AppDatabase } from '../../node/app-database.ts'
import { KeyStore } from '../../node/key-directory/key-store.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { encodeBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId, DeviceId, RecordId } from '../../protocol/identity/device.ts'

/** What is written, by the store that must keep it. */
export const SERVICE_KINDS = ['registration', 'record', 'queue', 'keys', 'final'] as const
export type ServiceKind = (typeof SERVICE_KINDS)[number]

const PROVIDER = 'chaos'
/** Large enough for LevelDB to change its log file after a few dozen. */
const TRANSACTION_BYTES = 64 * 1024
const ZERO_HASH = parseBlockHash('0'.repeat(64))

export interface ServiceStoresInit {
  /** False: bytes of transactions are written without fsync, to show what that loses. */
  syncBytes?: boolean
}

export class ServiceStores {
  readonly #app: AppDatabase
  readonly #keys: KeyStore
  readonly #follower: FollowerStore
  readonly #publisher: PublisherStore
  readonly #start = Date.now()
  #sequence = 0

  private constructor(app: AppDatabase, keys: KeyStore, { syncBytes = true }: ServiceStoresInit) {
    this.#app = app
    this.#keys = keys
    const level = app.storeFor('follower')
    const put = level.put.bind(level) as (key: string, value: unknown, options: object) => Promise<void>
    if (!syncBytes)
      level.put = (key: string, value: unknown, options: object) => put(key, value, { ...options, sync: false })
    this.#follower = new FollowerStore(level)
    this.#publisher = new PublisherStore(app.storeFor('publisher'))
  }

  /** @throws ConfigError if a store does not open. */
  static async open(folder: string, init: ServiceStoresInit = {}): Promise<ServiceStores> {
    const app = new AppDatabase(join(folder, 'app'))
    const keys = new KeyStore(join(folder, 'keys'))
    await app.open()
    await keys.open()
    return new ServiceStores(app, keys, init)
  }

  async close(): Promise<void> {
    await this.#app.close()
    await this.#keys.close()
  }

  /** Writes something under a name; resolves once the store says that it is safe. @param name - 64 hex characters. */
  async write(kind: ServiceKind, name: string): Promise<void> {
    const id = fromHex(name)
    switch (kind) {
      case 'registration':
        return this.#app.addRegistration(PROVIDER, name, Date.now())
      case 'record':
        return this.#app.addOwnRecords([{ recordId: id as RecordId, bytes: id, takenAt: Date.now() }])
      case 'queue': {
        const record = { id: name, bytes: id, prev: undefined, isUrgent: false, enqueuedAt: Date.now(), failures: 0 }
        return this.#publisher.addRecord({ ...record, sequence: this.#sequence++ })
      }
      case 'keys':
        await this.#keys.put(id as AccountId, id.subarray(0, 16) as DeviceId, bundleOf(id), () => true)
        return
      case 'final':
        return this.#addFinal(name)
    }
  }

  /** Of names that a store acknowledged, those that it does not have. */
  async missing(kind: ServiceKind, names: string[]): Promise<string[]> {
    const held = await this.#held(kind, names)
    return names.filter(name => !held.has(name))
  }

  async #held(kind: ServiceKind, names: string[]): Promise<Set<string>> {
    switch (kind) {
      case 'registration':
        return filter(names, async name => (await this.#app.registrationsOf(PROVIDER, name, Date.now())) > 0)
      case 'record':
        return new Set((await this.#app.ownRecords()).map(({ recordId }) => Buffer.from(recordId).toString('hex')))
      case 'queue':
        return new Set((await this.#publisher.load()).records.map(({ id }) => id))
      case 'keys':
        return filter(names, async name => (await this.#keys.get(fromHex(name) as AccountId)).length > 0)
      case 'final': {
        const logged = new Set<string>()
        for await (const { id } of this.#follower.finals(0)) logged.add(id)
        return filter(
          names.filter(name => logged.has(name)),
          async name => (await this.#follower.bytes(parseTransactionId(name))) !== undefined
        )
      }
    }
  }

  /** As the follower does it: the bytes, then the log that names them. */
  async #addFinal(name: string): Promise<void> {
    const id = parseTransactionId(name)
    await this.#follower.putBytes(id, new Uint8Array(TRANSACTION_BYTES).fill(7))
    const sequence = this.#sequence++
    const block = { height: sequence, slot: sequence, time: this.#start }
    const place = { id, sequence, blockHash: ZERO_HASH, index: 0, ...block }
    await this.#follower.advance([place], { tip: { hash: ZERO_HASH, ...block }, provisional: [] }, [])
  }
}

async function filter(names: string[], has: (name: string) => Promise<boolean>): Promise<Set<string>> {
  const held = new Set<string>()
  for (const name of names) if (await has(name)) held.add(name)
  return held
}

function bundleOf(id: Uint8Array): Uint8Array {
  return encodeBundle({
    deviceId: id.subarray(0, 16) as DeviceId,
    keys: { signingKey: id, messagingKeyHash: id },
    registeredKey: new Uint8Array(1216),
    weeklyIndex: 1,
    weeklyKey: new Uint8Array(1216),
    weeklyExpiry: 1,
    deviceSignature: new Uint8Array(64)
  })
}

import type { DurableLevel } from '../../chain/store/durable-level.ts'
import { snapshotOf, type StoreSnapshot } from '../../chain/store/store-dump.ts'
import type { StoreError } from '../../chain/store/store-error.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { decodeBundle } from '../../protocol/identity/bundle.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import { MAX_DEVICES_PER_ACCOUNT } from '../../protocol/limits.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { openLevel } from '../open-level.ts'

/** Newest layout that this program reads, see `migrate.ts`. */
export const KEY_STORE_VERSION = 1
/** What is not a bundle has another form of key. */
const ACCOUNT_OF_KEY = /^([0-9a-f]{64})!/

/**
 * The bundles (messaging keys) of the devices whose accounts this node keeps. One bundle a device: the newest by its
 * weekly index. Everything in it was checked before; it is signed by its device anyway.
 */
export class KeyStore {
  readonly #folder: string
  readonly #onFatal: ((error: StoreError) => void) | undefined
  #database: DurableLevel<string, Uint8Array> | undefined
  /** Reading, comparing and writing must not interleave. */
  readonly #writes = new SerialQueue()
  /** Accounts without a record at the last sweep. */
  #earlyBefore: ReadonlySet<string> = new Set()

  /**
   * @param folder - made if missing.
   * @param onFatal - called once a write has failed: nothing more is kept, so the process must end.
   */
  constructor(folder: string, onFatal?: (error: StoreError) => void) {
    this.#folder = folder
    this.#onFatal = onFatal
  }

  /** @throws ConfigError if the folder is in use or cannot be written. */
  async open(): Promise<void> {
    this.#database = await openLevel<string, Uint8Array>(this.#folder, {
      valueEncoding: 'view',
      ...(this.#onFatal && { onFatal: this.#onFatal })
    })
  }

  /** Waits for writes in hand. Safe to call twice. */
  async close(): Promise<void> {
    await this.#writes.idle()
    await this.#database?.close()
  }

  /** All of it at this moment, for a backup. */
  snapshot(): Promise<StoreSnapshot> {
    return snapshotOf(this.#database!)
  }

  /**
   * Keeps a checked bundle unless a newer one of its device is here; on disk once this resolves.
   *
   * @param isKnown - whether a device is in the account, as far as the directory says. A bundle may come before its
   * device's record; such ones make room for others when the account is full.
   * @returns whether it was kept.
   */
  put(
    accountId: AccountId,
    deviceId: DeviceId,
    bundle: Uint8Array,
    isKnown: (deviceId: Uint8Array) => boolean
  ): Promise<boolean> {
    return this.#writes.run(() => this.#put(accountId, deviceId, bundle, isKnown))
  }

  /** Bundles of an account's devices, known or not. */
  async get(accountId: AccountId): Promise<Uint8Array[]> {
    return this.#database!.values(rangeOf(accountId)).all()
  }

  /**
   * Forgets bundles of accounts that were not recorded at this sweep and at the one before: their records never came.
   * @param isRecorded - of an account id, as the directory says.
   */
  async sweep(isRecorded: (accountId: AccountId) => boolean): Promise<void> {
    const early = new Set<string>()
    for await (const key of this.#database!.keys()) {
      const account = ACCOUNT_OF_KEY.exec(key)?.[1]
      if (account === undefined) continue
      if (!early.has(account) && !isRecorded(fromHex(account) as AccountId)) early.add(account)
    }
    for (const account of early) {
      if (!this.#earlyBefore.has(account)) continue
      early.delete(account)
      await this.#writes.run(() => this.#database!.clear(rangeOf(fromHex(account) as AccountId)))
    }
    this.#earlyBefore = early
  }

  async #put(
    accountId: AccountId,
    deviceId: DeviceId,
    bundle: Uint8Array,
    isKnown: (deviceId: Uint8Array) => boolean
  ): Promise<boolean> {
    const database = this.#database!
    const key = `${toHex(accountId)}!${toHex(deviceId)}`
    const kept = await database.get(key)
    const { weeklyIndex } = decodeBundle(bundle)
    if (kept !== undefined && decodeBundle(kept).weeklyIndex >= weeklyIndex) return false
    if (kept === undefined && !(await this.#makeRoom(accountId, isKnown))) return false
    await database.put(key, bundle)
    return true
  }

  async #makeRoom(accountId: AccountId, isKnown: (deviceId: Uint8Array) => boolean): Promise<boolean> {
    const database = this.#database!
    const entries = await database.iterator(rangeOf(accountId)).all()
    if (entries.length < MAX_DEVICES_PER_ACCOUNT) return true
    const stranger = entries.find(([, bundle]) => !isKnown(decodeBundle(bundle).deviceId))
    if (stranger === undefined) return false
    await database.del(stranger[0])
    return true
  }
}

function rangeOf(accountId: AccountId): { gte: string; lt: string } {
  const account = toHex(accountId)
  return { gte: `${account}!`, lt: `${account}"` }
}

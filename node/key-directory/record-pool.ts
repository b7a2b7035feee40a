import { bytesKey } from '../../protocol/directory/order.ts'
import type { ParsedRecord } from '../../protocol/directory/parsed-record.ts'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import type { AccountId } from '../../protocol/identity/device.ts'

/** Records that wait at once, own ones not counted. */
export const MAX_POOL_RECORDS = 20_000
/** Of them, those that one other node brings: a node that floods leaves room for the rest. */
export const MAX_POOL_RECORDS_PER_NODE = 5_000
/** Records of one account that wait at once. */
export const MAX_POOL_RECORDS_PER_ACCOUNT = 16
/** Records whose predecessor has not arrived yet. */
export const MAX_ORPHANS = 1_000
/** Others' records are forgotten after this long: the node that took them brings them to the chain, or passes them on again. */
export const POOL_TTL_MS = 60 * 60 * 1000

/** A record that is not settled on the chain. */
export interface PooledRecord {
  parsed: ParsedRecord
  bytes: Uint8Array
  /** Taken from a device of this node: kept until it is settled. */
  own: boolean
  /** The node that brought it, as text; undefined for own ones and those of a rolled-back block. */
  from?: string | undefined
  addedAt: number
  /** Undefined while its predecessor is unknown. */
  accountId: AccountId | undefined
}

/**
 * Records that devices handed in, here or at other nodes, in order of arrival. They stay some time after a block has them, so
 * that a rollback does not take an account away from under its owner.
 */
export class RecordPool {
  readonly #clock: Clock
  readonly #records = new Map<string, PooledRecord>()
  readonly #perAccount = new Map<string, number>()
  readonly #perNode = new Map<string, number>()
  #orphans = 0
  #foreign = 0

  constructor(components: { clock: Clock }) {
    this.#clock = components.clock
  }

  has(recordId: Uint8Array): boolean {
    return this.#records.has(bytesKey(recordId))
  }

  get(recordId: Uint8Array): PooledRecord | undefined {
    return this.#records.get(bytesKey(recordId))
  }

  /** Whether there is room for one more record of this account, or of an unknown one. */
  hasRoom(accountId: AccountId | undefined, own: boolean, from?: string): boolean {
    if (!own && this.#foreign >= MAX_POOL_RECORDS) return false
    if (!own && from !== undefined && (this.#perNode.get(from) ?? 0) >= MAX_POOL_RECORDS_PER_NODE) return false
    if (accountId === undefined) return own || this.#orphans < MAX_ORPHANS
    return (this.#perAccount.get(bytesKey(accountId)) ?? 0) < MAX_POOL_RECORDS_PER_ACCOUNT
  }

  add(record: Omit<PooledRecord, 'addedAt'>): void {
    this.delete(record.parsed.id)
    this.#records.set(bytesKey(record.parsed.id), { ...record, addedAt: this.#clock() })
    this.#count(record, 1)
  }

  /** Notes the account of a record that waited for its predecessor. */
  adopt(record: PooledRecord, accountId: AccountId): void {
    this.#count(record, -1)
    record.accountId = accountId
    this.#count(record, 1)
  }

  delete(recordId: Uint8Array): void {
    const key = bytesKey(recordId)
    const record = this.#records.get(key)
    if (record === undefined) return
    this.#records.delete(key)
    this.#count(record, -1)
  }

  /** Forgets others' records that have waited too long. */
  expire(): void {
    const oldest = this.#clock() - POOL_TTL_MS
    for (const record of this.#records.values()) {
      if (!record.own && record.addedAt < oldest) this.delete(record.parsed.id)
    }
  }

  /** In order of arrival; entries may be deleted meanwhile. */
  values(): IterableIterator<PooledRecord> {
    return this.#records.values()
  }

  /** Records whose predecessor is unknown. */
  get orphanCount(): number {
    return this.#orphans
  }

  get size(): number {
    return this.#records.size
  }

  #count({ accountId, own, from }: Pick<PooledRecord, 'accountId' | 'own' | 'from'>, by: 1 | -1): void {
    if (!own) this.#foreign += by
    if (!own && from !== undefined) change(this.#perNode, from, by)
    if (accountId === undefined) {
      this.#orphans += by
      return
    }
    change(this.#perAccount, bytesKey(accountId), by)
  }
}

/** Counts up or down; what comes to nothing is forgotten. */
function change(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}

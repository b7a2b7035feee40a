/**
 * The key directory: the fold of all records, in chain order. Which records an account accepts depends on that account's
 * records alone (see rules.ts); names, nodes and operators are then settled between accounts. So a client that holds the
 * records of one account reaches the same account state as a node that holds them all.
 */
import { equalBytes } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'
import type { AccountId, RecordId } from '../identity/device.ts'
import type { RecordOf } from '../identity/record.ts'
import type { Genesis, NetworkId } from '../network.ts'
import type { OperatorId } from '../wire/placement.ts'
import { deviceOf, type AccountState, type DeviceState } from './account.ts'
import { tagsBeginningWith } from './name-tags.ts'
import { bytesKey, compareOrder, type OrderedRecord, type OrderKey } from './order.ts'
import { parseRecord, type ParsedEntry } from './parsed-record.ts'
import { planRecord, verifyPlan } from './rules/plan-record.ts'
import type { FoldContext } from './rules/plan.ts'
import { settle } from './settle.ts'
import {
  emptyTables,
  forkTables,
  NAME_PREFIX_BYTES,
  NO_ACCOUNT,
  type NameState,
  type NodeState,
  type ReleaseState,
  type Tables
} from './tables/tables.ts'
import type { RejectCode, RejectedRecord, Verdict } from './verdict.ts'

/** The parts of a network's genesis that the fold reads. */
export type DirectoryGenesis = Pick<Genesis, 'releaseKey' | 'admittedOperators'>

/** Rejected records that are remembered one by one; older ones are only counted, so that junk cannot fill memory. */
export const MAX_RECENT_REJECTED = 1_000

/**
 * Holds the state and moves it on, one record at a time. Apply records in chain order and await each before the next.
 * For what may still be rolled back, {@link fork} the final state and apply to the fork; when the chain has moved,
 * throw the fork away, advance the final state, and fork again.
 */
export class Directory {
  readonly #context: FoldContext
  readonly #genesis: DirectoryGenesis
  readonly #tables: Tables
  readonly #recentRejected: RejectedRecord[]

  private constructor(
    context: FoldContext,
    genesis: DirectoryGenesis,
    tables: Tables,
    recentRejected: RejectedRecord[]
  ) {
    this.#context = context
    this.#genesis = genesis
    this.#tables = tables
    this.#recentRejected = recentRejected
  }

  /**
   * The directory before any record.
   * @param hashSeed - 32 secret random bits, for who takes in records of strangers by the million: see `PackedMapInit`.
   */
  static create(crypto: Crypto, network: NetworkId, genesis: DirectoryGenesis, hashSeed?: number): Directory {
    const tables = emptyTables(hashSeed)
    for (const signingKey of genesis.admittedOperators) tables.founders.set(bytesKey(signingKey), NO_ACCOUNT)
    return new Directory({ crypto, network }, genesis, tables, [])
  }

  /** A directory that goes on from this one and leaves it as it is. Takes no time; this one must not move meanwhile. */
  fork(): Directory {
    return new Directory(this.#context, this.#genesis, forkTables(this.#tables), [...this.#recentRejected])
  }

  /** Takes in the next record, or skips it with a reason. Never throws for what the bytes may hold. */
  async apply(entry: OrderedRecord): Promise<Verdict> {
    const result = parseRecord(this.#context.crypto, this.#context.network, entry.bytes)
    if (result.kind === 'rejected') return this.#reject(result.code, entry.order)
    return this.applyParsed({ parsed: result.parsed, order: entry.order, blockTime: entry.blockTime })
  }

  /** As {@link apply}, for a record that was parsed before: its signatures are not verified twice. */
  async applyParsed(entry: ParsedEntry): Promise<Verdict> {
    const { parsed, order } = entry
    if (parsed.record.kind === 'release') return this.#applyRelease(entry, parsed.record)
    const plan = planRecord(this.#context, this.#lookup, entry, parsed.record)
    if (plan.kind === 'reject') return this.#reject(plan.code, order, parsed.id, plan.accountId)
    const { account, effects } = plan
    const { accountId } = account
    if (!(await verifyPlan(this.#context, parsed, plan))) {
      return this.#reject('BAD_SIGNATURE', order, parsed.id, parsed.record.kind === 'create' ? null : accountId)
    }
    this.#tables.accounts.set(bytesKey(accountId), account)
    this.#tables.records.set(bytesKey(parsed.id), accountId)
    const settled = settle(this.#tables, account, parsed.record, order)
    return {
      kind: 'accepted',
      recordKind: parsed.record.kind,
      recordId: parsed.id,
      accountId,
      order,
      effects: settled.length > 0 ? [...effects, ...settled] : effects
    }
  }

  /** `undefined` if no such account is recorded. */
  account(accountId: Uint8Array): AccountState | undefined {
    return this.#tables.accounts.get(bytesKey(accountId))
  }

  /** The account that took in this device last, and the device's state in it; `undefined` for an unknown device. */
  device(deviceId: Uint8Array): { account: AccountState; device: DeviceState } | undefined {
    const accountId = this.#tables.devices.get(bytesKey(deviceId))
    const account = accountId && this.account(accountId)
    const device = account && deviceOf(account, deviceId)
    return device && { account, device }
  }

  /** The account that accepted this record; `undefined` if none did. */
  accountOfRecord(recordId: Uint8Array): AccountState | undefined {
    return this.#lookup.accountOf(recordId)
  }

  /** Who holds a name; `undefined` while it is free. */
  name(nameTag: Uint8Array): NameState | undefined {
    return this.#tables.names.get(bytesKey(nameTag))
  }

  /**
   * Held names whose tag begins so, by rising tag.
   * @param prefix - {@link NAME_PREFIX_BYTES} to 32 bytes; with fewer, nothing is found.
   */
  *namesBeginningWith(prefix: Uint8Array): Generator<NameState> {
    const tags = this.#tables.nameTags.get(bytesKey(prefix.subarray(0, NAME_PREFIX_BYTES)))
    for (const tag of tagsBeginningWith(tags, prefix)) yield this.name(tag)!
  }

  /** Whether an account holds a name that it opened. */
  holdsName(accountId: Uint8Array, nameTag: Uint8Array): boolean {
    const holder = this.name(nameTag)
    return holder !== undefined && equalBytes(holder.accountId, accountId)
  }

  /** `undefined` if no such node is listed. */
  node(nodeKey: Uint8Array): NodeState | undefined {
    return this.#tables.nodes.get(bytesKey(nodeKey))
  }

  /** Listed nodes of all operators, admitted or not; in no order. */
  nodes(): NodeState[] {
    return [...this.#tables.nodes.values()]
  }

  /** Whether nodes of this operator take part in placement. */
  isAdmitted(operator: Uint8Array): boolean {
    return this.#tables.operators.get(bytesKey(operator))?.isAdmitted ?? false
  }

  /** Admitted operators that vouched for this one, in chain order: two of them once it is admitted; none for genesis. */
  vouchersOf(operator: Uint8Array): readonly AccountId[] {
    return this.#tables.operators.get(bytesKey(operator))?.vouchers ?? []
  }

  /** How lists of nodes name an operator: by its key in genesis if it is one of genesis, else by its account. */
  operatorIdOf(account: AccountState): OperatorId {
    const { signingKey } = account.devices[0]!.keys
    const founder = this.#tables.founders.get(bytesKey(signingKey))
    const isFounder = founder !== undefined && equalBytes(founder, account.accountId)
    return (isFounder ? signingKey : account.accountId) as Uint8Array as OperatorId
  }

  /** The account of an operator by the name that lists give it, see {@link operatorIdOf}. */
  accountOfOperator(operator: Uint8Array): AccountState | undefined {
    const founder = this.#tables.founders.get(bytesKey(operator))
    return this.account(founder ?? operator)
  }

  /** Releases of the web app in chain order, the newest last. */
  releases(): ReleaseState[] {
    return [...this.#tables.releases.values()].sort((a, b) => compareOrder(a.order, b.order))
  }

  /** All accounts; in no order. */
  accounts(): IterableIterator<AccountState> {
    return this.#tables.accounts.values()
  }

  /** All names that are held; in no order. */
  names(): IterableIterator<NameState> {
    return this.#tables.names.values()
  }

  /** Accounts that are admitted as operators, by genesis or vouchers; in no order. */
  admittedOperators(): AccountId[] {
    return [...this.#tables.operators.values()].filter(state => state.isAdmitted).map(state => state.operator)
  }

  get accountCount(): number {
    return this.#tables.accounts.size
  }

  /** Accepted records, RELEASE included. */
  get recordCount(): number {
    return this.#tables.records.size
  }

  /** How many records were skipped, by reason. */
  rejectedCounts(): Map<RejectCode, number> {
    return new Map(this.#tables.rejected.entries() as Iterable<[RejectCode, number]>)
  }

  /** The last {@link MAX_RECENT_REJECTED} records that were skipped, oldest first. */
  recentRejected(): readonly RejectedRecord[] {
    return this.#recentRejected
  }

  readonly #lookup = {
    has: (recordId: Uint8Array): boolean => this.#tables.records.has(bytesKey(recordId)),
    accountOf: (recordId: Uint8Array): AccountState | undefined => {
      const accountId = this.#tables.records.get(bytesKey(recordId))
      return accountId && this.account(accountId)
    }
  }

  async #applyRelease({ parsed, order }: ParsedEntry, record: RecordOf<'release'>): Promise<Verdict> {
    const { releaseKey } = this.#genesis
    if (this.#lookup.has(parsed.id)) return this.#reject('DUPLICATE', order, parsed.id)
    if (releaseKey === null) return this.#reject('NO_RELEASE_KEY', order, parsed.id)
    const { crypto, network } = this.#context
    if (!(await parsed.verify(crypto, network, { index: 0, publicKey: releaseKey }))) {
      return this.#reject('BAD_SIGNATURE', order, parsed.id)
    }
    const { version, manifestHash } = record
    this.#tables.records.set(bytesKey(parsed.id), NO_ACCOUNT)
    this.#tables.releases.set(bytesKey(parsed.id), { recordId: parsed.id, version, manifestHash, order })
    return { kind: 'accepted', recordKind: 'release', recordId: parsed.id, accountId: null, order, effects: [] }
  }

  #reject(
    code: RejectCode,
    order: OrderKey | null,
    recordId: RecordId | null = null,
    accountId: AccountId | null = null
  ): RejectedRecord {
    const rejected: RejectedRecord = { kind: 'rejected', code, recordId, accountId, order }
    this.#tables.rejected.set(code, (this.#tables.rejected.get(code) ?? 0) + 1)
    if (this.#recentRejected.length >= MAX_RECENT_REJECTED) this.#recentRejected.shift()
    this.#recentRejected.push(rejected)
    return rejected
  }
}

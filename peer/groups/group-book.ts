/** The groups of this device in memory, each with its whole log, for everything that asks who is in one. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeGroupChange, type GroupChange } from '../../protocol/groups/group-change.ts'
import { GroupLog } from '../../protocol/groups/group-log.ts'
import type { GroupState } from '../../protocol/groups/group-state.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../engine-context.ts'
import { groupChangeEntry, groupEntry, type StoredGroup, type StoredGroupChange } from '../store/group-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

/** A group as it is held in memory. Immutable, replaced as a whole. */
export interface KnownGroup {
  stored: StoredGroup
  log: GroupLog
  /** When each change came, by its id in hex. */
  addedAt: ReadonlyMap<string, number>
}

export class GroupBook {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #groups = new Map<string, KnownGroup>()
  readonly #pending = new WeakMap<UnitOfWork, Map<string, KnownGroup>>()

  constructor(context: EngineContext, states: StateStore) {
    this.#context = context
    this.#states = states
  }

  /** Reads every group from the store. Its changes were checked before they were stored. */
  async load(): Promise<void> {
    const changes = Map.groupBy(await this.#states.all('group-change', groupChangeEntry), ({ groupId }) =>
      toHex(groupId)
    )
    for (const stored of await this.#states.all('group', groupEntry)) {
      const key = toHex(stored.groupId)
      const group = this.#groupOf(stored, changes.get(key) ?? [])
      if (group) this.#groups.set(key, group)
    }
  }

  #groupOf(stored: StoredGroup, changes: StoredGroupChange[]): KnownGroup | undefined {
    const { crypto, network } = this.#context
    const env = { crypto, network: network().id }
    let log: GroupLog | undefined
    const addedAt = new Map<string, number>()
    for (const { encoded, addedAt: at } of changes.sort((a, b) => a.place - b.place)) {
      const change = decodeGroupChange(env, encoded)
      log = log ? log.with(change) : GroupLog.of(change)
      addedAt.set(toHex(change.id), at)
    }
    return log && { stored, log, addedAt }
  }

  /** All groups. */
  all(): KnownGroup[] {
    return [...this.#groups.values()]
  }

  /** @param group - lower-case hex. @returns undefined for a group that this device does not know. */
  get(group: string): KnownGroup | undefined {
    return this.#groups.get(group)
  }

  /** A group with what a unit of work has changed. */
  within(unit: UnitOfWork, group: string): KnownGroup | undefined {
    return this.#pending.get(unit)?.get(group) ?? this.#groups.get(group)
  }

  /** Replaces a group once the unit of work that stores it is written. */
  put(unit: UnitOfWork, group: KnownGroup): void {
    const key = toHex(group.stored.groupId)
    const pending = this.#pending.get(unit) ?? new Map<string, KnownGroup>()
    this.#pending.set(unit, pending.set(key, group))
    // Screens may hear of a new group before it is written; one that is not written comes again.
    if (!this.#groups.has(key)) unit.tell(() => this.#groups.has(key) || this.#groups.set(key, group))
    unit.after(() => this.#groups.set(key, group))
  }

  /** Who and what a group is now. */
  stateOf(group: string): GroupState | undefined {
    return this.#groups.get(group)?.log.state
  }

  /** Whether this account is a member, and not about to leave. */
  isIn(group: string): boolean {
    const known = this.#groups.get(group)
    return known !== undefined && known.stored.leave === null && this.isMember(group, this.#context.accountId())
  }

  isMember(group: string, accountId: AccountId): boolean {
    return this.stateOf(group)?.members.has(toHex(accountId)) ?? false
  }

  /** Whether the user takes part: what comes is no request, and other members may learn that it has come. */
  isAccepted(group: string): boolean {
    return this.#groups.get(group)?.stored.answer === 'accepted'
  }

  /** Every account that ever signed or was named in the log of a group. */
  everIn(group: string): AccountId[] {
    const named = new Map<string, AccountId>()
    for (const { accountId, change } of this.#groups.get(group)?.log.changes() ?? []) {
      named.set(toHex(accountId), accountId)
      const targets = change.kind === 'create' || change.kind === 'add' ? change.targets : []
      for (const target of targets) named.set(toHex(target.accountId), target.accountId)
    }
    return [...named.values()]
  }

  /** What the logs of groups call an account, newest last; null if they give it no name. */
  calledIn(accountId: AccountId): string | null {
    const changes = this.all().flatMap(({ log }) => log.changes())
    return changes.flatMap(namesIn).findLast(named => equalBytes(named.accountId, accountId))?.username ?? null
  }

  /** Whether somebody else ever took an account out. */
  wasRemoved(group: string, accountId: AccountId): boolean {
    const account = toHex(accountId)
    const changes = this.#groups.get(group)?.log.changes() ?? []
    return changes.some(change => change.change.kind === 'remove' && endsPart(change, account))
  }

  /** When this device learned last that a member goes or is taken out; undefined if it never did. */
  outSince(group: string, accountId: AccountId): number | undefined {
    const known = this.#groups.get(group)
    if (!known) return undefined
    const account = toHex(accountId)
    const ends = known.log.changes().filter(change => endsPart(change, account))
    const times = ends.map(({ id }) => known.addedAt.get(toHex(id)) ?? 0)
    return times.length > 0 ? Math.max(...times) : undefined
  }
}

/** Whom a change brings in, with the names that its signer knows them by. */
export function namesIn({ change, accountId }: GroupChange): { accountId: AccountId; username: string }[] {
  if (change.kind !== 'create' && change.kind !== 'add') return []
  const maker = change.kind === 'create' ? [{ accountId, username: change.username }] : []
  return [...change.targets, ...maker].flatMap(({ accountId: person, username }) =>
    username === null ? [] : [{ accountId: person, username }]
  )
}

/** Whether a change takes an account out. */
function endsPart({ change, accountId }: GroupChange, account: string): boolean {
  if (change.kind === 'leave') return toHex(accountId) === account
  return change.kind === 'remove' && change.accounts.some(removed => toHex(removed) === account)
}

/**
 * The log of a group: signed changes that name the ones before them, and what they come to. Admins who do not see each other
 * make branches; every device that has the same changes comes to the same state, in whatever order they came.
 *
 * - A change has a place in the log only if its signer could make it after the changes that it names.
 * - A change is void if its signer was removed or demoted by a change that neither comes before nor after it, unless the signer
 *   ranks before the remover; and if what made its signer a member or an admin is void.
 * - A removal that is not void beats every addition that does not come after it. Of two values of a field that do not come after
 *   one another, the one of the signer who ranks before counts, then the one of the lower id.
 *
 * Whether a change is void asks only about changes of signers who rank before its own, so the question has an end.
 */
import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_GROUP_CHANGES, MAX_GROUP_HEADS, MAX_GROUP_LEAVES, MAX_GROUP_REMOVALS } from '../limits.ts'
import type { ConversationId } from '../roster/roster.ts'
import type { GroupChange, GroupChangeId, GroupTarget } from './group-change.ts'
import {
  applyEffects,
  compareRanks,
  effectsOf,
  isAboutSelf,
  memberBy,
  NO_GROUP,
  rankBy,
  type AdminRank,
  type Effects,
  type GroupMember,
  type GroupState
} from './group-state.ts'

/** Changes by their place in the log, one bit each. */
type ChangeSet = bigint

interface LogEntry {
  change: GroupChange
  bit: ChangeSet
  /** All changes that come before. */
  before: ChangeSet
  /** Of the signer, when it was signed. */
  rank: AdminRank | null
  /** The change that made the signer what it takes; null for the first. */
  support: GroupChangeId | null
  effects: Effects
  /** The group after this change and those before it. */
  after: GroupState
}

/** A log; immutable. */
export class GroupLog {
  readonly groupId: ConversationId
  readonly #entries: readonly LogEntry[]
  readonly #byId: ReadonlyMap<string, LogEntry>
  /** Changes that another one comes after. */
  readonly #followed: ChangeSet
  #heads: GroupChangeId[] | undefined
  #state: GroupState | undefined
  #void: GroupChange[] | undefined

  private constructor(groupId: ConversationId, before: GroupLog | undefined, entry: LogEntry) {
    this.groupId = groupId
    this.#entries = before ? [...before.#entries, entry] : [entry]
    this.#byId = new Map(before ? before.#byId : []).set(toHex(entry.change.id), entry)
    this.#followed = before ? before.#followed | entry.before : entry.before
  }

  /**
   * The last changes, sorted, which the next change names; no more than {@link MAX_GROUP_HEADS}. Where there are more, those that
   * decide who is in come first: no crowd of branches hides a removal.
   */
  get heads(): readonly GroupChangeId[] {
    return (this.#heads ??= this.#findHeads())
  }

  /** Only when it is asked for: a log is read change by change, and a hostile one has thousands of last changes. */
  #findHeads(): GroupChangeId[] {
    const last = this.#entries.filter(({ bit }) => (this.#followed & bit) === 0n)
    const named = last.length > MAX_GROUP_HEADS ? this.#foremost(last) : last
    return named.map(({ change }) => change.id).sort(compareBytes)
  }

  /** The log of a new group. @throws ProtocolError `INVALID` for any other change than a first one. */
  static of(first: GroupChange): GroupLog {
    if (first.change.kind !== 'create') throw new ProtocolError('INVALID', 'a group begins with its creation')
    return new GroupLog(first.groupId, undefined, entryOf(first, 0, 0n, NO_GROUP))
  }

  /** The log with one more change; itself for one that is there. The signature was checked by the caller.
   * @throws ProtocolError `INVALID` for a change of another group, one that names changes which are not here, or one that its
   * signer could not make; `LIMIT_REACHED` if there is no {@link hasRoomFor} it.
   */
  with(change: GroupChange): GroupLog {
    if (this.has(change.id)) return this
    if (!equalBytes(change.groupId, this.groupId)) throw new ProtocolError('INVALID', 'a change of another group')
    if (!this.hasRoomFor(change)) throw new ProtocolError('LIMIT_REACHED', 'the log of the group is full')
    const parents = change.parents.map(parent => this.#require(parent))
    const before = closureOf(parents)
    if (parents.some(({ bit }) => parents.some(other => (other.before & bit) !== 0n))) {
      throw new ProtocolError('INVALID', 'a parent comes before another parent')
    }
    const entry = entryOf(change, this.#entries.length, before, this.stateAt(change.parents))
    return new GroupLog(this.groupId, this, entry)
  }

  /** Whether the log keeps one more change of this kind. */
  hasRoomFor(change: Pick<GroupChange, 'change' | 'accountId'>): boolean {
    const kind = roomOf(change)
    return this.#entries.filter(entry => roomOf(entry.change) === kind).length < ROOM[kind]
  }

  get size(): number {
    return this.#entries.length
  }

  has(id: GroupChangeId): boolean {
    return this.#byId.has(toHex(id))
  }

  /** All changes; each stands after those that it names. */
  changes(): GroupChange[] {
    return this.#entries.map(({ change }) => change)
  }

  /** The group now, by all changes: also by those that {@link heads} has no room for. */
  get state(): GroupState {
    return (this.#state ??= this.#isChain ? this.#entries.at(-1)!.after : new Merge(this.#entries, this.#byId).state())
  }

  /**
   * The group after these changes and all before them.
   * @throws ProtocolError `INVALID` for a change that is not here.
   */
  stateAt(heads: readonly GroupChangeId[]): GroupState {
    const entries = heads.map(id => this.#require(id))
    if (entries.length === 1) return entries[0]!.after
    const set = closureOf(entries)
    return new Merge(
      this.#entries.filter(({ bit }) => (set & bit) !== 0n),
      this.#byId
    ).state()
  }

  /** How many changes these and all before them are: rises with each change. @throws ProtocolError `INVALID`. */
  epochAt(heads: readonly GroupChangeId[]): number {
    return this.#in(closureOf(heads.map(id => this.#require(id)))).length
  }

  /** The changes that are not among `known` and before them; ids that are not here are passed over. Each after its parents. */
  changesAfter(known: readonly GroupChangeId[]): GroupChange[] {
    const entries = known.map(id => this.#byId.get(toHex(id))).filter(entry => entry !== undefined)
    const had = closureOf(entries)
    return this.#entries.filter(({ bit }) => (had & bit) === 0n).map(({ change }) => change)
  }

  /** The changes that have no effect, because their signers' parts ended by changes that they do not come after. */
  voidChanges(): GroupChange[] {
    return (this.#void ??= this.#findVoid())
  }

  #findVoid(): GroupChange[] {
    // Without branches nothing can be void.
    if (this.#isChain) return []
    const merge = new Merge(this.#entries, this.#byId)
    return this.#entries.filter(entry => !merge.isEffective(entry)).map(({ change }) => change)
  }

  get #isChain(): boolean {
    return this.#entries.every(({ before }, index) => before === (1n << BigInt(index)) - 1n)
  }

  /** As many of the last changes as {@link heads} has room for. */
  #foremost(last: readonly LogEntry[]): LogEntry[] {
    const merge = new Merge(this.#entries, this.#byId)
    // Who is out can go on making branches: they are void, or only say once more that their signer is out.
    const order = (entry: LogEntry): number => {
      if (!merge.isEffective(entry)) return 3
      if (isAboutSelf(entry.change)) return 2
      return entry.effects.removes.length + entry.effects.demotes.length > 0 ? 0 : 1
    }
    const ranked = last.map(entry => ({ entry, order: order(entry) }))
    ranked.sort((a, b) => a.order - b.order || compareRanks(a.entry.rank, b.entry.rank) || byId(a.entry, b.entry))
    return ranked.slice(0, MAX_GROUP_HEADS).map(({ entry }) => entry)
  }

  #in(set: ChangeSet): LogEntry[] {
    return this.#entries.filter(({ bit }) => (set & bit) !== 0n)
  }

  #require(id: GroupChangeId): LogEntry {
    const entry = this.#byId.get(toHex(id))
    if (!entry) throw new ProtocolError('INVALID', 'a change of a group that is not known here')
    return entry
  }
}

/** How many changes of each kind a log keeps: whoever fills one room leaves the others free. */
const ROOM = { others: MAX_GROUP_CHANGES, removals: MAX_GROUP_REMOVALS, leaves: MAX_GROUP_LEAVES }

function roomOf({ change, accountId }: Pick<GroupChange, 'change' | 'accountId'>): keyof typeof ROOM {
  if (isAboutSelf({ change, accountId })) return 'leaves'
  const puts = change.kind === 'remove' || (change.kind === 'role' && change.role === 'member')
  return puts ? 'removals' : 'others'
}

function entryOf(change: GroupChange, index: number, before: ChangeSet, past: GroupState): LogEntry {
  const effects = effectsOf(past, change)
  const signer = past.members.get(toHex(change.accountId))
  const rank = signer?.rank ?? null
  const support = rank?.by ?? signer?.ground ?? null
  return {
    change,
    bit: 1n << BigInt(index),
    before,
    rank,
    support,
    effects,
    after: applyEffects(past, change, effects)
  }
}

/** The changes and all that come before them. */
function closureOf(entries: readonly LogEntry[]): ChangeSet {
  return entries.reduce((set, { bit, before }) => set | bit | before, 0n)
}

const names = (accounts: readonly Uint8Array[], account: Uint8Array): boolean =>
  accounts.some(other => equalBytes(other, account))

/** What a set of changes comes to, with every change before one of them in it. */
class Merge {
  readonly #entries: readonly LogEntry[]
  readonly #byId: ReadonlyMap<string, LogEntry>
  readonly #endings: readonly LogEntry[]
  readonly #effective = new Map<LogEntry, boolean>()

  constructor(entries: readonly LogEntry[], byId: ReadonlyMap<string, LogEntry>) {
    this.#entries = entries
    this.#byId = byId
    this.#endings = entries.filter(({ effects }) => effects.removes.length + effects.demotes.length > 0)
  }

  isEffective(entry: LogEntry): boolean {
    const known = this.#effective.get(entry)
    if (known !== undefined) return known
    const isEffective = this.#judge(entry)
    this.#effective.set(entry, isEffective)
    return isEffective
  }

  #judge(entry: LogEntry): boolean {
    const { change, support } = entry
    // Who leaves or steps down hurts only themselves.
    if (support === null || isAboutSelf(change)) return true
    if (!this.isEffective(this.#byId.get(toHex(support))!)) return false
    return !this.#endings.some(ending => endsSigner(ending, entry) && this.isEffective(ending))
  }

  state(): GroupState {
    const effective = this.#entries.filter(entry => this.isEffective(entry))
    return { members: membersOf(effective), ...fieldsOf(effective) }
  }
}

/** Whether a change voids another, unless it is void itself: it ends its signer's part, and neither saw the other. */
function endsSigner(ending: LogEntry, entry: LogEntry): boolean {
  const { change, effects, rank } = ending
  const signer = entry.change.accountId
  if (ending === entry || comesBefore(ending, entry) || comesBefore(entry, ending)) return false
  const isEnded = names(effects.removes, signer) || (entry.rank !== null && names(effects.demotes, signer))
  return isEnded && (equalBytes(change.accountId, signer) || compareRanks(entry.rank, rank) >= 0)
}

const comesBefore = (first: LogEntry, second: LogEntry): boolean => (second.before & first.bit) !== 0n

/** What was said of one person. */
interface Said {
  adds: { entry: LogEntry; target: GroupTarget }[]
  promotes: LogEntry[]
  removes: LogEntry[]
  demotes: LogEntry[]
}

function membersOf(effective: readonly LogEntry[]): Map<string, GroupMember> {
  const said = new Map<string, Said>()
  const of = (account: Uint8Array): Said => {
    const key = toHex(account)
    const known = said.get(key) ?? { adds: [], promotes: [], removes: [], demotes: [] }
    said.set(key, known)
    return known
  }
  for (const entry of effective) {
    const { adds, promotes, removes, demotes } = entry.effects
    for (const target of adds) of(target.accountId).adds.push({ entry, target })
    for (const account of promotes) of(account).promotes.push(entry)
    for (const account of removes) of(account).removes.push(entry)
    for (const account of demotes) of(account).demotes.push(entry)
  }
  const members = [...said].flatMap(([key, about]): [string, GroupMember][] => {
    const member = memberOf(about)
    return member ? [[key, member]] : []
  })
  return new Map(members.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @returns undefined for a person who is out: a removal beats every addition that does not come after it. */
function memberOf({ adds, promotes, removes, demotes }: Said): GroupMember | undefined {
  const isIn = (entry: LogEntry): boolean => removes.every(removal => comesBefore(removal, entry))
  const added = adds.filter(({ entry }) => isIn(entry)).sort((a, b) => byId(a.entry, b.entry))
  const promoted = promotes.filter(isIn).sort(byId)
  const asMember = added[0] ?? (promoted[0] && { entry: promoted[0], target: targetOf(promoted[0]) })
  if (!asMember) return undefined
  const isAdminBy = (entry: LogEntry): boolean => demotes.every(demotion => comesBefore(demotion, entry))
  const makers = [...added.filter(({ target }) => target.role === 'admin').map(({ entry }) => entry), ...promoted]
  const { accountId } = asMember.target
  const [rank] = makers
    .filter(isAdminBy)
    .map(entry => rankBy(entry.change, accountId, entry.rank))
    .sort(compareRanks)
  const member = memberBy(asMember.entry.change, { ...asMember.target, role: 'member' }, asMember.entry.rank)
  return rank ? { ...member, role: 'admin', rank } : member
}

const byId = (a: LogEntry, b: LogEntry): number => compareBytes(a.change.id, b.change.id)

/** The person whom a promotion is about, where what added them is void. */
function targetOf({ effects }: LogEntry): GroupTarget {
  return { accountId: effects.promotes[0]!, role: 'admin', username: null }
}

function fieldsOf(effective: readonly LogEntry[]): Omit<GroupState, 'members'> {
  const last = <Field extends keyof Effects['sets']>(field: Field): GroupState[Field] => {
    const setters = effective.filter(({ effects }) => effects.sets[field] !== undefined)
    const lasting = setters.filter(entry => !setters.some(other => comesBefore(entry, other)))
    const [winner] = lasting.sort((a, b) => compareRanks(a.rank, b.rank) || byId(a, b))
    return winner ? (winner.effects.sets[field] as GroupState[Field]) : NO_GROUP[field]
  }
  return { name: last('name'), description: last('description'), picture: last('picture'), settings: last('settings') }
}

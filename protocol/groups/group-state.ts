/**
 * What a group is after some changes: who is in it, as what, and what it is called. The state is only ever made from the log
 * (`group-log.ts`); here is what one change needs, and what it does to a state that it comes after.
 */
import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import type { BlobPointer } from '../files/blob-pointer.ts'
import type { AccountId } from '../identity/device.ts'
import { MAX_GROUP_MEMBERS } from '../limits.ts'
import type { GroupChange, GroupChangeId, GroupRole, GroupSettings, GroupTarget } from './group-change.ts'

/**
 * How far an admin is from the creator: the creator has generation 0, whom the creator makes an admin 1, and so on. Of the same
 * generation the one of the lower change ranks before. Lower ranks before higher.
 */
export interface AdminRank {
  generation: number
  by: GroupChangeId
  accountId: AccountId
}

/** One person in a group. */
export interface GroupMember {
  accountId: AccountId
  role: GroupRole
  /** As the adder says; null if the adder does not know. */
  username: string | null
  /** When, by the adder's clock, and who added the person; the creator added themselves. */
  since: number
  addedBy: AccountId
  /** The change that made the person a member. */
  ground: GroupChangeId
  /** Where the person stands among the admins, and through which change; null for those who are none. */
  rank: AdminRank | null
}

/** A group after some changes. Immutable. */
export interface GroupState {
  /** By account, hex. */
  members: ReadonlyMap<string, GroupMember>
  name: string
  description: string
  /** Where nodes keep the picture; null for none. */
  picture: BlobPointer | null
  settings: GroupSettings
}

/** Before its first change. */
export const NO_GROUP: GroupState = {
  members: new Map(),
  name: '',
  description: '',
  picture: null,
  settings: { add: 'admins', edit: 'admins' }
}

/** What a change does, given the state that its signer saw. */
export interface Effects {
  /** Who becomes a member. */
  adds: readonly GroupTarget[]
  /** Who becomes an admin, of those that were added before. */
  promotes: readonly AccountId[]
  /** Who is out. */
  removes: readonly AccountId[]
  /** Who is no admin any more. */
  demotes: readonly AccountId[]
  /** Fields that get a new value. */
  sets: Partial<Pick<GroupState, 'name' | 'description' | 'picture' | 'settings'>>
}

const NOTHING: Effects = { adds: [], promotes: [], removes: [], demotes: [], sets: {} }

/** Negative if `a` ranks before `b`; those who are no admins come last. */
export function compareRanks(a: AdminRank | null, b: AdminRank | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  return a.generation - b.generation || compareBytes(a.by, b.by) || compareBytes(a.accountId, b.accountId)
}

/** Whether a change is about its own signer: to leave, or to step down. No other change can void it. */
export function isAboutSelf({ change, accountId }: Pick<GroupChange, 'change' | 'accountId'>): boolean {
  return change.kind === 'leave' || (change.kind === 'role' && equalBytes(change.accountId, accountId))
}

/**
 * What a change does after everything that its signer had seen.
 * @throws ProtocolError `INVALID` if its signer could not make it then: it has no place in a log. `LIMIT_REACHED` past
 * {@link MAX_GROUP_MEMBERS}.
 */
export function effectsOf(before: GroupState, { change, accountId }: GroupChange): Effects {
  if (change.kind === 'create') return createEffects(change, accountId)
  const signer = before.members.get(toHex(accountId))
  require(signer !== undefined, 'the signer is not a member')
  const isAdmin = signer?.role === 'admin'
  const mayEdit = isAdmin || before.settings.edit === 'members'
  switch (change.kind) {
    case 'add':
      require(isAdmin || before.settings.add === 'members', 'only admins add people')
      return addEffects(before, change.targets, isAdmin)
    case 'remove':
      require(isAdmin, 'only admins remove people')
      return removeEffects(before, change.accounts, accountId)
    case 'role':
      require(isAdmin, 'only admins change roles')
      return roleEffects(before, change)
    case 'leave':
      return { ...NOTHING, removes: [accountId] }
    case 'settings':
      require(isAdmin, 'only admins change settings')
      return { ...NOTHING, sets: { settings: change.settings } }
    default: {
      require(mayEdit, 'only admins edit the group')
      const { kind: _kind, ...sets } = change
      return { ...NOTHING, sets }
    }
  }
}

function require(holds: boolean, message: string): void {
  if (!holds) throw new ProtocolError('INVALID', message)
}

function createEffects(
  { targets, name, description, picture, username, settings }: Extract<GroupChange['change'], { kind: 'create' }>,
  creator: AccountId
): Effects {
  const adds: GroupTarget[] = [{ accountId: creator, role: 'admin', username }, ...targets]
  requireDistinct(adds.map(({ accountId }) => accountId))
  return { ...NOTHING, adds, sets: { name, description, picture, settings } }
}

function addEffects({ members }: GroupState, targets: readonly GroupTarget[], isAdmin: boolean): Effects {
  requireDistinct(targets.map(({ accountId }) => accountId))
  require(isAdmin || targets.every(({ role }) => role === 'member'), 'only admins add admins')
  require(!targets.some(({ accountId }) => members.has(toHex(accountId))), 'a person is added who is a member')
  if (members.size + targets.length > MAX_GROUP_MEMBERS) {
    throw new ProtocolError('LIMIT_REACHED', `a group has at most ${MAX_GROUP_MEMBERS} members`)
  }
  return { ...NOTHING, adds: targets }
}

function removeEffects({ members }: GroupState, removes: readonly AccountId[], signer: AccountId): Effects {
  requireDistinct(removes)
  require(!removes.some(accountId => equalBytes(accountId, signer)), 'who goes by themselves leaves')
  require(removes.every(accountId => members.has(toHex(accountId))), 'a person is removed who is no member')
  return { ...NOTHING, removes }
}

function roleEffects(
  { members }: GroupState,
  { accountId, role }: Extract<GroupChange['change'], { kind: 'role' }>
): Effects {
  const member = members.get(toHex(accountId))
  require(member !== undefined && member.role !== role, 'the person is no member, or has the role')
  return role === 'admin' ? { ...NOTHING, promotes: [accountId] } : { ...NOTHING, demotes: [accountId] }
}

function requireDistinct(accounts: readonly AccountId[]): void {
  require(new Set(accounts.map(toHex)).size === accounts.length, 'a person is named twice')
}

/** The state after a change that came after everything in `before`. @param rank - of its signer, in `before`. */
export function applyEffects(before: GroupState, change: GroupChange, effects: Effects): GroupState {
  const rank = before.members.get(toHex(change.accountId))?.rank ?? null
  const { adds, promotes, removes, demotes, sets } = effects
  if (adds.length + promotes.length + removes.length + demotes.length === 0) return { ...before, ...sets }
  const members = new Map(before.members)
  for (const accountId of removes) members.delete(toHex(accountId))
  for (const target of adds) members.set(toHex(target.accountId), memberBy(change, target, rank))
  for (const [accounts, role] of [[promotes, 'admin'] as const, [demotes, 'member'] as const]) {
    for (const accountId of accounts) {
      const member = members.get(toHex(accountId))!
      members.set(toHex(accountId), {
        ...member,
        role,
        rank: role === 'admin' ? rankBy(change, accountId, rank) : null
      })
    }
  }
  return { ...before, ...sets, members }
}

/** The person that a change adds. @param rank - of the signer. */
export function memberBy(change: GroupChange, target: GroupTarget, rank: AdminRank | null): GroupMember {
  const { accountId, role, username } = target
  return {
    accountId,
    role,
    username,
    since: change.at,
    addedBy: change.accountId,
    ground: change.id,
    rank: role === 'admin' ? rankBy(change, accountId, rank) : null
  }
}

/** Where an admin stands whom a change made one. @param rank - of the signer; null in the first change, whose signer comes first. */
export function rankBy(change: GroupChange, accountId: AccountId, rank: AdminRank | null): AdminRank {
  const isCreator = change.change.kind === 'create' && equalBytes(accountId, change.accountId)
  return { generation: isCreator ? 0 : (rank?.generation ?? 0) + 1, by: change.id, accountId }
}

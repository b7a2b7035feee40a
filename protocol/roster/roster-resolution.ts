/**
 * What a receiver makes of the accounts and heads that an Open names, given what its directory knows. The Open says
 * who is meant, the directory says which devices that is; the roster hash of the Open then has to agree.
 */
import { equalBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import type { AccountId, DeviceId, RecordId } from '../identity/device.ts'
import { CLOCK_TOLERANCE_MS } from '../limits.ts'
import type { Environment } from '../environment.ts'
import {
  createDirectRoster,
  createRoster,
  directConversationId,
  rosterHash,
  type ConversationId,
  type GroupHead,
  type Roster,
  type RosterDevice,
  type RosterMember
} from './roster.ts'

/** An account at a head, as a sender names it. */
export interface MemberReference {
  accountId: AccountId
  head: RecordId
}

/** How an Open names the roster of a group. */
export interface GroupReference {
  /** The last changes of the log that its sender had, sorted. */
  heads: GroupHead[]
  /** The head of each member's sigchain, as its sender knew it; members are sorted by account. */
  records: RecordId[]
}

/** The parts of an Open that name its roster. */
export interface RosterReference {
  conversationId: ConversationId
  rosterEpoch: number
  rosterHash: Uint8Array
  /** `null` in a group: its log is the source, not the Open. */
  members: MemberReference[] | null
  /** `null` in a direct conversation. */
  group: GroupReference | null
  senderAccount: AccountId
  senderDevice: DeviceId
  /** Milliseconds, by the sender's clock. */
  createdAt: number
}

/** What the receiver's directory knows about one account. */
export interface AccountView {
  /** Last accepted record. */
  head: RecordId
  /** Live devices just after `head` was accepted; `undefined` for a record that this directory has not accepted. */
  devicesAt(head: RecordId): RosterDevice[] | undefined
  /** When the device was revoked (block time, milliseconds), or first seen to be; `undefined` while it lives. */
  revokedAt(deviceId: DeviceId): number | undefined
  /**
   * From when on nothing counts that the device sent, milliseconds: when its removal was recorded, or first seen here,
   * whichever is earlier; `undefined` while it lives.
   */
  removedSince(deviceId: DeviceId): number | undefined
}

/** The receiver's directory; `undefined` for an account never seen. */
export type DirectoryView = (accountId: AccountId) => AccountView | undefined

/** What to do with an Open whose signature was checked, but not yet who its sender is. */
export type RosterDecision =
  /**
   * Go on. `outdated` lists accounts whose newer head the sender has yet to learn, `ahead` those whose named head is not
   * known here although the devices are the same: worth a look into the directory, not worth a wait.
   */
  | { kind: 'accept'; roster: Roster; outdated: AccountId[]; ahead: AccountId[] }
  /** Keep the sealed Open, fetch these accounts from the directory, decide again. */
  | { kind: 'fetch'; accounts: AccountId[] }
  /** A group, whose roster comes from its log. */
  | { kind: 'group' }
  /** Never acceptable; see {@link RosterRefusal}. */
  | { kind: 'refuse'; reason: RosterRefusal }

/**
 * - `sender-revoked` the sending device was revoked before the Open was in custody; its own `createdAt` proves nothing
 * - `lists-revoked` opened after a listed device was revoked: the sender has to renew first
 * - `mismatch` the directory's devices do not give the roster hash that the Open claims
 * - `foreign` it names no conversation of its sender and us; nothing that the directory could tell changes that
 */
export type RosterRefusal = 'sender-revoked' | 'lists-revoked' | 'mismatch' | 'foreign'

/**
 * Decides by the rules of docs/sessions.md. The devices at the named heads have to give the roster hash; where a head is
 * not known here, the devices as known now may give it too, and otherwise the account is fetched. An older head is
 * accepted until replaced, unless it lists a device that was revoked before the Open was made. Opens from before the
 * revocation stay readable, or a device that was offline meanwhile would lose them.
 *
 * @param me - this device's account. Anybody can seal an Open, and what it names is fetched and kept: with `me`, only
 * accounts of a conversation that we are in.
 * @param storedAt - when a node took the Open, milliseconds: what a device sent before it was revoked counts. Without it
 * nothing of a revoked device does.
 */
export function resolveRoster(
  { crypto, network }: Environment,
  reference: RosterReference,
  directory: DirectoryView,
  me?: AccountId,
  storedAt = Infinity
): RosterDecision {
  if (reference.members === null) return { kind: 'group' }
  const accounts = reference.members.map(({ accountId }) => accountId)
  const names = (wanted: AccountId) => accounts.some(accountId => equalBytes(accountId, wanted))
  if (
    !names(reference.senderAccount) ||
    (me !== undefined && !names(me)) ||
    reference.rosterEpoch !== 0 ||
    !isConversationOf({ crypto, network }, accounts, reference.conversationId)
  ) {
    return { kind: 'refuse', reason: 'foreign' }
  }
  const removedSince = directory(reference.senderAccount)?.removedSince(reference.senderDevice)
  if (removedSince !== undefined && storedAt > removedSince) {
    return { kind: 'refuse', reason: 'sender-revoked' }
  }
  const known = lookUp(reference.members, directory)
  return decide({ crypto, network }, reference, directory, known, () =>
    createDirectRoster(crypto, network, known.members)
  )
}

/** A group as its log has it where an Open names it. */
export interface GroupAtHeads {
  /** Sorted. */
  members: AccountId[]
  epoch: number
}

/**
 * {@link resolveRoster} for an Open of a group, whose members its log tells: `group` is what the log says at the heads that the
 * Open names. Devices come from the directory, as everywhere.
 */
export function resolveGroupRoster(
  { crypto, network }: Environment,
  reference: RosterReference & { group: GroupReference },
  { members, epoch }: GroupAtHeads,
  directory: DirectoryView,
  me: AccountId,
  storedAt = Infinity
): RosterDecision {
  const { records, heads } = reference.group
  const isMember = (wanted: AccountId) => members.some(accountId => equalBytes(accountId, wanted))
  const isNamed = records.length === members.length && reference.rosterEpoch === epoch
  if (!isMember(reference.senderAccount) || !isMember(me) || !isNamed) return { kind: 'refuse', reason: 'foreign' }
  const removedSince = directory(reference.senderAccount)?.removedSince(reference.senderDevice)
  if (removedSince !== undefined && storedAt > removedSince) return { kind: 'refuse', reason: 'sender-revoked' }
  const references = members.map((accountId, i) => ({ accountId, head: records[i]! }))
  const known = lookUp(references, directory)
  const create = () => createRoster(reference.conversationId, epoch, known.members, heads)
  return decide({ crypto, network }, reference, directory, known, create)
}

function decide(
  { crypto, network }: Pick<Environment, 'crypto' | 'network'>,
  reference: RosterReference,
  directory: DirectoryView,
  known: LookedUp,
  create: () => Roster
): RosterDecision {
  if (known.absent.length > 0) return { kind: 'fetch', accounts: [...known.absent, ...known.ahead] }
  // The directory may give something that is not a roster: a device in two accounts, or more devices than an account may have.
  const roster = orNothing(create)
  if (!roster || !equalBytes(reference.rosterHash, rosterHash(crypto, network, roster))) {
    return known.ahead.length > 0 ? { kind: 'fetch', accounts: known.ahead } : { kind: 'refuse', reason: 'mismatch' }
  }
  if (listsRevoked(roster, reference.createdAt, directory)) return { kind: 'refuse', reason: 'lists-revoked' }
  return { kind: 'accept', roster, outdated: known.outdated, ahead: known.ahead }
}

interface LookedUp {
  members: RosterMember[]
  /** Accounts that the directory does not know. */
  absent: AccountId[]
  /** Accounts whose named head it does not know; `members` has their devices of now. */
  ahead: AccountId[]
  /** Accounts that were named at an older head. */
  outdated: AccountId[]
}

function lookUp(references: MemberReference[], directory: DirectoryView): LookedUp {
  const found: LookedUp = { members: [], absent: [], ahead: [], outdated: [] }
  for (const { accountId, head } of references) {
    const account = directory(accountId)
    if (!account) {
      found.absent.push(accountId)
      continue
    }
    const named = account.devicesAt(head)
    if (!named) found.ahead.push(accountId)
    else if (!equalBytes(account.head, head)) found.outdated.push(accountId)
    const devices = named ?? account.devicesAt(account.head) ?? []
    found.members.push({ accountId, head: named ? head : account.head, devices })
  }
  return found
}

/** Whether the roster lists a device that was revoked before the Open was made. */
function listsRevoked(roster: Roster, createdAt: number, directory: DirectoryView): boolean {
  return roster.members.some(({ accountId, devices }) =>
    devices.some(({ deviceId }) => {
      const revokedAt = directory(accountId)?.revokedAt(deviceId)
      return revokedAt !== undefined && createdAt > revokedAt + CLOCK_TOLERANCE_MS
    })
  )
}

/** Whether a direct conversation of these accounts has this id. */
function isConversationOf(
  { crypto, network }: Pick<Environment, 'crypto' | 'network'>,
  accounts: AccountId[],
  conversationId: ConversationId
): boolean {
  const id = orNothing(() => directConversationId(crypto, network, accounts))
  return id !== undefined && equalBytes(id, conversationId)
}

/** What `make` gives; `undefined` if the protocol refuses it. */
function orNothing<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

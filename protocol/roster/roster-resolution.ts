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
  directConversationId,
  rosterHash,
  type ConversationId,
  type Roster,
  type RosterDevice,
  type RosterMember
} from './roster.ts'

/** An account at a head, as a sender names it. */
export interface MemberReference {
  accountId: AccountId
  head: RecordId
}

/** The parts of an Open that name its roster. */
export interface RosterReference {
  conversationId: ConversationId
  rosterEpoch: number
  rosterHash: Uint8Array
  /** `null` in a group: its log is the source, not the Open. */
  members: MemberReference[] | null
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
}

/** The receiver's directory; `undefined` for an account never seen. */
export type DirectoryView = (accountId: AccountId) => AccountView | undefined

/** What to do with an Open before its signature is looked at. */
export type RosterDecision =
  /** Go on. `outdated` lists accounts whose newer head the sender has yet to learn. */
  | { kind: 'accept'; roster: Roster; outdated: AccountId[] }
  /** Keep the sealed Open, fetch these accounts from the directory, decide again. */
  | { kind: 'fetch'; accounts: AccountId[] }
  /** A group, whose roster comes from its log. */
  | { kind: 'group' }
  /** Never acceptable; see {@link RosterRefusal}. */
  | { kind: 'refuse'; reason: RosterRefusal }

/**
 * - `sender-revoked` the sending device has been revoked; its clock proves nothing, so neither does `createdAt`
 * - `lists-revoked` opened after a listed device was revoked: the sender has to renew first
 * - `mismatch` the directory's devices do not give the roster hash that the Open claims
 * - `foreign` it names no conversation of its sender and us; nothing that the directory could tell changes that
 */
export type RosterRefusal = 'sender-revoked' | 'lists-revoked' | 'mismatch' | 'foreign'

/**
 * Decides by the rules of docs/protocol.md, "Sessions": an unknown head is held and fetched, an older one accepted until
 * replaced, unless it lists a device that was revoked before the Open was made. Opens from before the revocation stay
 * readable, or whoever was offline meanwhile would lose them.
 *
 * @param me - this device's account. Anybody can seal an Open, and what it names is fetched and kept: with `me`, only
 * accounts of a conversation that we are in.
 */
export function resolveRoster(
  { crypto, network }: Environment,
  reference: RosterReference,
  directory: DirectoryView,
  me?: AccountId
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
  const unknown: AccountId[] = []
  const outdated: AccountId[] = []
  const members: RosterMember[] = []
  let refusal: RosterRefusal | undefined
  for (const { accountId, head } of reference.members) {
    const account = directory(accountId)
    const devices = account?.devicesAt(head)
    if (!account || !devices) {
      unknown.push(accountId)
      continue
    }
    if (!equalBytes(account.head, head)) outdated.push(accountId)
    for (const { deviceId } of devices) {
      const revokedAt = account.revokedAt(deviceId)
      if (revokedAt === undefined) continue
      if (equalBytes(deviceId, reference.senderDevice)) refusal = 'sender-revoked'
      else if (reference.createdAt > revokedAt + CLOCK_TOLERANCE_MS) refusal ??= 'lists-revoked'
    }
    members.push({ accountId, head, devices })
  }
  if (refusal) return { kind: 'refuse', reason: refusal }
  if (unknown.length > 0) return { kind: 'fetch', accounts: unknown }
  // The directory may give what is no roster: a device in both accounts, or more devices than an account may have.
  const roster = orNothing(() => createDirectRoster(crypto, network, members))
  const matches = roster !== undefined && equalBytes(reference.rosterHash, rosterHash(crypto, network, roster))
  return matches ? { kind: 'accept', roster, outdated } : { kind: 'refuse', reason: 'mismatch' }
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

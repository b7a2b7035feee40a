/**
 * A roster is who a session is for: accounts, each with its live devices. Its hash is in every Open, so that sender
 * and receiver agree on the whole list or not at all. The hash covers members and devices, not the heads of their
 * sigchains: a record that changes no device, such as a change of name, changes no roster.
 */
import type { Brand } from '../brand.ts'
import { compareBytes, equalBytes } from '../bytes.ts'
import { bytes, encode, list, struct, uint, type TypeOf } from '../codec.ts'
import { decodeCbor } from '../cbor.ts'
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec, recordIdCodec, type AccountId, type DeviceId } from '../identity/device.ts'
import { labelledHash } from '../labels.ts'
import { MAX_DEVICES_PER_ACCOUNT, MAX_GROUP_HEADS, MAX_ROSTER_DEVICES } from '../limits.ts'
import type { NetworkId } from '../network.ts'

/** 32 bytes that name a conversation. */
export type ConversationId = Brand<Uint8Array, 'ConversationId'>
export const conversationIdCodec = bytes<ConversationId>(32)

/** 32 bytes: id of one of the last changes of a group's log, see groups/group-log.ts. */
export type GroupHead = Brand<Uint8Array, 'GroupChangeId'>

export const rosterDeviceCodec = struct({
  deviceId: deviceIdCodec,
  signingKey: bytes(KEY_BYTES),
  /** Hash of the *registered* messaging key, as on chain. */
  messagingKeyHash: bytes(32)
})

export const rosterMemberCodec = struct({
  accountId: accountIdCodec,
  /** Last accepted record of the account when the list was made: tells others what to fetch. Not hashed. */
  head: recordIdCodec,
  /** Live devices, sorted by id. */
  devices: list(rosterDeviceCodec, MAX_DEVICES_PER_ACCOUNT)
})

export const rosterCodec = struct({
  conversationId: conversationIdCodec,
  /** Rises with each change of a group; always 0 in a direct conversation. */
  epoch: uint(),
  /** Sorted by account id. */
  members: list(rosterMemberCodec, MAX_ROSTER_DEVICES, 1),
  /** The last changes of the group's log, sorted; empty in a direct conversation. */
  heads: list(bytes<GroupHead>(32), MAX_GROUP_HEADS)
})

/** One live device as the directory has it. */
export type RosterDevice = TypeOf<typeof rosterDeviceCodec>
export type RosterMember = TypeOf<typeof rosterMemberCodec>
export type Roster = TypeOf<typeof rosterCodec>

/** A device together with its owner. */
export interface OwnedDevice {
  accountId: AccountId
  device: RosterDevice
}

/**
 * Sorts members and devices and checks the bounds. The result is the only form that is hashed.
 *
 * @throws ProtocolError `INVALID` for an account or device listed twice, `LIMIT_REACHED` past
 * {@link MAX_DEVICES_PER_ACCOUNT} or {@link MAX_ROSTER_DEVICES}.
 */
export function createRoster(
  conversationId: ConversationId,
  epoch: number,
  members: RosterMember[],
  heads: readonly GroupHead[] = []
): Roster {
  const sorted = members
    .map(member => ({
      ...member,
      devices: [...member.devices].sort((a, b) => compareBytes(a.deviceId, b.deviceId))
    }))
    .sort((a, b) => compareBytes(a.accountId, b.accountId))
  if (sorted.length === 0) throw new ProtocolError('INVALID', 'a roster has at least one account')
  requireDistinct(sorted.map(member => member.accountId))
  requireDistinct(sorted.flatMap(member => member.devices.map(device => device.deviceId)).sort(compareBytes))
  for (const { devices } of sorted) {
    if (devices.length > MAX_DEVICES_PER_ACCOUNT) {
      throw new ProtocolError('LIMIT_REACHED', `an account has at most ${MAX_DEVICES_PER_ACCOUNT} devices`)
    }
  }
  const count = sorted.reduce((sum, member) => sum + member.devices.length, 0)
  if (count > MAX_ROSTER_DEVICES) {
    throw new ProtocolError('LIMIT_REACHED', `a roster has at most ${MAX_ROSTER_DEVICES} devices, got ${count}`)
  }
  return { conversationId, epoch, members: sorted, heads: [...heads].sort(compareBytes) }
}

function requireDistinct(sortedIds: Uint8Array[]): void {
  for (let i = 1; i < sortedIds.length; i++) {
    if (equalBytes(sortedIds[i - 1]!, sortedIds[i]!)) throw new ProtocolError('INVALID', 'listed twice in a roster')
  }
}

/**
 * Names the conversation of one account (notes to self) or two, independent of who starts it.
 * @throws ProtocolError `INVALID` for any other number of accounts, or the same one twice.
 */
export function directConversationId(crypto: Crypto, network: NetworkId, accounts: AccountId[]): ConversationId {
  const sorted = [...accounts].sort(compareBytes)
  if (sorted.length < 1 || sorted.length > 2) {
    throw new ProtocolError('INVALID', `a direct conversation has one or two accounts, got ${sorted.length}`)
  }
  requireDistinct(sorted)
  return labelledHash(crypto, 'conversation-direct', network, ...sorted) as ConversationId
}

/** The roster of a direct conversation: its id follows from the accounts, so it cannot serve other accounts. */
export function createDirectRoster(crypto: Crypto, network: NetworkId, members: RosterMember[]): Roster {
  const accounts = members.map(member => member.accountId)
  return createRoster(directConversationId(crypto, network, accounts), 0, members)
}

const boundMemberCodec = struct({
  accountId: accountIdCodec,
  devices: list(rosterDeviceCodec, MAX_DEVICES_PER_ACCOUNT)
})

/**
 * 32 bytes over conversation, epoch, members, devices and, in a group, the last changes of its log, so that two who are shown
 * different logs have different rosters. The heads of the accounts' sigchains are left out.
 */
export function rosterHash(crypto: Crypto, network: NetworkId, roster: Roster): Uint8Array {
  const { conversationId, epoch, members, heads } = roster
  const bound = members.map(member => boundMemberCodec.toCbor(member))
  return labelledHash(crypto, 'roster', network, conversationId, epoch, bound, ...(heads.length > 0 ? [heads] : []))
}

/** All devices in the roster's order: by account, then by device. Per-device lists of an Open follow it. */
export function rosterDevices(roster: Roster): OwnedDevice[] {
  return roster.members.flatMap(({ accountId, devices }) => devices.map(device => ({ accountId, device })))
}

/** The device with its owner, or `undefined` if the roster does not list it. */
export function findRosterDevice(roster: Roster, deviceId: DeviceId): OwnedDevice | undefined {
  return rosterDevices(roster).find(({ device }) => equalBytes(device.deviceId, deviceId))
}

export function encodeRoster(roster: Roster): Uint8Array {
  return encode(rosterCodec, roster)
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`, or as {@link createRoster}; an unsorted roster is `MALFORMED`. */
export function decodeRoster(input: Uint8Array): Roster {
  const decoded = rosterCodec.fromCbor(decodeCbor(input, { maxBytes: MAX_ROSTER_BYTES, maxDepth: 6 }), '')
  const roster = createRoster(decoded.conversationId, decoded.epoch, decoded.members, decoded.heads)
  if (!equalBytes(encodeRoster(roster), input)) throw new ProtocolError('MALFORMED', 'roster is not sorted')
  return roster
}

/** Longest encoded roster: 1,024 devices of 88 bytes, as many accounts of 72, and the heads of a log. */
export const MAX_ROSTER_BYTES = 192 * 1024

/**
 * What a person shows to another, as a QR code, to compare a conversation: the devices of every member as their device knows them.
 * A device id is a hash of the device's keys, so who sees the same ids sees the same keys. Where two codes differ they tell whose
 * device it is. See docs/sessions.md.
 */
import { base64urlnopad } from '@scure/base'
import { equalBytes, toHex } from '../bytes.ts'
import { bytes, constant, decode, encode, list, struct, uint, type TypeOf } from '../codec.ts'
import { accountIdCodec } from '../identity/device.ts'
import { MAX_DEVICES_PER_ACCOUNT } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { conversationIdCodec, type Roster } from '../roster/roster.ts'

/** With more devices than that a QR code cannot be read from a screen: then digits are compared. */
export const MAX_CODE_DEVICES = 64
const PREFIX = 'volo-verify:'
const MAX_CODE_TEXT = 4_000
const NETWORK_BYTES = 8
/** Of an account id: tells members apart, and is compared with them. */
const ACCOUNT_BYTES = 12
/** Of a device id: 96 bits, for which nobody finds other keys. */
const DEVICE_BYTES = 12

const memberCodec = struct({
  account: bytes(ACCOUNT_BYTES),
  /** Rising. */
  devices: list(bytes(DEVICE_BYTES), MAX_DEVICES_PER_ACCOUNT)
})

const codeCodec = struct({
  version: constant(1),
  network: bytes(NETWORK_BYTES),
  conversationId: conversationIdCodec,
  /** Account of the person who shows it. */
  by: accountIdCodec,
  /** Height of the last block that the device which shows it has seen; 0 if it has seen none. */
  height: uint(),
  /** In the order of the roster. */
  members: list(memberCodec, MAX_CODE_DEVICES, 1)
})
/** What a code says. */
export type VerificationCode = TypeOf<typeof codeCodec>

/** A device that only one of two people sees. */
export interface CodeDifference {
  /** Beginning of the account id, lower-case hex. */
  account: string
  /** Beginning of the device id, lower-case hex; null if the whole account is missing on one side and has no device. */
  device: string | null
  seenBy: 'here' | 'there'
}

/** @returns undefined for a roster with more devices than {@link MAX_CODE_DEVICES}. */
export function verificationCodeOf(
  network: NetworkId,
  roster: Roster,
  shown: Pick<VerificationCode, 'by' | 'height'>
): VerificationCode | undefined {
  const count = roster.members.reduce((sum, { devices }) => sum + devices.length, 0)
  if (count > MAX_CODE_DEVICES || roster.members.length > MAX_CODE_DEVICES) return undefined
  return {
    version: 1,
    network: network.slice(0, NETWORK_BYTES),
    conversationId: roster.conversationId,
    ...shown,
    members: roster.members.map(({ accountId, devices }) => ({
      account: accountId.slice(0, ACCOUNT_BYTES),
      devices: devices.map(({ deviceId }) => deviceId.slice(0, DEVICE_BYTES))
    }))
  }
}

export function formatVerificationCode(code: VerificationCode): string {
  return PREFIX + base64urlnopad.encode(encode(codeCodec, code))
}

/** @returns undefined for a text that is no such code, or one of a newer version. */
export function parseVerificationCode(text: string): VerificationCode | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith(PREFIX) || trimmed.length > MAX_CODE_TEXT) return undefined
  try {
    const encoded = base64urlnopad.decode(trimmed.slice(PREFIX.length))
    return decode(codeCodec, encoded, { maxBytes: MAX_CODE_TEXT, maxDepth: 5 })
  } catch {
    // Text that is no base64url, or whose bytes are no code.
    return undefined
  }
}

/** Whether two codes are of one conversation in one network. */
export function isSameConversation(a: VerificationCode, b: VerificationCode): boolean {
  return equalBytes(a.network, b.network) && equalBytes(a.conversationId, b.conversationId)
}

/** What only one of two codes has; empty if both see the same devices of the same people. */
export function compareCodes(here: VerificationCode, there: VerificationCode): CodeDifference[] {
  return [...onlyIn(here, there, 'here'), ...onlyIn(there, here, 'there')]
}

function onlyIn(code: VerificationCode, other: VerificationCode, seenBy: CodeDifference['seenBy']): CodeDifference[] {
  const others = new Map(other.members.map(({ account, devices }) => [toHex(account), new Set(devices.map(toHex))]))
  return code.members.flatMap(({ account, devices }): CodeDifference[] => {
    const name = toHex(account)
    const known = others.get(name)
    if (!known && devices.length === 0) return [{ account: name, device: null, seenBy }]
    const extra = devices.map(toHex).filter(device => !known?.has(device))
    return extra.map(device => ({ account: name, device, seenBy }))
  })
}

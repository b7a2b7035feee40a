/**
 * Numbers that people compare. Both are SHA-512 iterated, so that finding a second key with a similar number costs
 * thousands of times more:
 *
 * ```
 * h₁ = SHA-512(input)      hᵢ₊₁ = SHA-512(hᵢ ‖ input)      result h₅₂₀₀
 * digits: each 5 bytes of the result, big-endian, modulo 100,000, as five digits
 * ```
 */
import type { Crypto } from '../crypto/crypto.ts'
import type { AccountId } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { Roster } from '../roster/roster.ts'

/** As in Signal's fingerprints. */
export const SAFETY_NUMBER_ITERATIONS = 5_200
const DIGITS_PER_GROUP = 5
const BYTES_PER_GROUP = 5
const PERSON_GROUPS = 6
const CONVERSATION_GROUPS = 12

function iteratedSha512(crypto: Crypto, input: Uint8Array): Uint8Array {
  let hash = crypto.sha512(input)
  // One buffer for all rounds: to make one for each takes as long as to hash it.
  const next = new Uint8Array(hash.length + input.length)
  next.set(input, hash.length)
  for (let i = 1; i < SAFETY_NUMBER_ITERATIONS; i++) {
    next.set(hash)
    hash = crypto.sha512(next)
  }
  return hash
}

function digits(hash: Uint8Array, groups: number): string {
  let text = ''
  for (let group = 0; group < groups; group++) {
    let value = 0
    for (const byte of hash.subarray(group * BYTES_PER_GROUP, (group + 1) * BYTES_PER_GROUP)) value = value * 256 + byte
    text += String(value % 10 ** DIGITS_PER_GROUP).padStart(DIGITS_PER_GROUP, '0')
  }
  return text
}

/**
 * A person's number: 30 digits from the account id, that is from the account's first record. It stays the same
 * whatever devices come and go.
 */
export function personNumber(crypto: Crypto, network: NetworkId, accountId: AccountId): string {
  return digits(iteratedSha512(crypto, labelled('safety-number-person', network, accountId)), PERSON_GROUPS)
}

/**
 * A conversation's number: 60 digits over its id and every account's devices with their *registered* public keys, in
 * the roster's order. It changes with every device that comes or goes, and not with heads, names or weekly keys.
 */
export function conversationNumber(crypto: Crypto, network: NetworkId, roster: Roster): string {
  const members = roster.members.map(({ accountId, devices }) => [
    accountId,
    devices.map(({ deviceId, signingKey, messagingKeyHash }) => [deviceId, signingKey, messagingKeyHash])
  ])
  const input = labelled('safety-number-conversation', network, roster.conversationId, members)
  return digits(iteratedSha512(crypto, input), CONVERSATION_GROUPS)
}

/** Digits in groups of five, for reading aloud. */
export function groupDigits(number: string): string {
  return number.replace(/\d{5}(?=\d)/g, '$& ')
}

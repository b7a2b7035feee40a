import { expect, test } from 'vitest'
import { decode, encode } from '../../../../protocol/codec.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import {
  handleOrNull,
  isLinkedAccount,
  linkedAccountCodec,
  MAX_LINKED_ACCOUNT_BYTES,
  signLinkedAccount
} from '../../../../protocol/identity/linked-account.ts'
import type { NetworkId } from '../../../../protocol/network.ts'

const crypto = createNodeCrypto()
const NETWORK = new Uint8Array(32).fill(1) as Uint8Array as NetworkId
const ADA = new Uint8Array(32).fill(2) as AccountId
const key = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(3))
const other = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(4))
const linked = await signLinkedAccount(NETWORK, key, ADA, { provider: 'x', handle: 'ada', time: 1_000 })
const holds = (changed: object, account = ADA, network = NETWORK) =>
  isLinkedAccount(crypto, network, account, { ...linked, ...changed })

test('a word comes back from its bytes, and holds for its account', async () => {
  const bytes = encode(linkedAccountCodec, linked)
  expect(bytes.length).toBeLessThanOrEqual(MAX_LINKED_ACCOUNT_BYTES)
  expect(decode(linkedAccountCodec, bytes, { maxBytes: MAX_LINKED_ACCOUNT_BYTES })).toEqual(linked)
  expect(await holds({})).toBe(true)
})

test.each([
  ['provider', { provider: 'github' }],
  ['handle', { handle: 'bob' }],
  ['no handle', { handle: null }],
  ['time', { time: 1_001 }],
  ['node', { nodeKey: other.publicKey }],
  ['signature', { nodeSignature: new Uint8Array(64) }]
])('another %s does not hold', async (_what, changed) => {
  expect(await holds(changed)).toBe(false)
})

test('it does not hold for another account or network', async () => {
  expect(await holds({}, new Uint8Array(32) as AccountId)).toBe(false)
  expect(await holds({}, ADA, new Uint8Array(32) as Uint8Array as NetworkId)).toBe(false)
})

test('what is no handle is none: names, addresses, and what could pass for something else', () => {
  expect(handleOrNull('Ada_L.1-x')).toBe('Ada_L.1-x')
  for (const said of ['Ada Lovelace', 'ada@example.org', 'аdа', 'a\u202eb', '', 'x'.repeat(65), 5, null, undefined]) {
    expect(handleOrNull(said)).toBeNull()
  }
  const forged = encode(linkedAccountCodec, { ...linked, handle: 'a b' })
  expect(() => decode(linkedAccountCodec, forged, { maxBytes: 256 })).toThrow(
    expect.objectContaining({ code: 'MALFORMED' })
  )
})

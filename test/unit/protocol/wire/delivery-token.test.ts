import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { decode, encode } from '../../../../protocol/codec.ts'
import { createNobleCrypto } from '../../../../protocol/crypto/noble.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { deviceIdOf, type DeviceId } from '../../../../protocol/identity/device.ts'
import {
  deliveryProof,
  isDeliveryProof,
  mailboxTokenCodec,
  signMailboxToken,
  verifyMailboxToken
} from '../../../../protocol/wire/delivery-token.ts'
import { deliveryIdOf, envelopeIdOf } from '../../../../protocol/wire/envelope.ts'
import { crypto, network, random } from '../../../support/network/in-process/fixtures.ts'

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const key = await crypto.signingKeyFromSeed(filled(32, 7))
const keys = { signingKey: key.publicKey, messagingKeyHash: filled(32, 8) }
const token = filled(32, 9)
const fixedNetwork = filled(32, 1) as NetworkId
const shared = { version: 1, expiry: 1_800_000_000_000, class: 'contact', payload: filled(20, 2) } as const

describe('a delivery token', () => {
  it('is its device’s word: any change of it, or another network, does not verify', async () => {
    const signed = await signMailboxToken(crypto, network, key, { keys, revision: 3, token })
    expect(await verifyMailboxToken(crypto, network, signed)).toEqual(deviceIdOf(crypto, network, keys))
    const limits = { maxBytes: 1024, maxDepth: 3, maxItems: 16 }
    expect(decode(mailboxTokenCodec, encode(mailboxTokenCodec, signed), limits)).toEqual(signed)
    const changed = [
      { ...signed, revision: 4 },
      { ...signed, token: random(32) },
      { ...signed, keys: { ...keys, messagingKeyHash: random(32) } },
      { ...signed, keys: { ...keys, signingKey: (await crypto.signingKeyFromSeed(random(32))).publicKey } },
      { ...signed, signature: random(64) }
    ]
    for (const other of changed) expect(await verifyMailboxToken(crypto, network, other)).toBeUndefined()
    expect(await verifyMailboxToken(crypto, fixedNetwork, signed)).toBeUndefined()
  })

  it('proves one envelope only, whatever bit of proof or token is changed', () => {
    const id = envelopeIdOf(crypto, network, shared)
    const proof = deliveryProof(crypto, network, token, id)
    expect(isDeliveryProof(crypto, network, token, id, proof)).toBe(true)
    const others = [
      { ...shared, class: 'request' as const },
      { ...shared, expiry: 5 },
      { ...shared, payload: random(3) }
    ]
    for (const other of others) {
      expect(isDeliveryProof(crypto, network, token, envelopeIdOf(crypto, network, other), proof)).toBe(false)
    }
    const flipped = (bytes: Uint8Array, bit: number) => bytes.map((b, i) => (i === bit >> 3 ? b ^ (1 << (bit & 7)) : b))
    fc.assert(
      fc.property(fc.nat(255), bit => {
        expect(isDeliveryProof(crypto, network, token, id, flipped(proof, bit))).toBe(false)
        expect(isDeliveryProof(crypto, network, flipped(token, bit), id, proof)).toBe(false)
      })
    )
    expect(isDeliveryProof(crypto, network, token, id, new Uint8Array())).toBe(false)
  })

  it.each([
    ['node', crypto],
    ['noble', createNobleCrypto(random)]
  ])('gives fixed values: %s', (_, backend) => {
    const id = envelopeIdOf(backend, fixedNetwork, shared)
    const proof = deliveryProof(backend, fixedNetwork, token, id)
    const recipient = { mailbox: filled(16, 3) as DeviceId, part: filled(4, 4) }
    const values = {
      proof: toHex(proof),
      delivery: toHex(deliveryIdOf(backend, fixedNetwork, id, { ...recipient, proof })),
      unproven: toHex(deliveryIdOf(backend, fixedNetwork, id, { ...recipient, proof: new Uint8Array() }))
    }
    expect(values).toEqual(FIXED)
  })
})

/** Made once from the definitions in docs/protocol.md. */
const FIXED = {
  proof: '221b95a17a0e024c2ab6eb283fa16284580e46720ff78daa92b0665c389c1714',
  delivery: '10fe029a6a71980cb58b1c6b812dd499b67c776d055abfeb977b00127d129107',
  unproven: 'b5664dc6d761d4a35de7645516ba89f5f46cf96168f507c82282c8dd6d2883f2'
}

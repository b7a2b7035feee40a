import { defaultCrypto } from '@libp2p/noise/crypto'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nodeNoiseCrypto } from '../../../../protocol/crypto/backends/node-noise.ts'

const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
/** What libp2p hands over for bytes that came in pieces. */
const list = (data: Uint8Array): never => ({ byteLength: data.length, subarray: () => data }) as never
const plain = (data: { subarray(): Uint8Array }): Uint8Array => new Uint8Array(data.subarray())

describe.each([0, 1, 383, 384, 399, 400, 1_199, 1_200, 65_519])('a Noise packet of %i bytes', length => {
  const key = bytes(32)
  const nonce = bytes(12)
  const associatedData = bytes(length % 2 === 0 ? 0 : 32)
  const plaintext = bytes(length)

  it('is the one that @libp2p/noise makes', () => {
    const expected = plain(defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, associatedData, key))
    for (const input of [plaintext, list(plaintext)]) {
      expect(plain(nodeNoiseCrypto.chaCha20Poly1305Encrypt(input, nonce, associatedData, key))).toEqual(expected)
    }
    for (const input of [expected, list(expected)]) {
      expect(plain(nodeNoiseCrypto.chaCha20Poly1305Decrypt(input, nonce, associatedData, key))).toEqual(plaintext)
    }
  })

  it('is not opened once a bit, the nonce, the key or what goes with it is another', () => {
    const sealed = plain(nodeNoiseCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, associatedData, key))
    const open = (changed: { sealed?: Uint8Array; nonce?: Uint8Array; data?: Uint8Array; key?: Uint8Array }) => () =>
      nodeNoiseCrypto.chaCha20Poly1305Decrypt(
        changed.sealed ?? sealed,
        changed.nonce ?? nonce,
        changed.data ?? associatedData,
        changed.key ?? key
      )
    expect(open({})).not.toThrow()
    for (const at of [0, sealed.length >> 1, sealed.length - 16, sealed.length - 1]) {
      const flipped = sealed.slice()
      flipped[at]! ^= 1
      expect(open({ sealed: flipped })).toThrow()
    }
    expect(open({ nonce: bytes(12) })).toThrow()
    expect(open({ key: bytes(32) })).toThrow()
    expect(open({ data: bytes(16) })).toThrow()
  })
})

import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import {
  HpkeContext,
  hpkeKeySchedule,
  hpkeOpen,
  hpkeReceiver,
  hpkeSeal,
  hpkeSender
} from '../../../../protocol/crypto/hpke.ts'
import { createNobleCrypto } from '../../../../protocol/crypto/noble.ts'
import { xWingEncapsulateDerandomised } from '../../../../protocol/crypto/x-wing.ts'
import { allBackends } from '../../../vectors/backends.ts'

/** The vector of draft-ietf-hpke-pq with KEM 0x647a, KDF 1, AEAD 3 (github.com/hpkewg/hpke-pq at 74dafaa), shortened. */
const VECTOR = {
  info: '34663634363532303666366532303631323034373732363536333639363136653230353537323665',
  skRm: '3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630',
  ikmE:
    '2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd19' +
    '0fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8',
  sharedSecret: '58200ed1f137bd95a921bb47f6aaecf2395b26f7fd24efd3a5ffae4849e8dea3',
  key: '131c2ebb469b909a40915914afd7ff5e638888ac7195dcaaaef8f9a84f0e4030',
  baseNonce: '2b7a68f19e6cdbd43dda3c6d',
  exporterSecret: 'c5362ef3c0008d0e573000c5c25a3f62a3bc7061cd41a384c86c27b37d945bbb',
  exporterContext: '70736575646f72616e646f6d30',
  exportedValue: '5a78d37f40e078c17ef43fa40963f1ff7dcdee56e366da9099dc181c3eccaee5'
}
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const code = (value: string): unknown => expect.objectContaining({ name: 'ProtocolError', code: value })
const flip = (bytes: Uint8Array, index: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[index]! ^= 0x10
  return copy
}

for (const crypto of await allBackends()) {
  describe(`HPKE over the ${crypto.name} backend`, () => {
    it('follows the published vector from seed to exported secret', async () => {
      const key = await crypto.messagingKeyFromSeed(fromHex(VECTOR.skRm))
      const { primitives } = createNobleCrypto(length => new Uint8Array(length))
      const { ciphertext } = await xWingEncapsulateDerandomised(primitives, key.publicKey, fromHex(VECTOR.ikmE))
      const sharedSecret = await key.decapsulate(ciphertext)
      expect(toHex(sharedSecret)).toBe(VECTOR.sharedSecret)
      const schedule = hpkeKeySchedule(crypto, sharedSecret, fromHex(VECTOR.info))
      expect(toHex(schedule.key)).toBe(VECTOR.key)
      expect(toHex(schedule.baseNonce)).toBe(VECTOR.baseNonce)
      expect(toHex(schedule.exporterSecret)).toBe(VECTOR.exporterSecret)
      const exported = new HpkeContext(crypto, schedule).export(fromHex(VECTOR.exporterContext), 32)
      expect(toHex(exported)).toBe(VECTOR.exportedValue)
    })

    it('opens messages in order, and stays where it was after one that does not open', async () => {
      const key = await crypto.messagingKeyFromSeed(new Uint8Array(32).fill(1))
      const { enc, context: sender } = await hpkeSender(crypto, key.publicKey, text('info'))
      const receiver = await hpkeReceiver(crypto, key, enc, text('info'))
      const sealed = ['one', 'two', 'three'].map(message => sender.seal(text('aad'), text(message)))
      expect(receiver.open(text('aad'), sealed[0]!)).toEqual(text('one'))
      expect(() => receiver.open(text('aad'), sealed[2]!)).toThrow(code('DECRYPT_FAILED'))
      expect(() => receiver.open(text('aad'), sealed[0]!)).toThrow(code('DECRYPT_FAILED'))
      expect(receiver.open(text('aad'), sealed[1]!)).toEqual(text('two'))
      expect(receiver.open(text('aad'), sealed[2]!)).toEqual(text('three'))
      expect(receiver.export(text('x'), 16)).toEqual(sender.export(text('x'), 16))
    })

    it('seals nothing with an erased context', async () => {
      const key = await crypto.messagingKeyFromSeed(new Uint8Array(32).fill(1))
      const { context } = await hpkeSender(crypto, key.publicKey, text(''))
      context.wipe()
      expect(() => context.seal(text(''), text('x'))).toThrow(code('LIMIT_REACHED'))
    })

    it('opens nothing after any change to info, associated data, ciphertext, encapsulation or key', async () => {
      const key = await crypto.messagingKeyFromSeed(new Uint8Array(32).fill(1))
      const other = await crypto.messagingKeyFromSeed(new Uint8Array(32).fill(2))
      const [info, aad] = [text('recipient, key id'), text('aad')]
      const { enc, ciphertext } = await hpkeSeal(crypto, key.publicKey, info, aad, text('session key'))
      expect(await hpkeOpen(crypto, key, enc, info, aad, ciphertext)).toEqual(text('session key'))
      const attempts: [typeof key, Uint8Array, Uint8Array, Uint8Array, Uint8Array][] = [
        [key, enc, flip(info, 0), aad, ciphertext],
        [key, enc, text(''), aad, ciphertext],
        [key, enc, info, flip(aad, 2), ciphertext],
        [key, enc, info, text(''), ciphertext],
        [other, enc, info, aad, ciphertext],
        [key, enc, info, aad, ciphertext.subarray(0, 10)],
        [key, enc, info, aad, text('')]
      ]
      for (const i of ciphertext.keys()) attempts.push([key, enc, info, aad, flip(ciphertext, i)])
      for (const i of [0, 400, 959, 960, 1087, 1088, 1100, 1119])
        attempts.push([key, flip(enc, i), info, aad, ciphertext])
      for (const attempt of attempts) {
        await expect(hpkeOpen(crypto, ...attempt)).rejects.toThrow(code('DECRYPT_FAILED'))
      }
      await expect(hpkeOpen(crypto, key, enc.subarray(1), info, aad, ciphertext)).rejects.toThrow(code('MALFORMED'))
      const smallOrder = Uint8Array.from(enc).fill(0, 1088)
      await expect(hpkeOpen(crypto, key, smallOrder, info, aad, ciphertext)).rejects.toThrow(code('BAD_KEY'))
    })
  })
}

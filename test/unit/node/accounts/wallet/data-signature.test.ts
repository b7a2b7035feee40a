import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeBytes } from '../../../../../chain/devnet/cbor-writer.ts'
import {
  credentialOf,
  isDataSignature,
  MAX_DATA_SIGNATURE_BYTES,
  parseDataSignature
} from '../../../../../node/accounts/wallet/data-signature.ts'
import { concatBytes, fromHex, toHex } from '../../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../../protocol/crypto/backends/node-crypto.ts'
import { ProtocolError } from '../../../../../protocol/errors.ts'
import { negative, unsigned, WalletSigner, word, YES, type WalletChanges } from '../../../../support/wallet-signer.ts'

const crypto = createNodeCrypto()

/** Signatures that wallets made, out of the tests of public projects that verify CIP-8. */
const STAKE = {
  signature:
    '84582aa201276761646472657373581de07a9647d2048870a0726f78621863e03797dc17b946473a35ded45f75a166686173686564f4582431633364353630312d386563632d343264662d623162302d3061323934643061346564355840d40e65ebb258bd48d04092f485b845a6c0c9b1728e896c8364e51e1b6d67cd2c36dc17ad52409671a8ac8e2376e3bf138869621d03c28841a50cd68bc34fa108',
  key: 'a4010103272006215820eb59d52fbd257d3f8f8f51dd59b2013092763fc9cbc109d32d837920be5e62be',
  payload: '1c3d5601-8ecc-42df-b1b0-0a294d0a4ed5',
  credential: '7a9647d2048870a0726f78621863e03797dc17b946473a35ded45f75'
}
const BASE = {
  signature:
    '845846a201276761646472657373583900f4b81e4f5062babe00068e35923abccc49b4943cad4c6c44027563f2d2a5993bbfbbc31d3c3c2eb8a88036689ebf016d673a396388a15d3fa166686173686564f458867b2269737375657241646472657373223a22303066346238316534663530363262616265303030363865333539323361626363633439623439343363616434633663343430323735363366326432613539393362626662626333316433633363326562386138383033363638396562663031366436373361333936333838613135643366227d5840de29b21d7aea9e3db28292aeb43d9e2959619988a4057dc309feaa958956e35bbb8c79325439544ab6aee8941a7effbcadd259c410e01a1203fea1039ddb670c',
  key: 'a401010327200621582024a7c9f9d0a949e4d022e54da4ea931a98f8c668a93da1c6f0115b2a7f08f761',
  credential: 'f4b81e4f5062babe00068e35923abccc49b4943cad4c6c44027563f2'
}
/** Signed for a representative (CIP-95), whose address is no address of a person. */
const REPRESENTATIVE = {
  signature:
    '84582aa201276761646472657373581d2240f07fe0321a211d8fddd174371586f18442ab5efe529b6252f53a83a166686173686564f4466162633132335840099035b23470465470ff3709568f3132931ccd8d4ecc5dd7b217f3ebd4cbb385a52d80aa5d77e1673037e66a755a65840b8576652200ba0a6d89600e2bf37207',
  key: 'a40101032720062158203cb9bff98ca7a6f9cd71fae753545db5b791a0878ba5a59d3bcc9f820a36d038'
}
const parsed = ({ signature, key }: { signature: string; key: string }) =>
  parseDataSignature(fromHex(signature), fromHex(key))

test('signatures of wallets verify, for a stake key and for a payment key', async () => {
  const stake = parsed(STAKE)
  expect(await isDataSignature(crypto, stake)).toBe(true)
  expect(new TextDecoder().decode(stake.payload)).toBe(STAKE.payload)
  expect(toHex(credentialOf(stake, false))).toBe(STAKE.credential)
  const base = parsed(BASE)
  expect(await isDataSignature(crypto, base)).toBe(true)
  expect(toHex(credentialOf(base, false))).toBe(BASE.credential)
})

test('an address of another network, of no person, or of another key is refused', async () => {
  expect(() => credentialOf(parsed(STAKE), true)).toThrow('another network')
  const representative = parsed(REPRESENTATIVE)
  expect(await isDataSignature(crypto, representative)).toBe(true)
  expect(() => credentialOf(representative, false)).toThrow('no key of a person')
  expect(() => credentialOf(parsed({ signature: STAKE.signature, key: BASE.key }), false)).toThrow('does not belong')
  for (const header of [0x10, 0x30, 0x40, 0x50, 0x70, 0x80, 0xf0]) {
    const { address } = parsed(STAKE)
    const other = { ...parsed(STAKE), address: address.map((byte, at) => (at === 0 ? header : byte)) }
    expect(() => credentialOf(other, false)).toThrow(expect.objectContaining({ code: 'BAD_SIGNATURE' }))
  }
})

const wallet = await WalletSigner.make()
const sign = (changes: WalletChanges = {}) => wallet.sign(wallet.rewardAddress, 'a text', changes)
const header = wallet.header(wallet.rewardAddress)
const key = wallet.coseKey()

test('the wallet of these tests signs as real ones do', async () => {
  const { signature, key: coseKey } = await sign()
  const answer = parseDataSignature(signature, coseKey)
  expect(await isDataSignature(crypto, answer)).toBe(true)
  expect(credentialOf(answer, false)).toEqual(wallet.rewardAddress.slice(1))
  expect(parseDataSignature(concatBytes(Uint8Array.of(0xd2), signature), coseKey)).toEqual(answer)
})

test.each<[string, WalletChanges]>([
  ['another payload', { signedPayload: new Uint8Array(5) }],
  ['another signature', { signature: new Uint8Array(64).fill(1) }],
  [
    'another address under the signature',
    { protected: wallet.header(wallet.paymentAddress), signature: new Uint8Array(64) }
  ]
])('%s does not verify', async (_what, changes) => {
  const { signature, key: coseKey } = await sign(changes)
  expect(await isDataSignature(crypto, parseDataSignature(signature, coseKey))).toBe(false)
})

test.each<[string, WalletChanges]>([
  ['a hash in place of the text', { unprotected: [[word('hashed'), YES]] }],
  ['the address outside of the signature', { unprotected: [[word('address'), encodeBytes(wallet.rewardAddress)]] }],
  ['the algorithm outside of the signature', { unprotected: [[unsigned(1), negative(-8)]] }],
  ['no address', { protected: [header[0]!] }],
  ['no algorithm', { protected: [header[1]!] }],
  ['ECDSA', { protected: [[unsigned(1), negative(-7)], header[1]!] }],
  ['two addresses', { protected: [...header, header[1]!] }],
  ['something critical', { protected: [...header, [unsigned(2), encodeBytes(new Uint8Array(1))]] }],
  ['a short signature', { signature: new Uint8Array(63) }],
  ['a key of another curve', { key: key.map((pair, at) => (at === 2 ? [negative(-1), unsigned(4)] : pair)) }],
  ['a key of another kind', { key: key.map((pair, at) => (at === 0 ? [unsigned(1), unsigned(2)] : pair)) }],
  ['a key of another algorithm', { key: key.map((pair, at) => (at === 1 ? [unsigned(3), negative(-7)] : pair)) }],
  ['a short key', { key: key.map((pair, at) => (at === 3 ? [negative(-2), encodeBytes(new Uint8Array(31))] : pair)) }],
  ['no key', { key: key.slice(0, 3) }],
  ['two keys', { key: [...key, key[3]!] }]
])('%s is refused', async (_what, changes) => {
  const { signature, key: coseKey } = await sign(changes)
  expect(() => parseDataSignature(signature, coseKey)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
})

test('what is too long, has something behind it, or is no COSE is refused', async () => {
  const { signature, key: coseKey } = await sign()
  const refused = (sign1: Uint8Array, code = 'MALFORMED') =>
    expect(() => parseDataSignature(sign1, coseKey)).toThrow(expect.objectContaining({ code }))
  refused(new Uint8Array(MAX_DATA_SIGNATURE_BYTES + 1), 'TOO_LARGE')
  refused(concatBytes(signature, Uint8Array.of(0)))
  refused(signature.slice(1))
  refused(new Uint8Array())
  refused(Uint8Array.of(0x80))
  refused(Uint8Array.from(signature).fill(0x9f, 0, 1))
  expect(() => parseDataSignature(signature, concatBytes(coseKey, Uint8Array.of(0)))).toThrow(ProtocolError)
  expect(() => parseDataSignature(signature, new Uint8Array())).toThrow(ProtocolError)
})

test('a signature with any byte changed is refused or does not verify', async () => {
  const { signature, key: coseKey } = await sign()
  await fc.assert(
    fc.asyncProperty(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = signature.map((byte, index) => (index === at ? byte ^ flip : byte))
      try {
        const answer = parseDataSignature(changed, coseKey)
        // The unprotected header is under no signature: what it may say changes nothing.
        const isSame = toHex(answer.signed) + toHex(answer.signature)
        const before = parseDataSignature(signature, coseKey)
        if (isSame === toHex(before.signed) + toHex(before.signature)) return
        expect(await isDataSignature(crypto, answer)).toBe(false)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    })
  )
})

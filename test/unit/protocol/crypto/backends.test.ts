import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, toHex, utf8 } from '../../../../protocol/bytes.ts'
import { KEM_CIPHERTEXT_BYTES, MESSAGING_KEY_BYTES } from '../../../../protocol/crypto/crypto.ts'
import { createNobleCrypto } from '../../../../protocol/crypto/noble.ts'
import { xWingEncapsulateDerandomised } from '../../../../protocol/crypto/x-wing.ts'
import { allBackends } from '../../../vectors/backends.ts'

const EMPTY = new Uint8Array(0)
const bytes = (length: number, value = 0): Uint8Array => new Uint8Array(length).fill(value)
const code = (value: string): unknown => expect.objectContaining({ name: 'ProtocolError', code: value })
const flip = (input: Uint8Array, index: number): Uint8Array => {
  const copy = Uint8Array.from(input)
  copy[index]! ^= 1
  return copy
}

for (const crypto of await allBackends()) {
  describe(`the ${crypto.name} backend`, () => {
    it('hashes as FIPS 180-4 says', () => {
      expect(toHex(crypto.sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
      expect(toHex(crypto.sha512(utf8('abc')))).toBe(
        'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
          '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'
      )
    })

    it('hashes pieces as it hashes the whole', () => {
      const data = bytes(1000, 7)
      const running = crypto.createSha256()
      for (const [start, end] of [
        [0, 0],
        [0, 1],
        [1, 64],
        [64, 700],
        [700, 1000]
      ])
        running.update(data.subarray(start, end))
      expect(running.digest()).toEqual(crypto.sha256(data))
    })

    it('computes HMAC-SHA-256 as RFC 4231 says, with keys shorter and longer than a block', () => {
      expect(toHex(crypto.hmacSha256(bytes(20, 0x0b), utf8('Hi There')))).toBe(
        'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'
      )
      expect(
        toHex(crypto.hmacSha256(bytes(131, 0xaa), utf8('Test Using Larger Than Block-Size Key - Hash Key First')))
      ).toBe('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')
    })

    it('derives as RFC 5869 A.1 says', () => {
      const prk = crypto.hkdfExtract(fromHex('000102030405060708090a0b0c'), bytes(22, 0x0b))
      expect(toHex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5')
      expect(toHex(crypto.hkdfExpand(prk, fromHex('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
        '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'
      )
    })

    it('derives up to 255 blocks and not one byte more', () => {
      expect(crypto.hkdfExpand(bytes(32), EMPTY, 8160)).toHaveLength(8160)
      expect(crypto.hkdfExpand(bytes(32), EMPTY, 0)).toHaveLength(0)
      expect(() => crypto.hkdfExpand(bytes(32), EMPTY, 8161)).toThrow(code('INVALID'))
      expect(() => crypto.hkdfExpand(bytes(32), EMPTY, -1)).toThrow(code('INVALID'))
      expect(() => crypto.hkdfExpand(bytes(31), EMPTY, 32)).toThrow(code('BAD_KEY'))
    })

    it('seals as RFC 8439 2.8.2 says', () => {
      const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i)
      const nonce = fromHex('070000004041424344454647')
      const associatedData = fromHex('50515253c0c1c2c3c4c5c6c7')
      const plaintext = utf8(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
      )
      const sealed = crypto.chachaSeal(key, nonce, plaintext, associatedData)
      expect(toHex(sealed)).toBe(
        'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b' +
          '1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
          '3ff4def08e4b7a9de576d26586cec64b6116' +
          '1ae10b594f09e26a7e902ecbd0600691'
      )
      expect(crypto.chachaOpen(key, nonce, sealed, associatedData)).toEqual(plaintext)
    })

    it('encrypts with AES-256-GCM as the specification, test case 14, says', async () => {
      const sealed = await crypto.aesGcmSeal(bytes(32), bytes(12), bytes(16), EMPTY)
      expect(toHex(sealed)).toBe('cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919')
      expect(await crypto.aesGcmOpen(bytes(32), bytes(12), sealed, EMPTY)).toEqual(bytes(16))
    })

    it('opens nothing that was changed, under either AEAD', async () => {
      const [key, nonce, associatedData, plaintext] = [bytes(32, 1), bytes(12, 2), bytes(5, 3), bytes(40, 4)]
      const chacha = crypto.chachaSeal(key, nonce, plaintext, associatedData)
      const gcm = await crypto.aesGcmSeal(key, nonce, plaintext, associatedData)
      const variants = (sealed: Uint8Array): [Uint8Array, Uint8Array, Uint8Array, Uint8Array][] => [
        [flip(key, 0), nonce, sealed, associatedData],
        [key, flip(nonce, 11), sealed, associatedData],
        [key, nonce, sealed, flip(associatedData, 4)],
        [key, nonce, sealed, EMPTY],
        [key, nonce, sealed.subarray(0, 15), associatedData],
        [key, nonce, sealed.subarray(1), associatedData],
        [key, nonce, EMPTY, associatedData],
        ...Array.from(sealed, (_, i): [Uint8Array, Uint8Array, Uint8Array, Uint8Array] => [
          key,
          nonce,
          flip(sealed, i),
          associatedData
        ])
      ]
      for (const variant of variants(chacha))
        expect(() => crypto.chachaOpen(...variant)).toThrow(code('DECRYPT_FAILED'))
      for (const variant of variants(gcm)) {
        await expect(crypto.aesGcmOpen(...variant)).rejects.toThrow(code('DECRYPT_FAILED'))
      }
    })

    it('refuses keys and nonces of a wrong length instead of padding them', async () => {
      expect(() => crypto.chachaSeal(bytes(31), bytes(12), EMPTY, EMPTY)).toThrow(code('BAD_KEY'))
      expect(() => crypto.chachaSeal(bytes(32), bytes(8), EMPTY, EMPTY)).toThrow(code('MALFORMED'))
      expect(() => crypto.chachaOpen(bytes(32), bytes(24), bytes(16), EMPTY)).toThrow(code('MALFORMED'))
      await expect(crypto.aesGcmSeal(bytes(16), bytes(12), EMPTY, EMPTY)).rejects.toThrow(code('BAD_KEY'))
      await expect(crypto.aesGcmOpen(bytes(32), bytes(16), bytes(16), EMPTY)).rejects.toThrow(code('MALFORMED'))
    })

    it('stretches with PBKDF2-HMAC-SHA-512 and refuses senseless parameters', async () => {
      expect(toHex(await crypto.pbkdf2Sha512(utf8('password'), utf8('salt'), 1, 64))).toBe(
        '867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252' +
          'c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce'
      )
      await expect(crypto.pbkdf2Sha512(bytes(1), bytes(1), 0, 32)).rejects.toThrow(code('INVALID'))
      await expect(crypto.pbkdf2Sha512(bytes(1), bytes(1), 2 ** 31, 32)).rejects.toThrow(code('INVALID'))
      await expect(crypto.pbkdf2Sha512(bytes(1), bytes(1), 1, 0)).rejects.toThrow(code('INVALID'))
    })

    it('stretches with Argon2id as the reference implementation does, and refuses senseless parameters', async () => {
      // From the tests of github.com/P-H-C/phc-winner-argon2: hashtest(version, 2, 8, 1, "password", "somesalt", ...).
      const cost = { memoryKib: 256, iterations: 2, parallelism: 1 }
      expect(toHex(await crypto.argon2id(utf8('password'), utf8('somesalt'), cost, 32))).toBe(
        '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe'
      )
      const endless = { ...cost, memoryKib: 2 ** 21 }
      await expect(crypto.argon2id(utf8('x'), utf8('somesalt'), endless, 32)).rejects.toThrow(code('INVALID'))
      await expect(crypto.argon2id(utf8(''), utf8('somesalt'), cost, 32)).rejects.toThrow(code('INVALID'))
    })

    it.each([
      [
        '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
        'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
        '',
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
          '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
      ],
      [
        '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
        '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        '72',
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
          '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
      ],
      [
        'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
        'af82',
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
          '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'
      ]
    ])('signs and verifies RFC 8032 7.1 with seed %s', async (seed, publicKey, message, signature) => {
      const key = await crypto.signingKeyFromSeed(fromHex(seed))
      expect(toHex(key.publicKey)).toBe(publicKey)
      expect(toHex(await key.sign(fromHex(message)))).toBe(signature)
      expect(await crypto.verify(key.publicKey, fromHex(message), fromHex(signature))).toBe(true)
      expect(await crypto.verify(key.publicKey, concatBytes(fromHex(message), bytes(1)), fromHex(signature))).toBe(
        false
      )
    })

    it('answers any input to verify with true or false', async () => {
      const key = await crypto.signingKeyFromSeed(bytes(32, 9))
      const signature = await key.sign(EMPTY)
      const strange = [EMPTY, bytes(31), bytes(33), bytes(64, 0xff), undefined, null, 'text', 7] as Uint8Array[]
      for (const value of strange) {
        expect(await crypto.verify(value, EMPTY, signature)).toBe(false)
        expect(await crypto.verify(key.publicKey, EMPTY, value)).toBe(false)
      }
      for (const value of [undefined, null, 7] as unknown as Uint8Array[]) {
        expect(await crypto.verify(key.publicKey, value, signature)).toBe(false)
      }
    })

    it.each([
      [
        'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
        'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
        'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'
      ],
      [
        '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
        'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
        '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957'
      ]
    ])('agrees by X25519 as RFC 7748 5.2 says with secret %s', async (secretKey, publicKey, shared) => {
      expect(toHex(await crypto.x25519(fromHex(secretKey), fromHex(publicKey)))).toBe(shared)
    })

    it('refuses every X25519 public key that gives zeros, and keys of a wrong length', async () => {
      // The points of order 1, 2, 4 and 8 with their non-canonical encodings (RFC 7748, section 6.1; cr.yp.to/ecdh.html).
      const smallOrder = [
        '0000000000000000000000000000000000000000000000000000000000000000',
        '0100000000000000000000000000000000000000000000000000000000000000',
        'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
        '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
      ].flatMap(hex => {
        const highBit = fromHex(hex)
        highBit[31]! |= 0x80
        return [fromHex(hex), highBit]
      })
      for (const publicKey of smallOrder) {
        await expect(crypto.x25519(bytes(32, 5), publicKey)).rejects.toThrow(code('BAD_KEY'))
      }
      await expect(crypto.x25519(bytes(31), bytes(32, 9))).rejects.toThrow(code('BAD_KEY'))
      await expect(crypto.x25519(bytes(32), bytes(33, 9))).rejects.toThrow(code('BAD_KEY'))
    })

    it('decapsulates the first vector of the X-Wing draft', async () => {
      const key = await crypto.messagingKeyFromSeed(
        fromHex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
      )
      const { primitives } = createNobleCrypto(bytes)
      const { ciphertext, sharedSecret } = await xWingEncapsulateDerandomised(
        primitives,
        key.publicKey,
        fromHex(
          '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
            '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2'
        )
      )
      expect(toHex(sharedSecret)).toBe('d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384')
      expect(await key.decapsulate(ciphertext)).toEqual(sharedSecret)
    })

    it('encapsulates something else each time', async () => {
      const key = await crypto.messagingKeyFromSeed(bytes(32, 6))
      const [first, second] = [await crypto.encapsulate(key.publicKey), await crypto.encapsulate(key.publicKey)]
      expect(first.ciphertext).toHaveLength(KEM_CIPHERTEXT_BYTES)
      expect(first.ciphertext).not.toEqual(second.ciphertext)
      expect(first.sharedSecret).not.toEqual(second.sharedSecret)
      expect(await key.decapsulate(first.ciphertext)).toEqual(first.sharedSecret)
    })

    it('gives a different secret, not an error, for a changed KEM ciphertext', async () => {
      const key = await crypto.messagingKeyFromSeed(bytes(32, 6))
      const { ciphertext, sharedSecret } = await crypto.encapsulate(key.publicKey)
      for (const index of [0, 500, 1087, 1088, 1119]) {
        expect(await key.decapsulate(flip(ciphertext, index))).not.toEqual(sharedSecret)
      }
    })

    it('refuses malformed messaging keys, seeds and KEM ciphertexts', async () => {
      const key = await crypto.messagingKeyFromSeed(bytes(32, 6))
      const { ciphertext } = await crypto.encapsulate(key.publicKey)
      const notReduced = Uint8Array.from(key.publicKey).fill(0xff, 0, 3)
      const lastNotReduced = Uint8Array.from(key.publicKey).fill(0xff, 1149, 1152)
      const smallOrder = Uint8Array.from(key.publicKey).fill(0, 1184)
      for (const bad of [notReduced, lastNotReduced, smallOrder, EMPTY, bytes(MESSAGING_KEY_BYTES + 1)]) {
        await expect(crypto.encapsulate(bad)).rejects.toThrow(code('BAD_KEY'))
      }
      await expect(key.decapsulate(ciphertext.subarray(1))).rejects.toThrow(code('MALFORMED'))
      await expect(key.decapsulate(concatBytes(ciphertext, bytes(1)))).rejects.toThrow(code('MALFORMED'))
      await expect(key.decapsulate(Uint8Array.from(ciphertext).fill(0, 1088))).rejects.toThrow(code('BAD_KEY'))
      await expect(crypto.messagingKeyFromSeed(bytes(31))).rejects.toThrow(code('BAD_KEY'))
      await expect(crypto.signingKeyFromSeed(bytes(64))).rejects.toThrow(code('BAD_KEY'))
    })

    it('keeps a key usable after its seed was wiped', async () => {
      const [signingSeed, messagingSeed] = [bytes(32, 3), bytes(32, 4)]
      const signingKey = await crypto.signingKeyFromSeed(signingSeed)
      const messagingKey = await crypto.messagingKeyFromSeed(messagingSeed)
      signingSeed.fill(0)
      messagingSeed.fill(0)
      expect(await crypto.verify(signingKey.publicKey, EMPTY, await signingKey.sign(EMPTY))).toBe(true)
      const { ciphertext, sharedSecret } = await crypto.encapsulate(messagingKey.publicKey)
      expect(await messagingKey.decapsulate(ciphertext)).toEqual(sharedSecret)
    })

    it('returns plain byte arrays and leaves its arguments alone', async () => {
      const [key, nonce, text] = [bytes(32, 1), bytes(12, 1), bytes(9, 1)]
      const key0 = await crypto.signingKeyFromSeed(key)
      const messaging = await crypto.messagingKeyFromSeed(key)
      const results = [
        crypto.sha256(text),
        crypto.sha512(text),
        crypto.hmacSha256(key, text),
        crypto.hkdfExtract(key, text),
        crypto.hkdfExpand(key, text, 7),
        crypto.chachaSeal(key, nonce, text, text),
        await crypto.aesGcmSeal(key, nonce, text, text),
        await crypto.pbkdf2Sha512(key, text, 1, 9),
        await crypto.argon2id(key, text, { memoryKib: 8, iterations: 1, parallelism: 1 }, 9),
        key0.publicKey,
        await key0.sign(text),
        messaging.publicKey,
        ...Object.values(await crypto.encapsulate(messaging.publicKey))
      ]
      for (const result of results) expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype)
      expect([key, nonce, text]).toEqual([bytes(32, 1), bytes(12, 1), bytes(9, 1)])
    })
  })
}

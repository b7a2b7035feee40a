import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hpkeOpen, hpkeSeal } from '../../../../protocol/crypto/hpke.ts'
import { allBackends } from '../../../vectors/backends.ts'

const RUNS = 12
const blob = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

describe('any two backends agree', async () => {
  const backends = await allBackends()
  const pairs = backends.flatMap(a => backends.map(b => [a, b] as const))

  it('on hashes, MACs and derived keys', () => {
    fc.assert(
      fc.property(blob(200), blob(200), fc.integer({ min: 0, max: 200 }), (key, data, length) => {
        const [first, ...others] = backends.map(crypto => [
          crypto.sha256(data),
          crypto.sha512(data),
          crypto.hmacSha256(key, data),
          crypto.hkdfExpand(crypto.hkdfExtract(key, data), key, length)
        ])
        for (const other of others) expect(other).toEqual(first)
      })
    )
  })

  it('on what one sealed and the other opens, under both AEADs', async () => {
    await fc.assert(
      fc.asyncProperty(exactly(32), exactly(12), blob(300), blob(60), async (key, nonce, plaintext, associatedData) => {
        for (const [a, b] of pairs) {
          const chacha = a.chachaSeal(key, nonce, plaintext, associatedData)
          expect(b.chachaOpen(key, nonce, chacha, associatedData)).toEqual(plaintext)
          const gcm = await a.aesGcmSeal(key, nonce, plaintext, associatedData)
          expect(await b.aesGcmOpen(key, nonce, gcm, associatedData)).toEqual(plaintext)
        }
      }),
      { numRuns: RUNS }
    )
  })

  it('on signatures, which are the same bytes everywhere', async () => {
    await fc.assert(
      fc.asyncProperty(exactly(32), blob(200), async (seed, message) => {
        const signatures = await Promise.all(
          backends.map(async crypto => (await crypto.signingKeyFromSeed(seed)).sign(message))
        )
        const { publicKey } = await backends[0]!.signingKeyFromSeed(seed)
        for (const signature of signatures) expect(signature).toEqual(signatures[0])
        for (const crypto of backends) expect(await crypto.verify(publicKey, message, signatures[0]!)).toBe(true)
      }),
      { numRuns: RUNS }
    )
  })

  it('on X25519 and PBKDF2', async () => {
    await fc.assert(
      fc.asyncProperty(exactly(32), exactly(32), blob(40), async (secretKey, publicKey, salt) => {
        const results = await Promise.all(
          backends.map(async crypto => [
            await crypto.x25519(secretKey, publicKey),
            await crypto.pbkdf2Sha512(secretKey, salt, 3, 48)
          ])
        )
        for (const result of results) expect(result).toEqual(results[0])
      }),
      { numRuns: RUNS }
    )
  })

  it('on messaging keys and on what is sealed to them', async () => {
    await fc.assert(
      fc.asyncProperty(exactly(32), blob(100), blob(60), blob(60), async (seed, plaintext, info, associatedData) => {
        for (const [a, b] of pairs) {
          const key = await b.messagingKeyFromSeed(seed)
          expect((await a.messagingKeyFromSeed(seed)).publicKey).toEqual(key.publicKey)
          const { enc, ciphertext } = await hpkeSeal(a, key.publicKey, info, associatedData, plaintext)
          expect(await hpkeOpen(b, key, enc, info, associatedData, ciphertext)).toEqual(plaintext)
        }
      }),
      { numRuns: 4 }
    )
  })

  it('on which random strings are no signatures and which are no keys', async () => {
    await fc.assert(
      fc.asyncProperty(exactly(32), exactly(64), exactly(1216), async (publicKey, signature, messagingKey) => {
        for (const crypto of backends) {
          expect(await crypto.verify(publicKey, publicKey, signature)).toBe(false)
          await expect(crypto.encapsulate(messagingKey)).rejects.toThrow(expect.objectContaining({ code: 'BAD_KEY' }))
        }
      }),
      { numRuns: RUNS }
    )
  })
})

import { describe, expect, it } from 'vitest'
import {
  createWebCrypto,
  generateWebSigningKey,
  webSigningKey
} from '../../../../protocol/crypto/backends/web-crypto.ts'
import { hpkeOpen, hpkeSeal } from '../../../../protocol/crypto/hpke.ts'
import { allBackends } from '../../../vectors/backends.ts'

const { subtle } = globalThis.crypto
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
const message = Uint8Array.of(1, 2, 3)

/** The platform's WebCrypto as an older browser has it: the named algorithms are refused. */
function without(...algorithms: string[]): SubtleCrypto {
  return new Proxy(subtle, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]): unknown => {
        const named = JSON.stringify(args.map(arg => (arg instanceof CryptoKey ? arg.algorithm : arg)))
        if (algorithms.some(algorithm => named.includes(`"${algorithm}"`))) {
          return Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
        }
        return Reflect.apply(method, target, args) as unknown
      }
    }
  })
}

describe('a non-extractable signing key', async () => {
  const backends = await allBackends()

  it('signs what every backend verifies', async () => {
    const pair = await generateWebSigningKey(subtle)
    expect(pair.privateKey.extractable).toBe(false)
    const key = await webSigningKey(subtle, pair)
    const signature = await key.sign(message)
    for (const crypto of backends) expect(await crypto.verify(key.publicKey, message, signature)).toBe(true)
  })

  it('does not give out its secret', async () => {
    const { privateKey } = await generateWebSigningKey(subtle)
    for (const format of ['pkcs8', 'jwk'] as const) await expect(subtle.exportKey(format, privateKey)).rejects.toThrow()
  })

  it('is refused if it is of another algorithm or may not sign', async () => {
    const agreement = (await subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair
    const pair = await generateWebSigningKey(subtle)
    const halves = { privateKey: pair.publicKey, publicKey: pair.publicKey }
    for (const wrong of [agreement, halves]) {
      await expect(webSigningKey(subtle, wrong)).rejects.toThrow(expect.objectContaining({ code: 'BAD_KEY' }))
    }
  })
})

describe('the WebCrypto backend on an older platform', () => {
  it.each([['Ed25519'], ['X25519'], ['ML-KEM-768'], ['Ed25519', 'X25519', 'ML-KEM-768']])(
    'does without %s %s %s',
    async (...missing) => {
      const [old, node] = [await createWebCrypto(without(...missing), random), (await allBackends())[1]!]
      const seed = new Uint8Array(32).fill(5)
      const [signer, reference] = [await old.signingKeyFromSeed(seed), await node.signingKeyFromSeed(seed)]
      expect(signer.publicKey).toEqual(reference.publicKey)
      expect(await signer.sign(message)).toEqual(await reference.sign(message))
      expect(await old.verify(reference.publicKey, message, await reference.sign(message))).toBe(true)

      const [here, there] = [await old.messagingKeyFromSeed(seed), await node.messagingKeyFromSeed(seed)]
      expect(here.publicKey).toEqual(there.publicKey)
      const sealed = await hpkeSeal(old, there.publicKey, message, message, seed)
      expect(await hpkeOpen(node, there, sealed.enc, message, message, sealed.ciphertext)).toEqual(seed)
      const back = await hpkeSeal(node, here.publicKey, message, message, seed)
      expect(await hpkeOpen(old, here, back.enc, message, message, back.ciphertext)).toEqual(seed)
      expect(await old.x25519(seed, reference.publicKey)).toEqual(await node.x25519(seed, reference.publicKey))
    }
  )
})
